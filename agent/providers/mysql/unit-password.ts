import { digestOf } from '../../core/digest.ts';
import { Secret } from '../../core/secret.ts';
import { accountKey, isMarked } from './account.ts';
import {
  type AuthString,
  CACHING,
  cachingHash,
  compared,
  nativeHash,
  passwordProblem,
  type Random,
  type Verdict,
} from './hash.ts';
import type { ServerSeen } from './observed.ts';
import type { UserSpec } from './spec.ts';
import { pluginOf } from './wanted.ts';

/** What an account is to be opened with, or why that is not known. */
export type PasswordOf =
  | {
      readonly fresh: AuthString;
      /** Where it is another password than before: that one stays good until nothing uses it. */
      readonly keepEarlier: boolean;
    }
  | { readonly why: string }
  /** What a Swarm secret and the server have says more. */
  | 'generated';

type Seen = Pick<ServerSeen, 'server' | 'accounts'>;

/** Pure but for `random`, and for what it remembers: to hash and to compare take milliseconds each. */
export function passwordOf(spec: UserSpec, seen: Seen, random: Random): PasswordOf {
  const { password } = spec;
  const plugin = pluginOf(spec, seen.server);
  switch (password.from) {
    case 'hash':
      return { fresh: { plugin, stored: hashOf(password.hash) }, keepEarlier: true };
    case 'file': {
      const why = passwordProblem(password.password);
      if (why !== undefined) return { why };
      const same = keptOf(spec, seen, password.password);
      const kept = same.find((auth) => auth.plugin === plugin);
      const fresh = kept ?? freshOf(password.password, plugin, random);
      // Hashed otherwise it is the same password: nothing else is to stay good.
      return { fresh, keepEarlier: kept !== undefined || same.length === 0 };
    }
    case 'generated':
      return 'generated';
  }
}

/** As `SHOW CREATE USER` prints what is no text: `0x24412430…`. */
const HEX = /^0x(?:[0-9A-Fa-f]{2})+$/;

function hashOf(hash: string): Secret {
  return new Secret(HEX.test(hash) ? Buffer.from(hash.slice(2), 'hex').toString('latin1') : hash);
}

/** What the server has, where that is the password already: then nothing is hashed, and nothing differs. */
function keptOf(
  { name, hosts }: UserSpec,
  { accounts }: Pick<Seen, 'accounts'>,
  password: Secret,
): readonly AuthString[] {
  return hosts
    .flatMap((host) => accounts.get(accountKey({ user: name, host })) ?? [])
    .filter((live) => isMarked(live))
    .flatMap(({ authentication }) => authentication)
    .filter((auth) => verdictOf(auth, password) === 'same');
}

/** So many hashes are remembered of one password. */
const VERDICTS_MAX = 16;
const verdicts = new WeakMap<Secret, Map<string, Verdict>>();

function verdictOf(auth: AuthString, password: Secret): Verdict {
  const known = verdicts.get(password) ?? new Map<string, Verdict>();
  verdicts.set(password, known);
  const key = digestOf(auth);
  const before = known.get(key);
  if (before !== undefined) return before;
  const verdict = compared(auth, password);
  if (known.size >= VERDICTS_MAX) known.clear();
  known.set(key, verdict);
  return verdict;
}

const made = new WeakMap<Secret, AuthString>();

/** The same as long as the password is the same object: what was planned is what is sent. */
function freshOf(password: Secret, plugin: string, random: Random): AuthString {
  const before = made.get(password);
  if (before?.plugin === plugin) return before;
  const fresh = plugin === CACHING ? cachingHash(password, random) : nativeHash(password);
  made.set(password, fresh);
  return fresh;
}
