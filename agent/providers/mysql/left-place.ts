import type { Id } from '../../core/kind.ts';
import { type Account, accountKey, isAccount, isMarked } from './account.ts';
import { accountGuard } from './guards.ts';
import { type NamedUnit, namedBy } from './named.ts';
import { foreignOwner } from './noted.ts';
import type { Owned, ServerSeen, ServerSight } from './observed.ts';
import type { AccountName } from './sql.ts';

/** The servers that a unit may be on. */
export interface Servers {
  readonly servers: ReadonlyMap<string, ServerSight>;
}

/** Where a unit that left still is. */
export interface Place extends NamedUnit {
  readonly id: Id;
  /** As the agent's settings name it. */
  readonly on: string;
  readonly seen: ServerSeen;
  readonly row: Owned;
}

/** All places of a unit. */
export interface Found {
  readonly places: readonly Place[];
  /** Why nobody knows whether it is anywhere else. */
  readonly hidden?: string;
}

/**
 * Pure. The default server is in no id, so without a name it is whichever servers know the unit: more than one, where another one
 * became the default. So one that is away may have it, too, whatever the others have.
 */
export function placesOf(id: Id, { servers }: Servers): Found {
  const named = namedBy(id);
  if (named === undefined) return { places: [] };
  const open = [...servers].filter(([name]) => named.server === undefined || name === named.server);
  const places = open.flatMap(([on, sight]): Place[] => {
    const row = sight.status === 'seen' ? sight.seen.owned.get(id) : undefined;
    if (row === undefined || sight.status !== 'seen') return [];
    return [{ ...named, id, on, seen: sight.seen, row }];
  });
  const unseen = open.flatMap(([name, sight]) =>
    sight.status === 'seen' ? [] : [`${name}: ${sight.why}`],
  );
  return { places, ...(unseen.length > 0 && { hidden: unseen.join('; ') }) };
}

/** Pure. Whether it goes some day; a database never does. */
export function goes({ what, row }: Pick<Place, 'what' | 'row'>): boolean {
  return what !== 'database' && row.retentionS !== undefined;
}

/** Pure. What people call it. */
export function wordsOf({ what, name }: Pick<Place, 'what' | 'name'>, { host }: Account): string {
  return what === 'account' ? `account ${name}@${host}` : `${what} ${name}`;
}

/** Pure. All that bears the name: an account at each of its hosts, or the role. */
export function holders({
  what,
  name,
  seen,
}: Pick<Place, 'what' | 'name' | 'seen'>): readonly Account[] {
  if (what === 'database') return [];
  return [...seen.accounts.values()].filter(
    (one) => one.user === name && isAccount(one) === (what === 'account'),
  );
}

/** Pure. Why this one is left alone; undefined: it bears our mark, and we may touch it. */
export function whyKept(one: Account, seen: ServerSeen): string | undefined {
  if (one.user === seen.self.user) return 'the agent itself logs in by that name';
  return accountGuard(one, seen) ?? (isMarked(one) ? undefined : 'it does not bear our mark');
}

/** Pure. Whether anybody else has it as a role, also who is locked; but for the agent, to whom MariaDB gives each role that it makes. */
export function isHeldAsRole(name: AccountName, { accounts, self }: ServerSeen): boolean {
  const key = accountKey(name);
  return [...accounts.values()].some(
    (one) => one.user !== self.user && one.roles.some(({ role }) => accountKey(role) === key),
  );
}

/** Pure. Those that bear the name and that we may touch. */
export function ownHolders(place: Pick<Place, 'what' | 'name' | 'seen'>): readonly Account[] {
  return holders(place).filter((one) => whyKept(one, place.seen) === undefined);
}

/** Pure. Whether another unit, of ours or of somebody else who shares the server, has the same thing. */
export function isElsewhere({ what, name, id, seen }: Place): boolean {
  if (foreignOwner({ kind: KINDS[what], name }, seen) !== undefined) return true;
  return [...seen.owned].some(([other, { leftAt }]) => {
    const named = other === id || leftAt !== undefined ? undefined : namedBy(other);
    return named?.what === what && named.name === name;
  });
}

const KINDS = { database: 'MySQLDatabase', role: 'MySQLRole', account: 'MySQLUser' } as const;
