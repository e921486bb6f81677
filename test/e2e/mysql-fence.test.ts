import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import type { CallOutcome } from '../../agent/core/kind.ts';
import { accountKey } from '../../agent/providers/mysql/account.ts';
import { sendFenced, takeFence } from '../../agent/providers/mysql/fence.ts';
import { claim, leave, release } from '../../agent/providers/mysql/ledger.ts';
import type { ServerSeen, ServerSight } from '../../agent/providers/mysql/observed.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import { identifier, type Sql, sql } from '../../agent/providers/mysql/sql.ts';
import type { Flavor, Programs } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import type { MysqlServerSettings } from '../../schemas/settings.ts';
import {
  everythingOf,
  loginTo,
  newPlan,
  PASSWORD,
  plainly,
  programsOf,
  session,
  started,
  USER,
} from './database.ts';

// One server runs at a time: MySQL takes 250 MB.
describe.each<Flavor>(['mysql', 'mariadb'])('a server of %s', (flavor) => {
  let programs: Programs;
  let plan: ServerPlan;
  let server: Server;
  const opened: Servers[] = [];

  beforeAll(async () => {
    programs = await programsOf(flavor);
    plan = newPlan();
    server = await started(programs, plan);
  });
  afterEach(() => {
    for (const one of opened.splice(0)) one.close();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dirname(plan.folder), { recursive: true });
  });

  const signal = (): AbortSignal => AbortSignal.timeout(60_000);
  const asRoot = async (text: string): Promise<readonly Record<string, unknown>[]> =>
    await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
      const [rows] = await one.query<never[]>(text);
      return rows;
    });
  const names = async (): Promise<readonly string[]> =>
    (await asRoot('SHOW DATABASES')).map(({ Database }) => String(Database));

  const settings = (more: Partial<MysqlServerSettings> = {}): MysqlServerSettings => ({
    hosts: [`127.0.0.1:${server.port}`],
    user: USER,
    passwordFile: plan.passwordFile,
    tls:
      flavor === 'mysql'
        ? { mode: 'required', caFile: join(plan.folder, 'data', 'ca.pem'), verifyName: false }
        : { mode: 'off', verifyName: true },
    databases: [],
    ...more,
  });

  interface Agent {
    readonly sight: () => Promise<ServerSight>;
    readonly seen: () => Promise<ServerSeen>;
    readonly write: (...statements: readonly Sql[]) => Promise<CallOutcome<unknown>>;
    /** Writes after the look that the first try of a term may ask for. */
    readonly begin: () => Promise<void>;
  }

  /** An agent of its own, with a term. */
  function agent(
    term: number | (() => number),
    more: { readonly settings?: MysqlServerSettings; readonly refusal?: () => string | undefined } = {}, // prettier-ignore
  ): Agent {
    const now = typeof term === 'number' ? () => term : term;
    const servers = openServers(
      { db: more.settings ?? settings() },
      {
        clock: systemClock,
        guard: { refusal: more.refusal ?? (() => undefined) },
        term: now,
        holder: `agent that began in term ${now()}`,
      },
    );
    opened.push(servers);
    const sight = async () => (await servers.observe(['db'], signal())).get('db')!;
    const seen = async () => {
      const found = await sight();
      if (found.status !== 'seen') throw new Error(found.why);
      return found.seen;
    };
    const write: Agent['write'] = async (...statements) =>
      await servers.call({ op: 'statements', statements }, signal());
    const begin = async () => {
      await seen();
      await write();
      await seen();
      expect(await write()).toMatchObject({ status: 'ok' });
    };
    return { sight, seen, write, begin };
  }

  const create = (name: string): Sql => sql`CREATE DATABASE ${identifier(name)}`;
  const nap = sql`SELECT SLEEP(30)`;
  /** The session that naps. */
  const napping = async (): Promise<number> => {
    const find =
      "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'";
    await expect.poll(async () => await asRoot(find), { timeout: 60_000 }).toHaveLength(1);
    return Number((await asRoot(find))[0]?.['id']);
  };

  it('is read without a trace', async () => {
    await asRoot('CREATE DATABASE plain CHARACTER SET utf8mb4');
    await asRoot('CREATE DATABASE old CHARACTER SET latin1 COLLATE latin1_bin');
    await asRoot(`CREATE USER reader@'10.%' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL`);
    await asRoot('GRANT SELECT ON old.* TO reader@"10.%"');
    await asRoot('CREATE ROLE readers');

    const keeper = agent(1);
    const { accounts, databases, collations, ...rest } = await keeper.seen();
    expect(rest).toMatchObject({
      host: `127.0.0.1:${server.port}`,
      server: { flavor, partialRevokes: false },
      owned: new Map(),
      self: { user: USER, host: '%' },
      hasTls: flavor === 'mysql',
    });
    expect(rest.server.dynamic.has('CONNECTION_ADMIN')).toBe(flavor === 'mysql');
    expect(databases.get('old')).toEqual({ characterSet: 'latin1', collation: 'latin1_bin' });
    expect(collations.get('utf8mb4')).toBe(databases.get('plain')?.collation);
    const reader = accounts.get(accountKey({ user: 'reader', host: '10.%' }));
    expect(reader).toMatchObject({ require: 'ssl', isRole: 'no' });
    const role = { user: 'readers', host: flavor === 'mysql' ? '%' : '' };
    expect(accounts.get(accountKey(role))?.isRole).toBe(flavor === 'mysql' ? 'perhaps' : 'yes');
    expect(everythingOf(await keeper.sight())).not.toContain(PASSWORD);

    expect(await names()).not.toContain('understudy');
  });

  it('is seen as it is set now, with the session of before', async () => {
    const keeper = agent(1);
    const count = async () => (await asRoot(`SHOW PROCESSLIST`)).length;
    await keeper.seen();
    const before = await count();
    const exact = async (set: string): Promise<boolean> => {
      if (flavor === 'mysql') await asRoot(`SET GLOBAL partial_revokes = ${set}`);
      return (await keeper.seen()).server.partialRevokes;
    };
    expect([await exact('ON'), await exact('OFF')]).toEqual([flavor === 'mysql', false]);
    expect(await count()).toBe(before);
  });

  it('is written to only as long as the guard lets it', async () => {
    let asked = 0;
    let until = 0;
    const refusal = () => ((asked += 1) > until ? 'the lease ends' : undefined);
    const keeper = agent(1, { refusal });
    await keeper.seen();
    expect(await keeper.write(create('one'))).toMatchObject({
      status: 'refused',
      why: 'the lease ends',
      cause: 'held-back',
    });
    expect(await names()).not.toContain('understudy');
    until = Infinity;
    await keeper.begin();
    // Twice for each statement: for the look at the fence and for itself.
    [asked, until] = [0, 3];
    expect(await keeper.write(create('one'), create('two'))).toMatchObject({ cause: 'held-back' });
    expect(await names()).toEqual(expect.arrayContaining(['one']));
    expect(await names()).not.toContain('two');
  });

  it('keeps who owns what, however often it is told', async () => {
    const keeper = agent(2);
    await keeper.begin();
    const twice = async (statement: Sql) => {
      expect(await keeper.write(statement, statement)).toMatchObject({ status: 'ok' });
      return (await keeper.seen()).owned;
    };
    const id = 'mysql-user/Blog';
    const other = 'mysql-user/blog';
    expect(await twice(claim(id, { digest: 'aa' }))).toEqual(new Map([[id, { digest: 'aa' }]]));
    expect((await twice(claim(other, { digest: 'bb' }))).size).toBe(2);
    expect((await twice(claim(id, { digest: 'cc' }))).get(id)).toEqual({ digest: 'cc' });
    const left = (await twice(leave(id))).get(id);
    const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
    expect(left).toEqual({
      digest: 'cc',
      leftAt: expect.stringMatching(iso),
      leftAtS: expect.any(Number),
    });
    expect(Math.abs(Date.parse(left?.leftAt ?? '') - Date.now())).toBeLessThan(600_000);
    expect((await twice(leave(id))).get(id)?.leftAt).toEqual(left?.leftAt);
    expect((await twice(claim(id, { digest: 'cc' }))).get(id)).toEqual({ digest: 'cc' });
    expect(await twice(release(id))).toEqual(new Map([[other, { digest: 'bb' }]]));
    const keys = await asRoot(
      "SELECT TABLE_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'understudy' AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME",
    );
    expect(keys.map(({ name }) => name)).toEqual(['fences', 'ledger']);
  });

  it('takes what comes at once one after the other', async () => {
    const keeper = agent(3);
    await keeper.begin();
    const [one, other, { status }] = await Promise.all([
      keeper.write(create('at_once')),
      keeper.write(create('as_well')),
      keeper.sight(),
    ]);
    expect([one.status, other.status, status]).toEqual(['ok', 'ok', 'seen']);
    expect(await names()).toEqual(expect.arrayContaining(['at_once', 'as_well']));
  });

  it('is written to on, on the same session, by who leads anew, and not within one call', async () => {
    let term = 4;
    const keeper = agent(() => term);
    await keeper.begin();
    term = 5;
    expect(await keeper.write(create('anew'))).toMatchObject({ status: 'ok' });
    const row = await asRoot('SELECT term, holder FROM understudy.fences');
    expect(row).toEqual([{ term: 5, holder: 'agent that began in term 4' }]);
    const during = keeper.write(create('within'), sql`SELECT SLEEP(1)`, create('beyond'));
    await expect.poll(names, { timeout: 60_000 }).toContain('within');
    term = 6;
    expect(await during).toMatchObject({ status: 'refused', cause: 'held-back' });
    expect(await names()).not.toContain('beyond');
  });

  it('ends the session of the one before, and holds that one back', async () => {
    const earlier = agent(11);
    const later = agent(12);
    await earlier.begin();
    await later.seen();
    const cut = earlier.write(nap, create('late'));
    await napping();

    // What the later one read may be old: the earlier one wrote until now.
    expect(await later.write(create('early'))).toMatchObject({ cause: 'out-of-sequence' });
    expect(await later.write(create('early'))).toMatchObject({ cause: 'out-of-sequence' });
    expect(await cut).toMatchObject({ status: 'unknown' });
    await later.seen();
    expect(await later.write(create('followed'))).toMatchObject({ status: 'ok' });

    expect(await earlier.write(create('late'))).toMatchObject({ cause: 'unreachable' });
    await earlier.seen();
    const held = { status: 'refused', cause: 'held-back', retry: 'after-replan' };
    expect(await earlier.write(create('late'))).toEqual({
      ...held,
      why: 'an agent of term 12 writes there, and ours is 11: where no agent of that Swarm is left, delete its row in `understudy`.`fences`',
    });
    expect(await later.write(create('on'))).toMatchObject({ status: 'ok' });
    const all = await names();
    expect(all).toEqual(expect.arrayContaining(['followed', 'on']));
    expect(all.filter((name) => ['late', 'early'].includes(name))).toEqual([]);
  });

  it('carries out nothing of a writer that wakes up between its look and its statement', async () => {
    const later = agent(22);
    await later.seen();
    const connection = await session(loginTo(server));
    const guard = { refusal: () => undefined };
    const line = { connection, clock: systemClock, guard, signal: signal() };
    const writer = { term: 21, holder: 'sleeper' };
    expect(await takeFence(line, writer)).toMatchObject({ status: 'ok' });
    expect(await sendFenced(line, writer, create('awake'))).toMatchObject({ status: 'ok' });

    const late = create('asleep');
    const sleepy: typeof connection = {
      ...connection,
      query: async (statement, deadlineMs, aborted) => {
        if (statement === late) await later.write();
        return await connection.query(statement, deadlineMs, aborted);
      },
    };
    const outcome = await sendFenced({ ...line, connection: sleepy }, writer, late);
    expect(outcome.status).not.toBe('ok');
    const all = await names();
    expect(all).toContain('awake');
    expect(all).not.toContain('asleep');
  });

  it('is not written to by two with one term', async () => {
    await agent(30).begin();
    const connection = await session(loginTo(server));
    const guard = { refusal: () => undefined };
    const line = { connection, clock: systemClock, guard, signal: signal() };
    expect(await takeFence(line, { term: 30, holder: 'twin' })).toMatchObject({
      cause: 'held-back',
      why: 'another agent writes there, with the term 30 that is ours',
    });
    connection.close();
  });

  it('lets go of the lock with the session, so that the next term needs to end nobody', async () => {
    const earlier = agent(31);
    await earlier.begin();
    opened.pop()?.close();
    const later = agent(32);
    await later.begin();
    expect(await later.write(create('freely'))).toMatchObject({ status: 'ok' });
  });

  it('shows with the next look what became of a statement without an answer', async () => {
    const keeper = agent(41);
    await keeper.begin();
    const lost = keeper.write(create('half'), nap, create('rest'));
    await asRoot(`KILL ${await napping()}`);
    expect(await lost).toMatchObject({ status: 'unknown', cause: 'unreachable' });
    expect(await keeper.write(create('rest'))).toMatchObject({ cause: 'unreachable' });
    const { databases } = await keeper.seen();
    expect([databases.has('half'), databases.has('rest')]).toEqual([true, false]);
    // The session that is gone wrote perhaps until then.
    expect(await keeper.write(create('rest'))).toMatchObject({ cause: 'out-of-sequence' });
    await keeper.seen();
    expect(await keeper.write(create('rest'))).toMatchObject({ status: 'ok' });
  });

  it('is away while it is stopped or only reads, and seen after that', async () => {
    const keeper = agent(51);
    await keeper.seen();
    const address = `127.0.0.1:${server.port}`;
    await asRoot('SET GLOBAL read_only = ON');
    const reads = await keeper.sight();
    await asRoot('SET GLOBAL read_only = OFF');
    expect(reads).toEqual({ status: 'away', why: `${address}: it only reads (\`read_only\`)` });
    await keeper.seen();
    await server.stop();
    expect(await keeper.sight()).toMatchObject({
      status: 'away',
      why: `${address}: the connection failed (ECONNREFUSED)`,
    });
    server = await started(programs, { ...plan, port: server.port });
    await keeper.begin();
  });

  it('is away with a wrong password, until the file holds the right one', async () => {
    const passwordFile = join(dirname(plan.folder), 'another');
    const keeper = agent(52, { settings: settings({ passwordFile }) });
    const missing = await keeper.sight();
    writeFileSync(passwordFile, `${PASSWORD}x\n`);
    const wrong = await keeper.sight();
    writeFileSync(passwordFile, readFileSync(plan.passwordFile));
    expect((await keeper.sight()).status).toBe('seen');
    expect(missing).toEqual({
      status: 'away',
      why: `the password cannot be read: ${passwordFile}: ENOENT`,
    });
    expect(wrong).toMatchObject({
      status: 'away',
      why: expect.stringContaining('the server does not let the account in'),
    });
  });

  it('says which GRANT is missing', async () => {
    await asRoot(`CREATE USER little IDENTIFIED BY '${PASSWORD}'`);
    const keeper = agent(60, { settings: settings({ user: 'little' }) });
    const lacks = async (): Promise<string> => {
      const sight = await keeper.sight();
      if (sight.status === 'seen') return 'nothing';
      return `${sight.status}: ${/GRANT .+ is missing/.exec(sight.why)?.[0] ?? sight.why}`;
    };
    const found: string[] = [];
    const steps = [
      ...(flavor === 'mysql' ? ['GRANT SELECT ON performance_schema.* TO little'] : []),
      'GRANT SELECT ON mysql.* TO little',
      'GRANT SELECT ON understudy.* TO little',
    ];
    for (const step of steps) {
      found.push(await lacks());
      await asRoot(step);
    }
    await keeper.seen();
    const write = await keeper.write(create('never'));
    expect(found).toEqual([
      ...(flavor === 'mysql'
        ? ['unusable: GRANT SELECT ON `performance_schema`.* is missing']
        : []),
      'unusable: GRANT SELECT ON `mysql`.* is missing',
      'unusable: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `understudy`.* is missing',
    ]);
    expect(write).toMatchObject({ status: 'refused', cause: 'held-back' });

    // With no more than that sessions of its own account are ended, and others are left.
    await asRoot('GRANT INSERT, UPDATE, DELETE, CREATE ON understudy.* TO little');
    await keeper.begin();
    const later = agent(61, { settings: settings({ user: 'little' }) });
    await later.begin();
    opened.pop()?.close();
    const blocked = await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
      await one.query("SELECT GET_LOCK('understudy', 30)");
      const last = agent(62, { settings: settings({ user: 'little' }) });
      await last.seen();
      return await last.write(create('never'));
    });
    expect(blocked).toMatchObject({
      cause: 'held-back',
      why: 'another account keeps the lock `understudy`, and ours may not end its session',
    });
    expect(await names()).not.toContain('never');
    await asRoot('DROP USER little');
  });

  it('is seen beside one that is dead and one that is not named', async () => {
    const servers = openServers(
      { db: settings(), dead: settings({ hosts: ['127.0.0.1:1'] }) },
      {
        clock: systemClock,
        guard: { refusal: () => undefined },
        term: () => 70,
        holder: 'one of three',
      },
    );
    opened.push(servers);
    const sights = await servers.observe(['db', 'dead', 'none'], signal());
    expect([...sights].map(([name, { status }]) => [name, status])).toEqual([
      ['db', 'seen'],
      ['dead', 'away'],
      ['none', 'unusable'],
    ]);
    const statements = [create('nowhere')];
    expect(await servers.call({ op: 'statements', statements }, signal())).toMatchObject({
      why: 'it is not said on which server',
    });
    const gone = { op: 'statements', server: 'none', statements } as const;
    expect(await servers.call(gone, signal())).toMatchObject({ retry: 'never' });
    await expect(servers.observe(['db'], AbortSignal.abort(new Error('over')))).rejects.toThrow(
      'over',
    );
    servers.close();
    expect((await servers.observe(['db'], signal())).get('db')).toEqual({
      status: 'away',
      why: 'the agent ends',
    });
  });
});
