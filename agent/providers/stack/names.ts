import { createHash, createHmac } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { Secret } from '../../core/secret.ts';
import type { UnitMemo } from './memo.ts';
import { NAMESPACE, type StackObserved } from './observed.ts';
import type { ConfigSpec, SecretDriver, SecretSpec } from './spec.ts';
import type { ObservedConfig } from './swarm.ts';

/** On secrets that we make: the keyed digest of the content, because the engine never gives content back. */
export const DIGEST_LABEL = 'understudy.digest';

/** Longest name of a config or secret (swarmkit api/validation). */
const NAME_LENGTH_MAX = 64;

/**
 * Which object carries a wanted content: one that is there, one that must be made under this name, or a secret of which nobody
 * can tell before the engine has compared it.
 */
export type Chosen =
  | { readonly status: 'there'; readonly name: string; readonly carrier: Carrier }
  | { readonly status: 'unproven'; readonly name: string; readonly carrier: Carrier }
  | { readonly status: 'make'; readonly name: string }
  /** `owner`: the stack that has the name. */
  | { readonly status: 'foreign'; readonly name: string; readonly owner?: string };

/**
 * Pure. HMAC-SHA-256 under the Swarm's own key, hex: tells contents apart and reveals none of them. What a template driver
 * makes of a content is another content.
 */
export function contentDigest(base64: string, key: Secret, templating?: string): string {
  const whole = Buffer.from(key.reveal(), 'base64');
  const own =
    templating === undefined
      ? whole
      : createHmac('sha256', whole).update(`templating ${templating}`).digest();
  return createHmac('sha256', own).update(Buffer.from(base64, 'base64')).digest('hex');
}

/**
 * Pure. The content of a config cannot be changed (engine: "only updates to Labels are allowed"), so other content
 * goes under another name: the plain one first, then `name-<8 hex of the content>`. For the same reason a config that once
 * was found equal is not read again: ids are never used twice. The plain name stands for the first content only, also when
 * that is collected: `rotated` says whether a later one is there.
 */
export function chooseConfig(
  wanted: ConfigSpec,
  stack: string,
  observed: ReadonlyMap<string, ObservedConfig>,
  { memo, key, rotated = never }: Naming,
): Chosen {
  const { name, data, templating } = wanted;
  const target = `config ${name}`;
  const digest = (): string => memo.digest(target, () => contentDigest(data, key, templating));
  return choose({ name, stack, digest, rotated }, observed, (candidate) => {
    if (memo.wasEqual(target, candidate.id)) return true;
    const equal = candidate.templating === templating && candidate.data === data;
    if (equal) memo.noteEqual(target, candidate.id);
    return equal;
  });
}

/** What a name is chosen with beside the objects of the Swarm. */
interface Naming {
  readonly memo: UnitMemo;
  readonly key: Secret;
  readonly rotated?: (plain: string) => boolean;
}

const never = (): boolean => false;

/** Pure. As `contentDigest`, of a secret whose content is a plugin's: another driver or other options are another content. */
export function driverDigest({ name, options = {} }: SecretDriver, key: Secret): string {
  const sorted = Object.entries(options).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const own = createHmac('sha256', Buffer.from(key.reveal(), 'base64')).update('driver').digest();
  return createHmac('sha256', own)
    .update(JSON.stringify([name, sorted]))
    .digest('hex');
}

/** Pure. What is remembered of a secret that turned out to hold another content than the one of this digest. */
export function disproof(id: string, digest: string): string {
  return `${id} ${digest}`;
}

/**
 * Pure. As `chooseConfig`; equality by the digest label, because the engine never gives content back. A secret without
 * that label, which the CLI makes so, is `unproven` until the engine has compared it. Which plugin has the content the
 * engine does tell.
 */
