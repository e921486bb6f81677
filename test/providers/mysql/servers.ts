import type { Server } from '../../../agent/providers/mysql/server.ts';

/** A few of those that every MySQL lists. */
const dynamic = new Set(['BACKUP_ADMIN', 'CONNECTION_ADMIN', 'ROLE_ADMIN', 'SYSTEM_USER']);

export const mysql80: Server = {
  flavor: 'mysql',
  version: [8, 0, 22],
  partialRevokes: false,
  dynamic,
};
export const mysql97: Server = {
  flavor: 'mysql',
  version: [9, 7, 4],
  partialRevokes: false,
  dynamic,
};
export const mysqlExact: Server = { ...mysql97, partialRevokes: true };
export const mariadb1011: Server = {
  flavor: 'mariadb',
  version: [10, 11, 19],
  partialRevokes: false,
  dynamic: new Set(),
};
export const mariadb118: Server = { ...mariadb1011, version: [11, 8, 6] };
export const servers = { mysql80, mysql97, mysqlExact, mariadb1011, mariadb118 };
