import type { Blocked, Rendered } from '../../core/kind.ts';
import type { SecretReference, ServiceSpec } from './engine-api.ts';
import type { ObservedSecret } from './swarm.ts';
import type { StackObserved } from './observed.ts';
import { FROM_RECORD } from './release.ts';
import type { StackSpec } from './spec.ts';

/** Names in the Swarm by `mountKey`. */
export type BoundNames = ReadonlyMap<string, string>;

interface Bound {
  readonly names: BoundNames;
  /** Nobody knows which secret it would be: nothing is called for the service. */
  readonly unbound: readonly Blocked[];
}

/**
 * Pure. Which secrets a service mounts for the passwords of accounts that it names: those that open the accounts now. `own`: names
 * of what the stack itself makes.
 */
export function boundSecrets(
  unit: Rendered<StackSpec>,
  written: ServiceSpec,
  observed: StackObserved,
  own: ReadonlyMap<string, unknown>,
): Bound {
  const named = (written.TaskTemplate.ContainerSpec.Secrets ?? []).filter(
    ({ SecretName: plain }) => !own.has(plain) && isPassword(unit, plain, observed),
  );
  if (named.length === 0) return NONE;
  const live = observed.services.get(written.Name.toLowerCase())?.spec.TaskTemplate.ContainerSpec;
  const names = new Map<string, string>();
  const unbound: Blocked[] = [];
  for (const reference of named) {
    const chosen = choose(unit, reference, live?.Secrets ?? [], observed);
    if (chosen === undefined) unbound.push(unknown(reference.SecretName));
    else names.set(mountKey(reference), chosen);
  }
  return { names, unbound };
}

const NONE: Bound = { names: new Map(), unbound: [] };

/** Pure. A secret at its place. */
export function mountKey({ SecretName, File: file }: SecretReference): string {
  return JSON.stringify([SecretName, file?.Name]);
}

/** A release says itself which of its names stood for one: any other is what it was then. */
function isPassword(
  { spec, place }: Rendered<StackSpec>,
  plain: string,
  { families }: StackObserved,
): boolean {
  if (place === FROM_RECORD && !Object.hasOwn(spec.generated ?? {}, plain)) return false;
  return families.has(plain.toLowerCase());
}

/**
 * The current one. A release keeps what its service mounts as long as that opens the account too: that the stack gets another
 * password is for the attempt to do that is due, and no correction of what was. Where no server says what is current, nothing changes.
 */
function choose(
  { place }: Rendered<StackSpec>,
  wanted: SecretReference,
  live: readonly SecretReference[],
  { families, generated, earlier }: StackObserved,
): string | undefined {
  const plain = wanted.SecretName.toLowerCase();
  const mounted = mountedOf(families.get(plain) ?? [], wanted, live);
  const current = generated.get(plain);
  const isGood = mounted !== undefined && earlier.has(mounted.toLowerCase());
  return place === FROM_RECORD && isGood ? mounted : (current ?? mounted);
}

/** What of a family the service mounts already, at the same place if at several. */
function mountedOf(
  family: readonly ObservedSecret[],
  wanted: SecretReference,
  live: readonly SecretReference[],
): string | undefined {
  const names = new Set(family.map(({ name }) => name.toLowerCase()));
  const mounted = live.filter(({ SecretName }) => names.has(SecretName.toLowerCase()));
  const same = mounted.find(({ File: file }) => file?.Name === wanted.File?.Name);
  return (same ?? mounted[0])?.SecretName;
}

function unknown(plain: string): Blocked {
  const why =
    `secret ${plain} is the password of an account, ` +
    'and no server that is seen now has what any secret of that name holds';
  return { target: `secret ${plain}`, why, waits: true };
}
