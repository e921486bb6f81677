import type { Flavor } from './programs.ts';

/** Privileges of an account, as `GRANT` names them before `TO`. */
export interface Grant {
  readonly privileges: string;
  /** It may give them on. */
  readonly grantOption?: true;
}

/** What the account of tests may do. */
export const everything: Grant = { privileges: 'ALL ON *.*', grantOption: true };

/**
 * Pure. The least that an agent needs to make databases, roles and accounts. `databases`: a pattern of those that it makes and
 * gives rights on; a pattern without `_`, so that it means the same wherever it is read.
 */
export function leastGrants(flavor: Flavor, databases: string): readonly Grant[] {
  const read = ['mysql', ...(flavor === 'mysql' ? ['performance_schema'] : [])];
  return [
    // On MySQL a role that another account made is given on with `ROLE_ADMIN` alone. Sessions of an account that is locked are
    // ended with the last.
    {
      privileges:
        flavor === 'mysql'
          ? 'CREATE USER, ROLE_ADMIN, CONNECTION_ADMIN ON *.*'
          : 'CREATE USER, CONNECTION ADMIN ON *.*',
    },
    ...read.map((name) => ({ privileges: `SELECT ON \`${name}\`.*` })),
    { privileges: 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `understudy`.*' },
    { privileges: `ALL ON \`${databases}\`.*`, grantOption: true },
  ];
}

/** Pure. `account`: quoted. */
export function grantStatement({ privileges, grantOption }: Grant, account: string): string {
  return `GRANT ${privileges} TO ${account}${grantOption ? ' WITH GRANT OPTION' : ''}`;
}
