import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Secret } from '../../agent/core/secret.ts';
import { cachingHash, nativeHash } from '../../agent/providers/mysql/hash.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { isEnded, newPlan, plainly, programsOf, started, USER } from './database.ts';
import { DatabaseUnits } from './database-units.ts';

const PASSWORD = 'CanaryHorse44';

/** A server lets whoever is in stay in, locked or dropped: the agent ends those sessions, and no others. */
describe.each<Flavor>(['mysql', 'mariadb'])('sessions of who is locked out, on %s', (flavor) => {
  let one: DatabaseUnits;
  let other: Server;
  let otherPlan: ServerPlan;
  const open: Connection[] = [];

  beforeAll(async () => {
    // It follows nobody, and says that it only reads, as a secondary does.
    otherPlan = newPlan({ options: ['--read-only=1'] });
    other = await started(await programsOf(flavor), otherPlan);
    one = await DatabaseUnits.start(flavor, [], [`127.0.0.1:${String(other.port)}`]);
  });
  afterAll(async () => {
    await one.close();
    await other.stop();
    rmSync(dirname(otherPlan.folder), { recursive: true });
  });
  afterEach(async () => {
    for (const session of open.splice(0)) session.destroy();
    const rows = await one.asRoot(
      "SELECT Host AS h FROM mysql.user WHERE User IN ('blog', 'rest')",
    );
    for (const { h } of rows) await one.asRoot(`DROP USER IF EXISTS blog@'${String(h)}'`);
    await one.asRoot("DROP USER IF EXISTS rest@'%'");
    await one.asRoot('DELETE FROM understudy.ledger');
  });

  /** A session that is in, by the account that the server takes for it. */
  async function enter(user: string, server: Server = one.server): Promise<Connection> {
    const session = await createConnection({
      host: '127.0.0.1',
      port: server.port,
      user,
      password: PASSWORD,
    });
    session.on('error', () => undefined);
    open.push(session);
    return session;
  }
  const isIn = async (session: Connection): Promise<boolean> =>
    await session.query('SELECT 1').then(
      () => true,
      () => false,
    );
  /** As text of YAML, in which a `$` begins a variable. A server may put what YAML does not take into a salt. */
  const hash = (): string => {
    const password = new Secret(PASSWORD);
    const salt = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(70);
    const auth = flavor === 'mysql' ? cachingHash(password, salt) : nativeHash(password);
    return JSON.stringify(auth.stored.reveal()).replaceAll('$', '$$$$');
  };
  const endAgent = async () => {
    const list = `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = '${USER}'`;
    for (const { id } of await one.asRoot(list)) await one.asRoot(`KILL ${String(id)}`);
  };
  const account = (name: string, stored: string, more = '') =>
    `kind: MySQLUser\nname: ${name}\npassword: { hash: ${stored} }\n${more}`;

  it('are ended on every host, and those of others are not', async () => {
    const stored = hash();
    await one.settle(account('blog', stored));
    await one.settle(account('rest', stored));
    // As replication would have brought it.
    const login = { user: 'root', socketPath: other.socket };
    await plainly(login, async (root) => {
      await root.query('SET GLOBAL read_only = 0');
      await root.query(`CREATE USER blog@'%' IDENTIFIED BY '${PASSWORD}'`);
    });
    const [here, there, rest] = [
      await enter('blog'),
      await enter('blog', other),
      await enter('rest'),
    ];
    await plainly(login, async (root) => {
      await root.query("ALTER USER blog@'%' ACCOUNT LOCK");
      await root.query('SET GLOBAL read_only = 1');
    });
    expect([await isIn(here), await isIn(there)]).toEqual([true, true]);
    const said = await one.settle(account('blog', stored, 'locked: true\n'));
    expect(said.join()).toContain("ends the sessions of 'blog'@'%'");
    expect([await isEnded(here), await isEnded(there)]).toEqual([true, true]);
    expect(await isIn(rest)).toBe(true);
    await expect(enter('blog')).rejects.toThrow(/locked/);
    expect(await one.settle(account('blog', stored, 'locked: true\n'))).toEqual([]);
  });

  it('are ended by the next agent where one dies between the lock and that', async () => {
    const stored = hash();
    await one.settle(account('blog', stored));
    const session = await enter('blog');
    const locked = account('blog', stored, 'locked: true\n');
    await one.dyingAfter('ACCOUNT LOCK', async () => await one.settle(locked));
    expect(await isIn(session)).toBe(true);
    await one.settle(locked);
    expect(await isEnded(session)).toBe(true);
  });

  it('go on where another account of that name is open and nobody can tell them apart', async () => {
    const stored = hash();
    await one.settle(account('blog', stored, "hosts: ['%', '127.0.0.1']\n"));
    await one.asRoot(`CREATE USER blog@'127.%' IDENTIFIED BY '${PASSWORD}'`);
    const session = await enter('blog');
    const shut = account('blog', stored, "hosts: ['%']\nlocked: true\n");
    const { notes = [] } = await one.diff(shut);
    expect(notes.join()).toContain('sessions of blog@% that are open go on');
    await one.settle(shut, 'keep');
    expect(await isIn(session)).toBe(true);
    // That host is one address, and its sessions are nobody else's.
    await one.settle(shut);
    expect(await isEnded(session)).toBe(true);
    expect(await one.asRoot("SELECT Host FROM mysql.user WHERE User = 'blog'")).toHaveLength(2);
  });

  it('go on where the agent may not end them, which is said', async () => {
    const stored = hash();
    await one.settle(account('blog', stored));
    const session = await enter('blog');
    const word = flavor === 'mysql' ? 'CONNECTION_ADMIN' : 'CONNECTION ADMIN';
    await one.asRoot(`REVOKE ${word}, SUPER ON *.* FROM ${USER}@'%'`);
    // What an account may do on everything counts from its next login on.
    await endAgent();
    const locked = account('blog', stored, 'locked: true\n');
    const { notes = [] } = await one.diff(locked);
    expect(notes.join()).toContain(`GRANT ${word} ON *.* is missing`);
    await one.settle(locked);
    expect(await isIn(session)).toBe(true);
    await expect(enter('blog')).rejects.toThrow(/locked/);
    await one.asRoot(`GRANT ${word}, SUPER ON *.* TO ${USER}@'%'`);
    await endAgent();
  });
});
