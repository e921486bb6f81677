import { type Account, accountKey, type Accounts, isMarked } from './account.ts';
import { authDigest } from './hash.ts';
import type { AccountName } from './sql.ts';

// Galera carries statements from node to node and no rows of accounts, and a node on which one fails goes on without it. So a node
// may keep an account otherwise than the node that is written to, and nobody is told.

/** How an account of ours is on another node. */
export interface Apart {
  /** As people write it: `db2:3306`. */
  readonly node: string;
  readonly account: AccountName;
  readonly isRole: boolean;
  /** It is only on one of the two, or it differs in these parts, in words. */
  readonly is: 'missing' | 'left' | { readonly differs: readonly string[] };
}

/** Pure. What of the accounts with our mark is on a node otherwise than where they are written. */
export function apartOf(written: Accounts, there: Accounts, node: string): readonly Apart[] {
  const keys = new Set([...written.keys(), ...there.keys()]);
  return [...keys].flatMap((key): readonly Apart[] => {
    const [one, other] = [written.get(key), there.get(key)];
    const known = one ?? other;
    if (known === undefined || ![one, other].some((each) => each && isMarked(each))) return [];
    const is = howApart(one, other);
    if (is === undefined) return [];
    const { user, host, isRole } = known;
    return [{ node, account: { user, host }, isRole: isRole === 'yes', is }];
  });
}

function howApart(
  written: Account | undefined,
  there: Account | undefined,
): Apart['is'] | undefined {
  if (there === undefined) return 'missing';
  if (written === undefined) return 'left';
  const [one, other] = [partsOf(written), partsOf(there)];
  const differs = Object.keys(one).filter((part) => one[part] !== other[part]);
  return differs.length === 0 ? undefined : { differs };
}

/** All that statements change, by how people call it. What only a node itself knows, as the time of a password, is not in it. */
function partsOf(account: Account): Readonly<Record<string, string>> {
  const { authentication, grants, roles, defaultRoles, require, limits, isRole } = account;
  const { maxStatementSeconds, locked, expired, lifetimeDays } = account;
  const given = [...grants].map(([key, { privileges, grantOption }]) => [
    key,
    [...privileges].toSorted(),
    grantOption,
  ]);
  return {
    password: JSON.stringify(authentication.map(authDigest)),
    privileges: sorted(given),
    roles: sorted([...roles.map(({ role }) => accountKey(role)), isRole]),
    'default roles': sorted(defaultRoles.map((role) => accountKey(role))),
    requirements: JSON.stringify(require),
    limits: JSON.stringify([limits, maxStatementSeconds]),
    lock: JSON.stringify(locked),
    expiry: JSON.stringify([expired, lifetimeDays]),
  };
}

function sorted(list: readonly unknown[]): string {
  return JSON.stringify(list.map((one) => JSON.stringify(one)).toSorted());
}

const HELP = 'that node is out of step (docs/mysql.md)';

/** Pure. One line for people. `target`: what they call the account. */
export function apartWords(target: string, { node, is }: Apart): string {
  return `${target}: ${howWords(node, is)}: ${HELP}`;
}

function howWords(node: string, is: Apart['is']): string {
  if (is === 'missing') return `on ${node} it is not there`;
  if (is === 'left') return `on ${node} it is there, and not where it is written`;
  return `on ${node} it differs: ${is.differs.join(', ')}`;
}
