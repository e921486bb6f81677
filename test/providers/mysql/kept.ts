import { readFileSync } from 'node:fs';

import type { Account, Accounts } from '../../../agent/providers/mysql/account.ts';
import { mariadbAccounts } from '../../../agent/providers/mysql/mariadb-accounts.ts';
import { mysqlAccounts } from '../../../agent/providers/mysql/mysql-accounts.ts';
import { MariadbRows, MysqlRows, readRows } from '../../../agent/providers/mysql/rows.ts';
import { parseVersion } from '../../../agent/providers/mysql/server.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';

/** What real servers answered to our questions, after the statements of their `.sql` beside them. */
export const kept = ['mysql-9.7', 'mariadb-10.11', 'mariadb-11.8'] as const;
export type Kept = (typeof kept)[number];

export interface Answered {
  readonly server: Server;
  readonly answers: Record<string, Record<string, unknown>[]>;
}

export function answered(name: Kept): Answered {
  const file = new URL(`../../fixtures/mysql/${name}.json`, import.meta.url);
  const { version, privileges, answers } = JSON.parse(readFileSync(file, 'utf8'));
  const parsed = parseVersion(version);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return { server: { ...parsed, partialRevokes: false, dynamic: new Set(privileges) }, answers };
}

export function accountsOf({ server, answers }: Answered): Accounts {
  return server.flavor === 'mysql'
    ? mysqlAccounts(readRows(MysqlRows, answers), server)
    : mariadbAccounts(readRows(MariadbRows, answers), server);
}

export function accountOf(accounts: Accounts, user: string): Account {
  const found = [...accounts.values()].find((account) => account.user === user);
  if (found === undefined) throw new Error(`there is no account ${user}`);
  return found;
}
