import { decodedName } from '../../core/document-id.ts';
import type { Account } from './account.ts';
import { LABELS, type SwarmSecret } from './generated.ts';
import { authDigest } from './hash.ts';

/** Accounts by the server, as the agent's settings name it. */
export type OnServers = ReadonlyMap<string, Iterable<Account>>;

/** What of the Swarm's secrets opens accounts. */
export interface Opening {
  /** The secret that stands for each plain name now, by that name in lower case. */
  readonly current: ReadonlyMap<string, string>;
  /** Names in lower case of the others that open an account: what they hold is still good. */
  readonly earlier: ReadonlyMap<string, true>;
}

/**
 * Pure. By what any server keeps, first or beside it, for the account that a secret was made for: without salts others with the
 * same password have the same. What no server has first stands for nothing. Where several do, in the middle of a change, it is
 * the one that more hosts of the account have; else the first by name.
 */
export function openingSecrets(servers: OnServers, secrets: Iterable<SwarmSecret>): Opening {
  const made = [...secrets].flatMap((secret) => {
    const user = userOf(secret);
    return user === undefined ? [] : [{ secret, user }];
  });
  const users = new Set(made.map(({ user }) => user));
  const kept = new Map([...servers].map(([name, accounts]) => [name, keptBy(accounts, users)]));
  const good = made.flatMap(({ secret, user }) => {
    const uses = usesOf(secret, user, kept);
    return uses === undefined ? [] : [{ secret, uses }];
  });
  good.sort(
    (one, other) => other.uses - one.uses || (one.secret.name < other.secret.name ? -1 : 1),
  );
  const current = new Map<string, string>();
  const earlier = new Map<string, true>();
  for (const { secret, uses } of good) {
    const plain = (secret.labels[LABELS.secret] ?? secret.name).toLowerCase();
    if (uses > 0 && !current.has(plain)) current.set(plain, secret.name);
    else earlier.set(secret.name.toLowerCase(), true);
  }
  return { current, earlier };
}

type Kept = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * At how many hosts a server keeps it first; undefined: none keeps it. Only the server counts for which it was made: one that was
 * made from a copy of another keeps what that had.
 */
function usesOf(
  { labels }: SwarmSecret,
  user: string,
  kept: ReadonlyMap<string, Kept>,
): number | undefined {
  const server = labels[LABELS.server];
  const where = server === undefined ? [...kept.values()] : [kept.get(server)];
  const counts = where.flatMap((one) => one?.get(user)?.get(labels[LABELS.auth] ?? '') ?? []);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

/** The name of the account for which a secret was made, as its unit's id ends. */
function userOf({ labels }: SwarmSecret): string | undefined {
  const owner = labels[LABELS.owner] ?? '';
  return decodedName(owner.slice(owner.lastIndexOf('/') + 1));
}

/** By user and by `authDigest`, at how many hosts it is kept first; 0: only beside another one. */
function keptBy(accounts: Iterable<Account>, users: ReadonlySet<string>): Kept {
  const kept = new Map<string, Map<string, number>>();
  for (const { user, authentication, retained } of accounts) {
    if (!users.has(user)) continue;
    const own = kept.get(user) ?? new Map<string, number>();
    kept.set(user, own);
    const [first, ...others] = authentication.map(authDigest);
    if (first !== undefined) own.set(first, (own.get(first) ?? 0) + 1);
    if (retained !== undefined) others.push(authDigest(retained));
    for (const digest of others) own.set(digest, own.get(digest) ?? 0);
  }
  return kept;
}
