import type { Server } from './server.ts';
import { privilegesOf } from './words.ts';

/** Columns of `mysql.db` and the privilege of each. The grant option is a column, too: `Grant_priv`. */
const DATABASE: ReadonlyMap<string, string> = new Map([
  ['Select_priv', 'SELECT'],
  ['Insert_priv', 'INSERT'],
  ['Update_priv', 'UPDATE'],
  ['Delete_priv', 'DELETE'],
  ['Create_priv', 'CREATE'],
  ['Drop_priv', 'DROP'],
  ['References_priv', 'REFERENCES'],
  ['Index_priv', 'INDEX'],
  ['Alter_priv', 'ALTER'],
  ['Create_tmp_table_priv', 'CREATE TEMPORARY TABLES'],
  ['Lock_tables_priv', 'LOCK TABLES'],
  ['Create_view_priv', 'CREATE VIEW'],
  ['Show_view_priv', 'SHOW VIEW'],
  ['Create_routine_priv', 'CREATE ROUTINE'],
  ['Alter_routine_priv', 'ALTER ROUTINE'],
  ['Execute_priv', 'EXECUTE'],
  ['Event_priv', 'EVENT'],
  ['Trigger_priv', 'TRIGGER'],
  ['Delete_history_priv', 'DELETE HISTORY'],
  ['Show_create_routine_priv', 'SHOW CREATE ROUTINE'],
]);

/** Those that only `mysql.user` has. MariaDB keeps bits in place of these columns. */
const EVERYTHING: ReadonlyMap<string, string> = new Map([
  ['Reload_priv', 'RELOAD'],
  ['Shutdown_priv', 'SHUTDOWN'],
  ['Process_priv', 'PROCESS'],
  ['File_priv', 'FILE'],
  ['Show_db_priv', 'SHOW DATABASES'],
  ['Super_priv', 'SUPER'],
  ['Repl_slave_priv', 'REPLICATION SLAVE'],
  ['Repl_client_priv', 'REPLICATION CLIENT'],
  ['Create_user_priv', 'CREATE USER'],
  ['Create_tablespace_priv', 'CREATE TABLESPACE'],
  ['Create_role_priv', 'CREATE ROLE'],
  ['Drop_role_priv', 'DROP ROLE'],
]);

export const GRANT_COLUMN = 'Grant_priv';

/** Pure. The columns of privileges that this server has in `mysql.db`, or in MySQL's `mysql.user`. */
export function columnsOf(
  place: 'everything' | 'database',
  server: Server,
): ReadonlyMap<string, string> {
  const all = place === 'database' ? DATABASE : new Map([...DATABASE, ...EVERYTHING]);
  const known = privilegesOf(place, server);
  return new Map([...all].filter(([, word]) => known.has(word)));
}

/** The bits of `access` in MariaDB's `mysql.global_priv`, the lowest first. Seen on 10.11.19 and 11.8.9. */
export const ACCESS_BITS: readonly string[] = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'RELOAD',
  'SHUTDOWN',
  'PROCESS',
  'FILE',
  'GRANT OPTION',
  'REFERENCES',
  'INDEX',
  'ALTER',
  'SHOW DATABASES',
  'SUPER',
  'CREATE TEMPORARY TABLES',
  'LOCK TABLES',
  'EXECUTE',
  'REPLICATION SLAVE',
  'BINLOG MONITOR',
  'CREATE VIEW',
  'SHOW VIEW',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'CREATE USER',
  'EVENT',
  'TRIGGER',
  'CREATE TABLESPACE',
  'DELETE HISTORY',
  'SET USER',
  'FEDERATED ADMIN',
  'CONNECTION ADMIN',
  'READ_ONLY ADMIN',
  'REPLICATION SLAVE ADMIN',
  'REPLICATION MASTER ADMIN',
  'BINLOG ADMIN',
  'BINLOG REPLAY',
  'SLAVE MONITOR',
  'SHOW CREATE ROUTINE',
];
