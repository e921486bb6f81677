import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { collect } from '../../agent/core/collect.ts';
import { digestOf } from '../../agent/core/digest.ts';
import type { Id, Operation, Rendered } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { step, type Step, type StepInput } from '../../agent/core/step.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import type { Watch } from '../../agent/core/watch.ts';
import { mysqlKind } from '../../agent/providers/mysql/kind.ts';
import { claim, leave, release } from '../../agent/providers/mysql/ledger.ts';
import type { MysqlCall, ServerSight } from '../../agent/providers/mysql/observed.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlSpec } from '../../agent/providers/mysql/spec.ts';
import type { MysqlObserved } from '../../agent/providers/mysql/unit-diff.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';
import { isEnded, PASSWORD as OWN_PASSWORD, plainly, USER } from './database.ts';
import { DatabaseUnits } from './database-units.ts';

type Written = Readonly<Record<string, unknown>>;
type Unit = Rendered<MysqlSpec>;
const PASSWORD = 'CanaryHorse33';

/** Units whose documents leave, on real servers and through the core's own states. */
describe.each<Flavor>(['mysql', 'mariadb'])('what leaves the repository, on %s', (flavor) => {
  let here: DatabaseUnits;
  let opened: Servers[] = [];
  const kind = mysqlKind((bytes) => randomBytes(bytes));
  const signal = (): AbortSignal => AbortSignal.timeout(60_000);

  beforeAll(async () => {
    here = await DatabaseUnits.start(flavor);
  });
  afterAll(async () => {
    for (const one of opened) one.close();
    await here.close();
  });
  /** Each test begins with nothing of ours and another agent. */
  beforeEach(async () => {
    await asRoot('DROP DATABASE IF EXISTS understudy');
    for (const name of ['blog', 'shop']) await asRoot(`DROP DATABASE IF EXISTS ${name}`);
    for (const one of ["blog@'%'", "blog@'127.0.0.1'", "shop@'%'"])
      await asRoot(`DROP USER IF EXISTS ${one}`);
    await asRoot('DROP ROLE IF EXISTS readers');
    agent = openAgent();
  });

  const asRoot = async (text: string) => await here.asRoot(text);

  /** On MariaDB a role may be given by whoever made it. */
  const asMaker = async (text: string): Promise<void> => {
    expect(await here.as(USER, OWN_PASSWORD, text)).not.toContain('Error');
  };

  function openAgent(owner?: string): Servers {
    const term = opened.length + 1;
    const one = openServers(
      { main: here.settings },
      {
        clock: systemClock,
        guard: { refusal: () => undefined },
        term: () => term,
        holder: `agent ${term}`,
        ...(owner !== undefined && { owner }),
      },
    );
    for (const before of owner === undefined ? opened : []) before.close();
    opened.push(one);
    return one;
  }
  let agent: Servers;

  const unit = (id: Id, spec: MysqlSpec): Unit => ({
    id,
    spec,
    digest: digestOf(spec),
    place: { file: 'mysql/blog.yaml', line: 1, column: 1, length: 1, quoted: '' },
    dependsOn: [],
    needs: [],
    gives: [],
  });
  const without = <Document extends { readonly server: string }>({
    server: _server,
    ...rest
  }: Document): Omit<Document, 'server'> => rest;
  const database = (more: Written = {}) =>
    unit(
      'mysql-database/blog',
      without(MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'blog', ...more })),
    );
  const role = (more: Written = {}) => {
    const written = { kind: 'MySQLRole', name: 'readers', deletionPolicy: 'Delete', ...more };
    return unit('mysql-role/readers', without(MySQLRole.parse(written)));
  };
  const user = (more: Written = {}) => {
    const written = { kind: 'MySQLUser', name: 'blog', password: { hash: '-' }, ...more };
    const spec = without(MySQLUser.parse({ deletionPolicy: 'Delete', ...written }));
    return unit('mysql-user/blog', {
      ...spec,
      password: { from: 'file', password: new Secret(PASSWORD) },
    });
  };
  /** One that stays, so that the repository is never empty. */
  const shop = unit(
    'mysql-database/shop',
    without(MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'shop' })),
  );

  let nowMs = 0;
  let units: ReadonlyMap<Id, UnitRecord>;
  let watches: ReadonlyMap<Id, Watch>;
  const see = async (by = agent): Promise<MysqlObserved> => ({
    servers: await by.observe(['main'], signal()),
    secrets: new Map(),
  });
  const input = (
    desired: readonly Unit[],
    observed: MysqlObserved,
  ): StepInput<MysqlSpec, MysqlObserved, MysqlCall> => ({
    kind,
    desired,
    revision: 'r1',
    observed,
    units,
    watches,
    refusals: new Map(),
    answers: new Map(),
    requests: [],
    removals: { policy: { max: 5, share: 100 }, rewound: false },
    nowMs,
    date: '2026-11-20T10:00:00.000Z',
    intervalMs: 60_000,
    verifyMs: 1_000,
  });

  async function carryOut(operations: readonly Operation<MysqlCall>[], by = agent): Promise<void> {
    for (const { call } of operations) {
      if (call.op !== 'statements') throw new Error(call.op);
      const outcome = await by.call(call, signal());
      // The first call of a session that took the fence asks for another look.
      const again = outcome.status === 'refused' && outcome.cause === 'out-of-sequence';
      expect(again ? 'ok' : outcome.status).toBe('ok');
    }
  }

  /** Passes, until nothing is to be called or recorded. Gives all that was told. */
  async function settle(desired: readonly Unit[]): Promise<Step<MysqlCall>['events']> {
    const events: Step<MysqlCall>['events'][number][] = [];
    for (let pass = 0; pass < 12; pass += 1) {
      nowMs += 1_000;
      const next = step(input(desired, await see()));
      events.push(...next.events);
      const isOver = next.work.length === 0 && next.units.size === units.size;
      const before = units;
      ({ units, watches } = next);
      await carryOut(next.work.flatMap(({ operations }) => operations));
      if (isOver && [...next.units].every(([id, one]) => before.get(id) === one)) return events;
    }
    throw new Error(`it does not come to rest: ${JSON.stringify([...units])}`);
  }

  /** What goes by itself, when it was seen for ten minutes. */
  async function expire(desired: readonly Unit[]): Promise<readonly string[]> {
    const targets: string[] = [];
    for (let pass = 0; pass < 3; pass += 1) {
      const asked = input(desired, await see());
      const next = step(asked);
      const { since } = collect(next, asked, new Map());
      const { due } = collect(next, { ...asked, nowMs: nowMs + 600_000 }, since);
      targets.push(...due.map(({ operation }) => operation.target));
      await carryOut(due.map(({ operation }) => operation));
    }
    return [...new Set(targets)];
  }

  const login = async (): Promise<string> =>
    (await here.as('blog', PASSWORD, "SELECT 'in' AS it")).replace('[{"it":"in"}]', 'in');
  const ledger = async () =>
    (await asRoot('SELECT id, left_at IS NULL AS stays FROM understudy.ledger ORDER BY id')).map(
      ({ id, stays }) => `${String(id)}${stays === 1 ? '' : ' left'}`,
    );
  const later = async (days: number) =>
    await asRoot(
      `UPDATE understudy.ledger SET left_at = left_at - INTERVAL ${days} DAY WHERE left_at IS NOT NULL`,
    );
  const accounts = async () =>
    (await asRoot("SELECT User AS u FROM mysql.user WHERE User IN ('blog', 'readers')")).map(
      ({ u }) => u,
    );

  beforeEach(() => {
    units = new Map();
    watches = new Map();
    nowMs = 0;
  });

  it('locks an account at once, and drops it when its retention is over', async () => {
    await settle([shop, user()]);
    expect(await login()).toBe('in');
    const who = { host: '127.0.0.1', port: here.server.port, user: 'blog', password: PASSWORD };
    const events = await plainly(who, async (session) => {
      session.on('error', () => undefined);
      const told = await settle([shop]);
      expect(await isEnded(session)).toBe(true);
      return told;
    });
    expect(events).toContainEqual({
      event: 'unit removed',
      id: 'mysql-user/blog',
      ms: expect.any(Number),
      stays: ['account blog@% is locked, and dropped 30d after it left'],
    });
    expect(await login()).toMatch(/locked|3118|4151/);
    expect([...units.keys()]).toEqual(['mysql-database/shop']);
    expect(await ledger()).toEqual(['mysql-database/shop', 'mysql-user/blog left']);
    expect(await expire([shop])).toEqual([]);
    await later(29);
    expect(await expire([shop])).toEqual([]);
    await later(1);
    expect(await expire([shop])).toEqual(['account blog@%']);
    expect([await accounts(), await ledger()]).toEqual([[], ['mysql-database/shop']]);
    expect(await expire([shop])).toEqual([]);
  });

  it('opens it again where its document comes back, with the password that it had', async () => {
    await settle([shop, user()]);
    await settle([shop]);
    await later(31);
    await settle([shop, user()]);
    expect(await login()).toBe('in');
    expect(await ledger()).toEqual(['mysql-database/shop', 'mysql-user/blog']);
    expect(await expire([shop, user()])).toEqual([]);
  });

  it('leaves what is not to be deleted, and takes it up again without `adopt`', async () => {
    await settle([shop, database(), user({ deletionPolicy: 'Orphan' })]);
    await asRoot('CREATE TABLE blog.t (x TEXT)');
    await asRoot("INSERT INTO blog.t VALUES ('x')");
    const events = await settle([shop]);
    const stays = events.flatMap((one) => (one.event === 'unit removed' ? (one.stays ?? []) : []));
    expect(stays.toSorted()).toEqual([
      'account blog@% stays',
      expect.stringMatching(/^database blog stays \(\d+(?:\.\d)? kB\)$/),
    ]);
    expect(await login()).toBe('in');
    await later(31);
    expect(await expire([shop])).toEqual([]);
    await settle([shop, database(), user()]);
    expect(await ledger()).not.toContain('mysql-user/blog left');
  });

  it('does as the document said last, whatever it said when the account was made', async () => {
    await settle([shop, user({ deletionPolicy: 'Orphan' })]);
    await settle([shop, user({ retention: '7d' })]);
    await settle([shop]);
    expect(await login()).toMatch(/locked|3118|4151/);
    await later(7);
    expect(await expire([shop])).toEqual(['account blog@%']);
  });

  it('drops a role when nobody has it', async () => {
    await settle([shop, role(), user({ roles: ['readers'] })]);
    await settle([shop, user()]);
    // What the account had of it went with its own document; now somebody gives it by hand.
    await asMaker("GRANT readers TO blog@'%'");
    expect(await expire([shop, user()])).toEqual([]);
    await asMaker("REVOKE readers FROM blog@'%'");
    expect(await expire([shop, user()])).toEqual(['role readers']);
    expect([await accounts(), await ledger()]).toEqual([
      ['blog'],
      ['mysql-database/shop', 'mysql-user/blog'],
    ]);
  });

  // MariaDB gives no account as a role.
  it.runIf(flavor === 'mysql')('locks what others have as a role, and drops it later', async () => {
    await settle([shop, user()]);
    await asRoot("CREATE USER shop@'%' IDENTIFIED BY 'x'");
    await asRoot("GRANT blog@'%' TO shop@'%'");
    const events = await settle([shop]);
    expect(events).toContainEqual(
      expect.objectContaining({
        event: 'unit removed',
        stays: [expect.stringContaining('when nobody has it as a role any more')],
      }),
    );
    expect(await login()).toMatch(/locked|3118/);
    await later(31);
    expect(await expire([shop])).toEqual([]);
    await asRoot("REVOKE blog@'%' FROM shop@'%'");
    expect(await expire([shop])).toEqual(['account blog@%']);
  });

  it('does not drop what somebody unlocked, or made anew, by hand', async () => {
    await settle([shop, user()]);
    await settle([shop]);
    await later(31);
    await asRoot("ALTER USER blog@'%' ACCOUNT UNLOCK");
    expect(await expire([shop])).toEqual([]);
    await asRoot("DROP USER blog@'%'");
    await asRoot("CREATE USER blog@'%' IDENTIFIED BY 'another' ACCOUNT LOCK");
    expect(await expire([shop])).toEqual(["the ledger's line of mysql-user/blog"]);
    expect(await accounts()).toEqual(['blog']);
  });

  it('is nothing new in a later look, however long ago it left', async () => {
    await settle([shop, user()]);
    await settle([shop]);
    const seen = async () => {
      const sight = (await see()).servers.get('main');
      if (sight?.status !== 'seen') throw new Error('not seen');
      return sight;
    };
    const before = await seen();
    await asRoot('SELECT SLEEP(1.1)');
    const after = await seen();
    expect(after.seen).toBe(before.seen);
    expect(after.nowS).toBeGreaterThan(before.nowS ?? Infinity);
  });

  describe('where the agent dies', () => {
    it('between the lock and the note of it, the next one goes on', async () => {
      await settle([shop, user()]);
      const next = step(input([shop], await see()));
      ({ units } = next);
      const [first] = next.work.flatMap(({ operations }) => operations);
      if (first?.call.op !== 'statements') throw new Error('nothing is locked');
      const [lock] = first.call.statements;
      expect(first.call.statements.map(String)).toEqual([
        expect.stringContaining('ACCOUNT LOCK'),
        expect.stringContaining('ends the sessions of'),
        expect.stringContaining('left_at'),
      ]);
      await carryOut([{ ...first, call: { ...first.call, statements: lock ? [lock] : [] } }]);
      agent = openAgent();
      expect(await ledger()).toContain('mysql-user/blog');
      await settle([shop]);
      expect(await ledger()).toContain('mysql-user/blog left');
      expect([...units.keys()]).toEqual(['mysql-database/shop']);
    });

    it('and the document is back before the next one looks, the account is opened again', async () => {
      await settle([shop, user()]);
      const next = step(input([shop], await see()));
      ({ units } = next);
      const [first] = next.work.flatMap(({ operations }) => operations);
      if (first?.call.op !== 'statements') throw new Error('nothing is locked');
      const { call } = first;
      await carryOut([{ ...first, call: { ...call, statements: call.statements.slice(0, 1) } }]);
      expect(await login()).toMatch(/locked|3118|4151/);
      agent = openAgent();
      await settle([shop, user()]);
      expect(await login()).toBe('in');
      expect(await ledger()).toContain('mysql-user/blog');
    });

    it('between the drop and the line, the next one takes the line away', async () => {
      await settle([shop, user()]);
      await settle([shop]);
      await later(31);
      await asRoot("DROP USER blog@'%'");
      agent = openAgent();
      expect(await expire([shop])).toEqual(["the ledger's line of mysql-user/blog"]);
      expect(await ledger()).toEqual(['mysql-database/shop']);
    });
  });

  it('brings a ledger of the first version up to date with the first write, and not with a look', async () => {
    await asRoot('CREATE DATABASE understudy');
    await asRoot(
      'CREATE TABLE understudy.ledger (id VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, digest VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, left_at DATETIME(3) NULL) ENGINE = InnoDB',
    );
    await asRoot("INSERT INTO understudy.ledger VALUES ('mysql-user/old', 'aa', NULL)");
    const columns = async () =>
      (
        await asRoot(
          "SELECT COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'understudy' AND TABLE_NAME = 'ledger'",
        )
      ).length;
    const { servers } = await see();
    const sight: ServerSight | undefined = servers.get('main');
    expect(sight?.status === 'seen' && [...sight.seen.owned.keys()]).toEqual(['mysql-user/old']);
    expect(await columns()).toBe(3);
    await settle([shop, user()]);
    expect(await columns()).toBe(6);
    expect(await ledger()).toEqual(['mysql-database/shop', 'mysql-user/blog', 'mysql-user/old']);
  });

  it('keeps no digest by which a declared password could be tried', async () => {
    await settle([shop, user()]);
    const [row] = await asRoot("SELECT digest FROM understudy.ledger WHERE id = 'mysql-user/blog'");
    expect(row?.['digest']).toMatch(/^[0-9a-f]{64}$/);
    expect(row?.['digest']).not.toBe(user().digest);
  });

  describe('two who share the server', () => {
    /** Rounds of one of them alone; gives what it is held by. */
    async function bring(one: Unit, by: Servers): Promise<readonly string[]> {
      for (let round = 0; round < 5; round += 1) {
        const { operations, blocked } = kind.diff(one, await see(by));
        if (blocked.length > 0) return blocked.map(({ why }) => why);
        if (operations.length === 0) return [];
        await carryOut(operations, by);
      }
      throw new Error('it does not come to rest');
    }

    it('write both, whatever their terms are, and leave alone what is the other one’s', async () => {
      const production = openAgent('production@swarm1');
      const staging = openAgent('staging@swarm2');
      expect(await bring(user(), production)).toEqual([]);
      expect(await bring(shop, staging)).toEqual([]);
      // Neither has to take its fence from the other one.
      expect(await bring(database(), production)).toEqual([]);
      const [held, ...more] = await bring(user({ adopt: true, locked: true }), staging);
      expect([held, more]).toEqual([expect.stringContaining('`production@swarm1`'), []]);
      expect(await login()).toBe('in');
      // What left the one is nothing to the other.
      units = new Map();
      const members = kind.members('mysql-user/blog', await see(staging));
      expect(members).toEqual([]);
      await asRoot(
        "UPDATE understudy.ledger SET left_at = '2020-01-01' WHERE id = 'mysql-user/blog'",
      );
      await asRoot("ALTER USER blog@'%' ACCOUNT LOCK");
      expect(kind.leftovers?.(await see(staging))).toEqual([]);
      expect(kind.leftovers?.(await see(production))).toHaveLength(1);
    });

    it.each<Id>(['mysql-user/blog', 'mysql-user/main/blog'])(
      'give nothing to what the other one made since they looked, as %s',
      async (id) => {
        const [production, staging] = [openAgent('production'), openAgent('staging')];
        // Each has its fence, and nothing makes it look again.
        expect(await bring(shop, staging)).toEqual([]);
        const all = [{ privileges: ['ALL'], database: 'shop' }];
        const second = { ...user({ privileges: all }), id };
        const { operations } = kind.diff(second, await see(staging));
        expect(await bring(user(), production)).toEqual([]);
        const before = await asRoot("SELECT * FROM mysql.user WHERE User = 'blog'");
        for (const { call } of operations) {
          if (call.op !== 'statements') throw new Error(call.op);
          expect(await staging.call(call, signal())).toMatchObject({
            status: 'refused',
            cause: 'out-of-sequence',
            why: expect.stringContaining('`production`'),
          });
        }
        expect(operations).toHaveLength(1);
        expect(await asRoot("SELECT * FROM mysql.user WHERE User = 'blog'")).toEqual(before);
        expect(await asRoot("SELECT 1 FROM mysql.db WHERE User = 'blog'")).toEqual([]);
        expect(await ledger()).toEqual(['mysql-database/shop', 'mysql-user/blog']);
        expect(await bring(second, staging)).toEqual([expect.stringContaining('`production`')]);
        expect(await bring(user(), production)).toEqual([]);
      },
    );

    it('keep the line of what they made before the other one noted it, too', async () => {
      const production = openAgent('production');
      expect(await bring(shop, production)).toEqual([]);
      const [operation] = kind.diff(user(), await see(production)).operations;
      if (operation?.call.op !== 'statements') throw new Error('nothing to do');
      expect(await production.call(operation.call, signal())).toMatchObject({ status: 'ok' });
      await asRoot(
        "INSERT INTO understudy.ledger (id, digest, owner) VALUES ('mysql-user/main/blog', 'x', 'staging')",
      );
      // The same once more, as of an account from a second host, decided by the look before.
      expect(await production.call(operation.call, signal())).toMatchObject({
        status: 'refused',
        why: expect.stringContaining('`staging`'),
      });
      expect(await ledger()).toContain('mysql-user/blog');
    });

    it('do not write over what the other one noted since they looked', async () => {
      const [id, owner] = ['mysql-user/blog', 'staging@swarm2'] as const;
      expect(await bring(user(), openAgent('production@swarm1'))).toEqual([]);
      const before = await asRoot('SELECT * FROM understudy.ledger');
      const late = [claim(id, { digest: 'zz', owner }), leave(id, owner), release(id, owner)];
      for (const statement of late) await asRoot(String(statement));
      expect(await asRoot('SELECT * FROM understudy.ledger')).toEqual(before);
    });

    it('shut out an earlier one of their own alone', async () => {
      const earlier = openAgent('staging@swarm2');
      expect(await bring(shop, earlier)).toEqual([]);
      const later = openAgent('staging@swarm2');
      expect(await bring(database(), later)).toEqual([]);
      await see(earlier);
      const late = await earlier.call({ op: 'statements', statements: [] }, signal());
      expect(late).toMatchObject({ status: 'refused', cause: 'held-back' });
    });
  });
});