export function chooseSecret(
  wanted: Pick<SecretSpec, 'name' | 'templating' | 'data'> & { readonly driver?: SecretDriver },
  stack: string,
  { secrets, disproved }: Pick<StackObserved, 'secrets' | 'disproved'>,
  { digest, rotated = never }: { readonly digest: string } & Pick<Naming, 'rotated'>,
): Chosen {
  const looked = { name: wanted.name, stack, digest: () => digest, rotated };
  return choose(looked, secrets, (candidate, name) => {
    const { id, labels, templating, driver } = candidate;
    if (templating !== wanted.templating || !isDeepStrictEqual(driver, wanted.driver)) return false;
    if (driver !== undefined || labels[DIGEST_LABEL] === digest) return true;
    // The engine takes no other spelling of a name than its own, and an empty content for none at all, which it compares not.
    const isOpen = candidate.name === name && wanted.data?.reveal() !== '';
    const isUnknown = isOpen && !Object.hasOwn(labels, DIGEST_LABEL);
    return isUnknown && !disproved.has(disproof(id, digest)) ? 'unproven' : false;
  });
}

/** What configs and secrets have in common once they are in the Swarm. */
export interface Carrier {
  readonly id: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is looked for. */
interface Wanted {
  readonly name: string;
  readonly stack: string;
  readonly digest: () => string;
  readonly rotated: (plain: string) => boolean;
}

/** One that carries it already, under whatever name; else the first name that is free, unless somebody else has one before that. */
function choose<Observed extends Carrier>(
  { name: plain, stack, digest, rotated }: Wanted,
  observed: ReadonlyMap<string, Observed>,
  equal: (candidate: Observed, name: string) => boolean | 'unproven',
): Chosen {
  let unproven: Chosen | undefined;
  let first: Chosen | undefined;
  for (const name of candidates(plain, digest)) {
    // Names are unique without regard to case in the engine; `observed` is keyed by lower case.
    const candidate = observed.get(name.toLowerCase());
    if (candidate === undefined) {
      if (name !== plain || !rotated(plain)) first ??= { status: 'make', name };
    } else if (candidate.labels[NAMESPACE] !== stack) {
      const owner = candidate.labels[NAMESPACE];
      first ??= { status: 'foreign', name, ...(owner !== undefined && { owner }) };
    } else {
      const found = equal(candidate, name);
      // What is known to carry it is better than what may.
      if (found === true) return { status: 'there', name, carrier: candidate };
      if (found === 'unproven') unproven ??= { status: 'unproven', name, carrier: candidate };
    }
  }
  return unproven ?? first ?? { status: 'foreign', name: plain };
}

/** Pure. Whether an object of this name may carry content of `plain`: see `candidates`. */
export function isVersionOf(name: string, plain: string): boolean {
  if (name === plain) return true;
  const [, start, digits] = /^(.+)-([0-9a-f]{8})$/.exec(name) ?? [];
  return digits !== undefined && start === plain.slice(0, NAME_LENGTH_MAX - 9);
}

/**
 * Pure. Whether this is a name that content with this digest goes to where `plain` is taken: nobody without the key can have
 * chosen it. Without `plain`: some name that needed no cutting.
 */
export function isNameFor(name: string, content: string, plain?: string): boolean {
  const [, start] = /^(.+)-[0-9a-f]{8}$/.exec(name) ?? [];
  if (start === undefined) return false;
  const [, ...others] = candidates(plain ?? start, () => content);
  return others.includes(name);
}

/**
 * The plain name, then one for each eight digits of the digest: two contents that share the first eight go on. Where a name
 * is cut for them the digits stand for the name too: two names with one beginning must not share an object.
 */
function* candidates(name: string, contentOf: () => string): Generator<string> {
  yield name;
  const content = contentOf();
  const isCut = name.length > NAME_LENGTH_MAX - 9;
  const digest = isCut ? createHash('sha256').update(`${name} ${content}`).digest('hex') : content;
  for (let from = 0; from + 8 <= digest.length; from += 8) {
    yield `${name.slice(0, NAME_LENGTH_MAX - 9)}-${digest.slice(from, from + 8)}`;
  }
}
