import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import type { Id, Operation, Rendered } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { mysqlKind } from '../../agent/providers/mysql/kind.ts';
import type { MysqlCall } from '../../agent/providers/mysql/observed.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlSpec, UserSpec } from '../../agent/providers/mysql/spec.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';
import { newPlan, plainly, programsOf, started, USER } from './database.ts';

type Written = Readonly<Record<string, unknown>>;
const OLD = 'CanaryHorse11';
const NEW = 'CanaryHorse22';

/** Units of documents on real servers: what is asked for is there after it, and a second look finds nothing to do. */
describe.each<Flavor>(['mysql', 'mariadb'])('units on a server of %s', (flavor) => {
  let plan: ServerPlan;
  let server: Server;
  let servers: Servers;
  const kind = mysqlKind((bytes) => randomBytes(bytes));
  const signal = (): AbortSignal => AbortSignal.timeout(60_000);

  beforeAll(async () => {
    plan = newPlan();
    server = await started(await programsOf(flavor), plan);
    const ca = { mode: 'required', caFile: join(plan.folder, 'data', 'ca.pem'), verifyName: false };
    servers = openServers(
      {
        main: {
          hosts: [`127.0.0.1:${server.port}`],
          user: USER,
          passwordFile: plan.passwordFile,
          tls: flavor === 'mysql' ? { ...ca, mode: 'required' } : { mode: 'off', verifyName: true },
          databases: [],
        },
      },
      { clock: systemClock, guard: { refusal: () => undefined }, term: () => 1, holder: 'one' },
    );
  });
  afterAll(async () => {
    servers.close();
    await server.stop();
    rmSync(dirname(plan.folder), { recursive: true });
  });

  const asRoot = async (text: string): Promise<readonly Record<string, unknown>[]> =>
    await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
      const [rows] = await one.query<never[]>(text);
      return rows;
    });
  const look = async () => ({ servers: await servers.observe(['main'], signal()) });

  const unit = (id: Id, spec: MysqlSpec, digest: string): Rendered<MysqlSpec> => ({
    id,
    spec,
    digest,
    place: { file: 'mysql/blog.yaml', line: 1, column: 1, length: 1, quoted: '' },
    dependsOn: [],
    needs: [],
    gives: [],
  });
  const without = <Document extends { readonly server: string }>({
    server: _server,
    ...rest
  }: Document): Omit<Document, 'server'> => rest;
  const database = (digest: string, more: Written = {}) => {
    const read = MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'site.nl', ...more });
    return unit('mysql-database/site.nl', without(read), digest);
  };
  const role = (digest: string, privileges: readonly Written[]) => {
    const read = MySQLRole.parse({ kind: 'MySQLRole', name: 'readers', privileges });
    return unit('mysql-role/readers', without(read), digest);
  };
  const user = (digest: string, password: string, more: Written = {}) => {
    const written = { kind: 'MySQLUser', name: 'blog', password: { hash: '-' }, ...more };
    const spec: UserSpec = {
      ...without(MySQLUser.parse(written)),
      password: { from: 'file', password: new Secret(password) },
    };
    return unit('mysql-user/blog', spec, digest);
  };

  async function carryOut(operations: readonly Operation<MysqlCall>[]): Promise<void> {
    for (const { call } of operations) {
      const outcome = await servers.call(call, signal());
      // The first call of a session that took the fence asks for another look.
      const again = outcome.status === 'refused' && outcome.cause === 'out-of-sequence';
      if (!again) expect(outcome).toMatchObject({ status: 'ok' });
    }
  }

  /** Rounds of looking and calling until nothing is left; what goes away only goes where it is asked for. */
  async function settle(one: Rendered<MysqlSpec>, takeAway = true): Promise<readonly string[]> {
    const said: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { operations, blocked, later = [] } = kind.diff(one, await look());
      expect(blocked).toEqual([]);
      const due = operations.length > 0 ? operations : takeAway ? later : [];
      if (due.length === 0) return said;
      said.push(...due.flatMap(({ fields }) => fields.map(({ desired = '' }) => desired)));
      await carryOut(due);
    }
    throw new Error(`it does not come to rest: ${said.join('; ')}`);
  }

  const login = async (password: string): Promise<string> =>
    await plainly({ host: '127.0.0.1', port: server.port, user: 'blog', password }, async (one) => {
      const [rows] = await one.query<never[]>('SELECT CURRENT_USER() AS me');
      return JSON.stringify(rows);
    }).catch((error: unknown) => String(error));

  const reads = { privileges: ['SELECT', 'SHOW VIEW'], database: 'site.nl' };
  const writes = { privileges: ['INSERT', 'UPDATE'], database: 'site.nl' };

  it('a database is made, changed, and left alone', async () => {
    await settle(database('1'));
    expect(await settle(database('1'))).toEqual([]);
    const bin = database('2', { collation: 'utf8mb4_bin' });
    await settle(bin);
    expect(await settle(bin)).toEqual([]);
    const [row] = await asRoot(
      "SELECT DEFAULT_COLLATION_NAME AS c FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'site.nl'",
    );
    expect(row).toEqual({ c: 'utf8mb4_bin' });
  });

  it('a role and an account with it are made, and log in', async () => {
    await settle(role('1', [reads]));
    const one = user('1', OLD, {
      privileges: [writes],
      roles: ['readers'],
      defaultRoles: ['readers'],
    });
    const said = await settle(one);
    expect(said.join()).not.toContain('Canary');
    expect(await login(OLD)).toContain('blog@%');
    expect(await settle(one)).toEqual([]);
    expect(await settle(role('1', [reads]))).toEqual([]);
  });

  it('what is given by hand goes again, and what is taken by hand comes back', async () => {
    const one = user('1', OLD, {
      privileges: [writes],
      roles: ['readers'],
      defaultRoles: ['readers'],
    });
    await asRoot("GRANT DELETE ON `site.nl`.* TO blog@'%'");
    await asRoot("REVOKE INSERT ON `site.nl`.* FROM blog@'%'");
    const said = await settle(one);
    expect(said.filter((text) => text.startsWith('GRANT')).join()).toContain('INSERT');
    expect(said.filter((text) => text.startsWith('REVOKE')).join()).toContain('DELETE');
    expect(await settle(one)).toEqual([]);
  });

  it('another password opens it and the old one does not, at all of its hosts', async () => {
    const one = user('2', NEW, { privileges: [writes], hosts: ['%', '10.1.0.0/255.255.0.0'] });
    await settle(one);
    expect([await login(NEW), await login(OLD)]).toEqual([
      expect.stringContaining('blog@%'),
      expect.stringContaining('Access denied'),
    ]);
    expect(await settle(one)).toEqual([]);
    const here = user('3', NEW, { privileges: [writes], hosts: ['%'] });
    const kept = await settle(here, false);
    expect(kept).toEqual([]);
    await settle(here);
    const hosts = await asRoot("SELECT Host AS host FROM mysql.user WHERE User = 'blog'");
    expect(hosts).toEqual([{ host: '%' }]);
  });

  it('what is there and not ours is held until its document takes it over', async () => {
    await asRoot("CREATE USER shop@'%' IDENTIFIED BY 'x'");
    await asRoot('CREATE DATABASE shop');
    const held = async (one: Rendered<MysqlSpec>) => kind.diff(one, await look()).blocked.length;
    const named = (adopt: boolean) => ({
      ...user('1', NEW, { name: 'shop', adopt }),
      id: 'mysql-user/shop' as const,
    });
    const shop = (adopt: boolean) => ({
      ...database('1', { name: 'shop', adopt }),
      id: 'mysql-database/shop' as const,
    });
    expect([await held(named(false)), await held(shop(false))]).toEqual([1, 1]);
    await settle(named(true));
    await settle(shop(true));
    // Ours from now on, whatever its document says.
    expect([await settle(named(false)), await settle(shop(false))]).toEqual([[], []]);
  });

  it('an administrator that our account became is not touched', async () => {
    await asRoot("GRANT CREATE USER ON *.* TO blog@'%'");
    const { operations, blocked } = kind.diff(user('9', OLD), await look());
    expect([operations.length, blocked.length]).toEqual([0, 1]);
  });
});
