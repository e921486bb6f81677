import { createConnection, type Connection } from 'mysql2/promise';

import type { MysqlServer } from '../../agent/rehearsal/mysql/access.ts';
import { questionsOf } from '../../agent/providers/mysql/rows.ts';
import { parseVersion } from '../../agent/providers/mysql/server.ts';

/** A plain session as root, which only root of this machine gets. */
async function withSession<Value>(
  { socket }: MysqlServer,
  work: (session: Connection) => Promise<Value>,
): Promise<Value> {
  const session = await createConnection({ user: 'root', socketPath: socket });
  try {
    return await work(session);
  } finally {
    session.destroy();
  }
}

/** The tables of accounts, databases and the ledger as a pass reads them, one after the other, and nothing else done. Milliseconds. */
export async function rawTables(server: MysqlServer): Promise<number> {
  return await withSession(server, async (session) => {
    const [[row]] = await session.query<never[]>('SELECT VERSION() AS version');
    const version = parseVersion(Reflect.get(row ?? {}, 'version'));
    if ('reason' in version) throw new Error(version.reason);
    const accounts = Object.values(
      questionsOf({ ...version, dynamic: new Set(), partialRevokes: false }),
    );
    const texts = accounts.map((question) => question.text.reveal());
    const beganMs = performance.now();
    for (const text of [
      ...texts,
      'SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA',
      'SELECT * FROM understudy.ledger',
    ]) {
      await session.query(text);
    }
    return performance.now() - beganMs;
  });
}

/** Single statements for one site after another, as a script or a module of a configuration tool has them. Milliseconds a site. */
export async function statementsLoop(server: MysqlServer, count: number): Promise<Loop> {
  const sites = Array.from({ length: count }, (_, index) => `blog_loop_${String(index)}`);
  return await withSession(server, async (session) => {
    const timed = async (statements: (name: string) => readonly string[]): Promise<number> => {
      const beganMs = performance.now();
      for (const name of sites) for (const text of statements(name)) await session.query(text);
      return (performance.now() - beganMs) / count;
    };
    const looked = (name: string): readonly string[] => [
      `SHOW DATABASES LIKE '${name}'`,
      `SELECT 1 FROM mysql.user WHERE user = '${name}' AND host = '%'`,
    ];
    const granted = (name: string): readonly string[] => [`SHOW GRANTS FOR '${name}'@'%'`];
    const create = await timed((name) => [
      ...looked(name),
      `CREATE DATABASE \`${name}\``,
      `CREATE USER '${name}'@'%' IDENTIFIED BY 'a password of ${name}'`,
      `GRANT ALL ON \`${name}\`.* TO '${name}'@'%'`,
      ...granted(name),
    ]);
    const again = await timed((name) => [...looked(name), ...granted(name)]);
    await timed((name) => [`DROP USER '${name}'@'%'`, `DROP DATABASE \`${name}\``]);
    return { create, again };
  });
}

/** Milliseconds a site. */
export interface Loop {
  readonly create: number;
  readonly again: number;
}
