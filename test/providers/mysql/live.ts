import { MARK } from '../../../agent/providers/mysql/account.ts';
import type { Account } from '../../../agent/providers/mysql/account.ts';
import type { Wanted } from '../../../agent/providers/mysql/diff.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';

/** No limits. */
export const NONE = {
  maxQueriesPerHour: 0,
  maxUpdatesPerHour: 0,
  maxConnectionsPerHour: 0,
  maxUserConnections: 0,
};

/** The server's account that has exactly what is wanted, but for what is said otherwise. */
export function live(
  server: Server,
  { user, host, grants, roles, login }: Wanted,
  other: Partial<Account> = {},
): Account {
  const mark = { role: { user: MARK.role, host: '' }, admin: false };
  return {
    user,
    host,
    isRole: login === undefined ? 'yes' : 'no',
    authentication: login === undefined ? [] : [login.password.fresh],
    grants,
    roles: [
      ...roles.map((role) => ({ role, admin: false })),
      ...(server.flavor === 'mariadb' ? [mark] : []),
    ],
    defaultRoles: login?.defaultRoles ?? [],
    require: login?.require ?? 'none',
    limits: login?.limits ?? NONE,
    maxStatementSeconds: 0,
    locked: login?.locked ?? false,
    expired: false,
    lifetimeDays: 'default',
    proxies: [],
    restrictions: [],
    attributes: server.flavor === 'mysql' ? { [MARK.attribute]: MARK.value } : {},
    writtenByOlder: false,
    ...other,
  };
}
