import type { Level } from './grants.ts';
import { isFrom } from './server.ts';
import type { Server } from './server.ts';

// Which privileges there are on which level, by server. `ALL` is never kept as such: it is all that the server has there,
// so it is another set on another version, and sets are what is compared.

const TABLE = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'REFERENCES',
  'INDEX',
  'ALTER',
  'CREATE VIEW',
  'SHOW VIEW',
  'TRIGGER',
];
const ROUTINE = ['EXECUTE', 'ALTER ROUTINE'];
const DATABASE = [
  ...TABLE,
  ...ROUTINE,
  'CREATE TEMPORARY TABLES',
  'LOCK TABLES',
  'CREATE ROUTINE',
  'EVENT',
];
const EVERYTHING = [
  ...DATABASE,
  'RELOAD',
  'SHUTDOWN',
  'PROCESS',
  'FILE',
  'SHOW DATABASES',
  'SUPER',
  'REPLICATION SLAVE',
  'CREATE USER',
  'CREATE TABLESPACE',
];
const COLUMN = ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'];

const MYSQL_EVERYTHING = ['REPLICATION CLIENT', 'CREATE ROLE', 'DROP ROLE'];
const MARIADB_EVERYTHING = [
  'BINLOG MONITOR',
  'BINLOG ADMIN',
  'BINLOG REPLAY',
  'SET USER',
  'FEDERATED ADMIN',
  'CONNECTION ADMIN',
  'READ_ONLY ADMIN',
  'REPLICATION SLAVE ADMIN',
  'REPLICATION MASTER ADMIN',
  'SLAVE MONITOR',
];
const HISTORY = 'DELETE HISTORY';
const SHOW_ROUTINE = 'SHOW CREATE ROUTINE';

type Place = Level['on'];

/** Pure. What the server has on this level, and so what `ALL` gives there; without the grant option and `PROXY`. */
export function privilegesOf(place: Place, server: Server): ReadonlySet<string> {
  const mariadb = server.flavor === 'mariadb';
  const history = mariadb ? [HISTORY] : [];
  const showRoutine = isFrom(server, 'mariadb', 11, 3, 0) ? [SHOW_ROUTINE] : [];
  switch (place) {
    case 'everything': {
      const more = mariadb ? MARIADB_EVERYTHING : MYSQL_EVERYTHING;
      return new Set([...EVERYTHING, ...more, ...history, ...showRoutine]);
    }
    case 'dynamic':
      return server.dynamic;
    case 'database':
      return new Set([...DATABASE, ...history, ...showRoutine]);
    case 'table':
      return new Set([...TABLE, ...history]);
    case 'column':
      return new Set(COLUMN);
    case 'routine':
      // Not SHOW_ROUTINE: MariaDB 11.8 takes it on one routine, and has forgotten it after a restart.
      return new Set(ROUTINE);
  }
}

/** Other words that MariaDB takes or keeps, beside the one that it prints. */
const MARIADB_WORDS: ReadonlyMap<string, string> = new Map([
  ['REPLICATION CLIENT', 'BINLOG MONITOR'],
  ['REPLICATION REPLICA', 'REPLICATION SLAVE'],
  ['REPLICATION REPLICA ADMIN', 'REPLICATION SLAVE ADMIN'],
  ['REPLICA MONITOR', 'SLAVE MONITOR'],
  ['READ ONLY ADMIN', 'READ_ONLY ADMIN'],
  ['DELETE VERSIONING ROWS', HISTORY],
]);

/** Pure. A privilege as it is compared: in capitals, of several words for it the one that the server prints. */
export function folded(word: string, server: Pick<Server, 'flavor'>): string {
  const capitals = word.toUpperCase();
  const same = server.flavor === 'mariadb' ? MARIADB_WORDS.get(capitals) : undefined;
  return same ?? capitals;
}
