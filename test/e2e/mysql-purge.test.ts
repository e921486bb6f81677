import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import { unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';
import { takeLines } from '../../agent/providers/mysql/purge/drop.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import { HeadDesk } from '../fakes/head-desk.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { newPlan, plainly, programsOf, started } from './database.ts';
import { DatabaseUnits } from './database-units.ts';
import { type PurgeRun, runPurge } from './purge-run.ts';

const PASSWORD = 'CanaryBoss77';
const ID = 'mysql-database/site.nl';
const DATABASE = 'kind: MySQLDatabase\nname: site.nl\n';

/** `understudy purge` against real servers, with the record of a Swarm beside. */
describe.each<Flavor>(['mysql', 'mariadb'])('a database that a person deletes, on %s', (flavor) => {
  let one: DatabaseUnits;
  let folder: string;
  const boss = (): string => join(folder, 'boss');

  beforeAll(async () => {
    one = await DatabaseUnits.start(flavor);
    folder = mkdtempSync(join(tmpdir(), 'understudy-purge-'));
    writeFileSync(boss(), `${PASSWORD}\n`, { mode: 0o600 });
    await one.asRoot(`CREATE USER boss@'%' IDENTIFIED BY '${PASSWORD}'`);
    await one.asRoot("GRANT ALL ON *.* TO boss@'%'");
    await one.settle(DATABASE);
  });
  afterAll(async () => {
    await one.close();
    rmSync(folder, { recursive: true });
  });

  /** One that left the repository, with a row in it. */
  beforeEach(async () => {
    await one.asRoot('DROP DATABASE IF EXISTS `site.nl`');
    await one.asRoot('DELETE FROM understudy.ledger');
    await one.settle(DATABASE);
    await one.asRoot('CREATE TABLE `site.nl`.t (id INT PRIMARY KEY) ENGINE = InnoDB');
    await one.asRoot('INSERT INTO `site.nl`.t VALUES (1)');
    await left();
  });
  const left = async () =>
    await one.asRoot(`UPDATE understudy.ledger SET left_at = UTC_TIMESTAMP(3) WHERE id = '${ID}'`);

  interface Weather {
    /** What the repository has, by the record; `none`: no agent ever ran. */
    readonly units?: readonly Id[] | 'none';
    /** What a person types; absent: there is no terminal. */
    readonly types?: readonly string[];
    /** What happens between the first look and the second. */
    readonly between?: () => Promise<unknown>;
    /** Another way in than the server's own, in plain text. */
    readonly relay?: number;
    /** More hosts, before the server. */
    readonly others?: readonly number[];
  }

  async function purge(
    args: readonly string[],
    { units = ['mysql-database/shop'], types, relay, others = [], between }: Weather = {},
  ): Promise<PurgeRun> {
    const settings = join(folder, 'agent.yaml');
    const plain = { hosts: [`127.0.0.1:${String(relay)}`], tls: { mode: 'off' } };
    const own = { ...one.settings, ...(relay !== undefined && plain) };
    const before = others.map((port) => `127.0.0.1:${String(port)}`);
    const main = { ...own, hosts: [...before, ...own.hosts] };
    writeFileSync(settings, JSON.stringify({ mysql: { main } }));
    const engine = new FakeEngine();
    if (units !== 'none') {
      const known = new Map<Id, UnitRecord>(units.map((id) => [id, unknownUnit]));
      const history = { seen: 'c0ffee1000', settled: 'c0ffee1000', revisions: [] };
      await new HeadDesk(engine).write(known, history);
    }
    const run = await runPurge([ID, '--settings', settings, ...args], { engine, types, between });
    expect(`${run.out}${run.err}`).not.toContain(PASSWORD);
    return run;
  }
  const asBoss = (...more: readonly string[]) => [
    '--user',
    'boss',
    '--password-file',
    boss(),
    ...more,
  ];
  const yes = (...more: readonly string[]) => asBoss('--yes-delete', 'site.nl', ...more);

  const isThere = async (): Promise<boolean> =>
    (await one.asRoot("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'site.nl'"))
      .length > 0;
  const lines = async () =>
    (await one.asRoot('SELECT id, owner FROM understudy.ledger')).map(
      ({ id, owner }) => `${String(id)} ${String(owner)}`,
    );

  it('goes when its name is typed, and nothing tells of it any more', async () => {
    const done = await purge([], { types: ['boss', PASSWORD, 'site.nl'] });
    expect(done.err).toBe('');
    expect(done.code).toBe(0);
    expect(done.asked).toEqual([
      'account on the server: ',
      'password of boss: ',
      'type `site.nl` to delete it for good: ',
    ]);
    expect(done.out).toMatch(/^database site\.nl on server main\n/);
    expect(done.out).toMatch(/ {2}size +\d+(\.\d)? kB\n/);
    expect(done.out).toMatch(/ {2}tables +1, about \d+ rows\n/);
    expect(done.out).toContain('revision c0ffee1');
    expect(done.out).toMatch(/database site\.nl on server main is gone\n$/);
    expect([await isThere(), await lines()]).toEqual([false, []]);
    // Its document may come back, and is as any new one.
    await one.settle(DATABASE);
    expect(await isThere()).toBe(true);
  });

  it('stays when another name is typed, or nothing', async () => {
    for (const types of [['site.n'], ['']]) {
      const done = await purge(asBoss(), { types });
      expect([done.code, done.err]).toEqual([1, expect.stringContaining('was not typed')]);
    }
    const wrong = await purge(asBoss('--yes-delete', 'site'));
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('names `site`')]);
    const silent = await purge(asBoss());
    expect([silent.code, silent.err]).toEqual([2, expect.stringContaining('no terminal')]);
    expect([await isThere(), await lines()]).toEqual([true, [`${ID} null`]]);
  });

  it('stays where it was gone when it was shown, and is there again', async () => {
    await one.asRoot('DROP DATABASE `site.nl`');
    const between = async () => await one.asRoot('CREATE DATABASE `site.nl`');
    const done = await purge(asBoss(), { types: [], between });
    expect([done.code, done.asked, done.err]).toEqual([
      1,
      [],
      expect.stringContaining('it is there now, and was not when it was shown: begin again'),
    ]);
    expect([await isThere(), await lines()]).toEqual([true, [`${ID} null`]]);
  });

  it('is shown with what speaks against it, for programs too', async () => {
    const shown = await purge(asBoss('--dry-run', '--json'));
    expect(shown.code).toBe(0);
    expect(JSON.parse(shown.out)).toMatchObject({
      id: ID,
      status: 'shown',
      isThere: true,
      facts: { tables: 1, bytes: expect.any(Number), leftAt: expect.stringMatching(/Z$/) },
      refusals: [],
    });
    expect(await isThere()).toBe(true);
  });

  it('stays while its document is in the repository, as the record or a folder knows it', async () => {
    const recorded = await purge(yes(), { units: [ID] });
    expect([recorded.code, recorded.err]).toEqual([1, expect.stringContaining(`(\`${ID}\`)`)]);
    const nobody = await purge(yes(), { units: 'none' });
    expect([nobody.code, nobody.err]).toEqual([6, expect.stringContaining('no agent has run')]);
    const repository = join(folder, 'repository');
    for (const part of ['environments', 'mysql'])
      mkdirSync(join(repository, part), { recursive: true });
    writeFileSync(join(repository, 'understudy.yaml'), 'version: 1\n');
    const environment = 'kind: Environment\nname: production\nmysql: { default: main }\n';
    writeFileSync(join(repository, 'environments', 'production.yaml'), environment);
    writeFileSync(join(repository, 'mysql', 'site.yaml'), DATABASE);
    const inFolder = await purge(yes('--repository', repository));
    expect([inFolder.code, inFolder.err]).toEqual([1, expect.stringContaining(`(\`${ID}\`)`)]);
    expect(await isThere()).toBe(true);
    writeFileSync(join(repository, 'mysql', 'site.yaml'), DATABASE.replace('site.nl', 'other'));
    const alone = ['--repository', repository, '--environment', 'production'];
    const gone = await purge(yes(...alone), { units: 'none' });
    expect([gone.code, gone.err]).toEqual([0, '']);
    expect(await isThere()).toBe(false);
  });

  it('stays while the server says that it is in the repository, or names nobody', async () => {
    await one.settle(DATABASE);
    const back = await purge(yes());
    expect([back.code, back.err]).toEqual([1, expect.stringContaining('does not say that')]);
    await one.asRoot('DELETE FROM understudy.ledger');
    const foreign = await purge(yes());
    expect([foreign.code, foreign.err]).toEqual([1, expect.stringContaining('neither made it')]);
    expect(await isThere()).toBe(true);
  });

  it('stays while a session, an account of the repository, or another table uses it', async () => {
    const login = { user: 'root', socketPath: one.server.socket, database: 'site.nl' };
    await plainly(login, async () => {
      const used = await purge(yes());
      expect([used.code, used.err]).toEqual([
        1,
        expect.stringMatching(/sessions use it on 127\.0\.0\.1:\d+: root \(1\)/),
      ]);
    });
    await one.asRoot("CREATE USER IF NOT EXISTS blog@'%' IDENTIFIED BY 'x'");
    await one.asRoot("GRANT SELECT ON `site.nl`.t TO blog@'%'");
    const held = await purge(yes(), { units: ['mysql-user/blog'] });
    expect(held.err).toContain('`mysql-user/blog` has rights on it (blog@%)');
    await one.asRoot('CREATE DATABASE shop');
    await one.asRoot(
      'CREATE TABLE shop.u (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES `site.nl`.t (id)) ENGINE = InnoDB',
    );
    const referred = await purge(yes());
    expect(referred.err).toContain('tables of `shop` refer to tables of it');
    await one.asRoot('DROP DATABASE shop');
    expect(await isThere()).toBe(true);
    const done = await purge(yes());
    expect([done.code, done.out]).toEqual([0, expect.stringContaining('rights on it stay')]);
    await one.asRoot("DROP USER blog@'%'");
  });

  it('stays where the one who asks may not see, or may not do it', async () => {
    await one.asRoot(`CREATE USER little@'%' IDENTIFIED BY '${PASSWORD}'`);
    const asLittle = ['--user', 'little', '--password-file', boss(), '--yes-delete', 'site.nl'];
    expect((await purge(asLittle)).code).toBe(1);
    // It sees the accounts and the ledger, and not the database.
    for (const place of ['mysql', 'understudy', 'performance_schema'].slice(
      0,
      flavor === 'mysql' ? 3 : 2,
    ))
      await one.asRoot(`GRANT SELECT ON ${place}.* TO little@'%'`);
    const hidden = await purge(asLittle);
    expect([hidden.code, hidden.err]).toEqual([
      1,
      expect.stringContaining('is there is not known'),
    ]);
    await one.asRoot("GRANT SELECT ON *.* TO little@'%'");
    const blind = await purge(asLittle);
    expect([blind.code, blind.err]).toEqual([1, expect.stringContaining('GRANT PROCESS ON *.*')]);
    await one.asRoot("GRANT PROCESS ON *.* TO little@'%'");
    expect((await purge(asLittle)).err).toContain('nothing was deleted');
    await one.asRoot("GRANT UPDATE, DELETE ON understudy.* TO little@'%'");
    const refused = await purge(asLittle);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('it is there still')]);
    expect([await isThere(), await lines()]).toEqual([true, [`${ID} production`]]);
    await one.asRoot("GRANT DROP ON `site.nl`.* TO little@'%'");
    expect((await purge(asLittle)).code).toBe(0);
    await one.asRoot("DROP USER little@'%'");
    const unknown = await purge(['--user', 'nobody', '--password-file', boss(), '--dry-run']);
    expect([unknown.code, unknown.err]).toEqual([6, expect.stringContaining('let the account in')]);
  });

  it('goes on the host that takes writes, and stays while a session on any other uses it', async () => {
    // It follows nobody, and says that it only reads, as a secondary does.
    const plan = newPlan();
    const second = await started(await programsOf(flavor), plan);
    const login = { user: 'root', socketPath: second.socket };
    try {
      await plainly(login, async (root) => {
        await root.query(`CREATE USER boss@'%' IDENTIFIED BY '${PASSWORD}'`);
        await root.query("GRANT ALL ON *.* TO boss@'%'");
        await root.query('CREATE DATABASE `site.nl`');
        await root.query('SET GLOBAL read_only = 1');
      });
      const relay = one.server.port;
      const weather = { relay, others: [second.port] };
      const reads = { ...login, database: 'site.nl' };
      const used = await plainly(reads, async () => await purge(yes(), weather));
      expect([used.code, used.err]).toEqual([
        1,
        expect.stringContaining(`sessions use it on 127.0.0.1:${String(second.port)}: root (1)`),
      ]);
      const away = await purge(yes(), { relay, others: [1] });
      expect([away.code, away.err]).toEqual([
        1,
        expect.stringContaining('whether a session uses it on 127.0.0.1:1 is not known'),
      ]);
      const done = await purge(yes(), weather);
      expect([done.code, done.err]).toEqual([0, '']);
      expect(done.out).toMatch(new RegExp(`at +127\\.0\\.0\\.1:${String(relay)}\n`));
      expect(await isThere()).toBe(false);
    } finally {
      await second.stop();
      rmSync(dirname(plan.folder), { recursive: true });
    }
  });

  it('is read back where no answer came', async () => {
    const deaf = await deafRelay(one.server.port);
    const done = await purge(yes('--timeout', '2s'), { relay: deaf.port });
    deaf.close();
    expect(deaf.heard()).toBe(1);
    expect([done.code, done.err]).toEqual([0, '']);
    expect([await isThere(), await lines()]).toEqual([false, []]);
  });

  it('is left alone by the agents where the one who deletes it dies, and the next one goes on', async () => {
    await one.asRoot(String(takeLines([ID], 'production')));
    expect(await lines()).toEqual([`${ID} understudy purge of production`]);
    // Its document is back in this moment.
    const { operations, blocked } = await one.diff(DATABASE);
    expect([operations, blocked]).toEqual([
      [],
      [expect.objectContaining({ why: expect.stringContaining('understudy purge of production') })],
    ]);
    await one.asRoot('DROP DATABASE `site.nl`');
    const done = await purge(asBoss(), { types: [] });
    expect([done.code, done.asked, done.out]).toEqual([
      0,
      [],
      expect.stringContaining('gone already'),
    ]);
    expect(await lines()).toEqual([]);
  });
});

/** Stands before a server, and lets no answer through to whoever drops a database. */
async function deafRelay(port: number) {
  let heard = 0;
  const between = createServer((socket) => {
    const behind = connect(port, '127.0.0.1');
    let isDeaf = false;
    socket.on('data', (bytes) => {
      if (bytes.includes('DROP DATABASE')) {
        heard += 1;
        isDeaf = true;
      }
      behind.write(bytes);
    });
    behind.on('data', (bytes) => {
      if (!isDeaf) socket.write(bytes);
    });
    for (const [from, to] of [[socket, behind] as const, [behind, socket] as const]) {
      from.on('error', () => undefined).on('close', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  const address = between.address();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return { port: address.port, heard: () => heard, close: () => between.close() };
}
