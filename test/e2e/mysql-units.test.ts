import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import type { Id, Rendered } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { makePassword } from '../../agent/make-password.ts';
import { mysqlKind } from '../../agent/providers/mysql/kind.ts';
import { openingSecrets } from '../../agent/providers/mysql/opening.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlSpec, UserSpec } from '../../agent/providers/mysql/spec.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';
import { DatabaseUnits } from './database-units.ts';

type Written = Readonly<Record<string, unknown>>;
const OLD = 'CanaryHorse11';
const NEW = 'CanaryHorse22';

/** Units of documents on real servers: what is asked for is there after it, and a second look finds nothing to do. */
describe.each<Flavor>(['mysql', 'mariadb'])('units on a server of %s', (flavor) => {
  let here: DatabaseUnits;
  beforeAll(async () => {
    here = await DatabaseUnits.start(flavor);
  });
  afterAll(async () => here.close());

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

  const settle = async (one: Rendered<MysqlSpec>, keep?: 'keep') =>
    await here.settleUnit(one, keep);
  const login = async (password: string, name = 'blog'): Promise<string> =>
    await here.as(name, password, 'SELECT CURRENT_USER() AS me');

  const reads = { privileges: ['SELECT', 'SHOW VIEW'], database: 'site.nl' };
  const writes = { privileges: ['INSERT', 'UPDATE'], database: 'site.nl' };

  it('a database is made, changed, and left alone', async () => {
    await settle(database('1'));
    expect(await settle(database('1'))).toEqual([]);
    const bin = database('2', { collation: 'utf8mb4_bin' });
    await settle(bin);
    expect(await settle(bin)).toEqual([]);
    const [row] = await here.asRoot(
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
    await here.asRoot("GRANT DELETE ON `site.nl`.* TO blog@'%'");
    await here.asRoot("REVOKE INSERT ON `site.nl`.* FROM blog@'%'");
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
    const alone = user('3', NEW, { privileges: [writes], hosts: ['%'] });
    const kept = await settle(alone, 'keep');
    expect(kept).toEqual([]);
    await settle(alone);
    const hosts = await here.asRoot("SELECT Host AS host FROM mysql.user WHERE User = 'blog'");
    expect(hosts).toEqual([{ host: '%' }]);
  });

  describe('a password that is made', () => {
    const made = (digest: string, rotate?: string, hosts: readonly string[] = ['%']) => {
      const password = { generate: true, secret: 'gen_db' };
      const written = { kind: 'MySQLUser', name: 'gen', password, privileges: [writes], hosts };
      const { password: source, ...spec } = without(
        MySQLUser.parse({ ...written, ...(rotate !== undefined && { rotate }) }),
      );
      if (source.from !== 'generated') throw new Error('not generated');
      return unit('mysql-user/gen', { ...spec, password: source }, digest);
    };
    const current = async () => {
      const { accounts } = await here.seen();
      const { current: names } = openingSecrets(
        new Map([['main', accounts.values()]]),
        here.secrets.values(),
      );
      return names.get('gen_db') ?? 'none';
    };
    const valueOf = (name: string) => here.secrets.get(name)?.value ?? 'none';

    it('comes to a secret with the plain name, and logs in', async () => {
      const said = await settle(made('1'));
      expect(await current()).toBe('gen_db');
      expect(await login(valueOf('gen_db'), 'gen')).toContain('gen@%');
      expect(said.join()).not.toContain(valueOf('gen_db'));
      expect(await settle(made('1'))).toEqual([]);
    });

    it('is rotated with both valid, until what uses the old one is settled', async () => {
      await settle(made('2', '2026'), 'keep');
      const name = await current();
      expect(name).toMatch(/^gen_db-[0-9a-f]{8}$/);
      const both = [await login(valueOf('gen_db'), 'gen'), await login(valueOf(name), 'gen')];
      expect(both).toEqual([expect.stringContaining('gen@%'), expect.stringContaining('gen@%')]);
      await settle(made('2', '2026'));
      expect(await login(valueOf('gen_db'), 'gen')).toContain('Access denied');
      expect(await login(valueOf(name), 'gen')).toContain('gen@%');
      expect(await settle(made('2', '2026'))).toEqual([]);
    });

    it('is made once more where its maker died before the server had it, and the old one goes on', async () => {
      const before = valueOf(await current());
      const one = made('3', '2027');
      const { operations } = await here.diffUnit(one);
      const [{ call } = { call: undefined }] = operations;
      if (call?.op !== 'password') throw new Error('nothing is made');
      const { servers } = here.ports;
      const dies: Servers['call'] = async (asked, until) => {
        if (asked.statements.length > 0) throw new Error('died');
        return servers.call(asked, until);
      };
      await expect(
        makePassword(
          call,
          { ...here.ports, servers: { call: dies }, unfinished: new Map() },
          AbortSignal.timeout(60_000),
        ),
      ).rejects.toThrow('died');
      expect(await login(before, 'gen')).toContain('gen@%');
      const count = here.secrets.size;
      await settle(one, 'keep');
      expect(here.secrets.size).toBe(count + 1);
      const both = [await login(before, 'gen'), await login(valueOf(await current()), 'gen')];
      expect(both).toEqual([expect.stringContaining('gen@%'), expect.stringContaining('gen@%')]);
      await settle(one);
    });

    it('comes to a new host without being made anew', async () => {
      const name = await current();
      const count = here.secrets.size;
      await settle(made('4', '2027', ['%', '127.0.0.1']));
      expect([here.secrets.size, await current()]).toEqual([count, name]);
      expect(await login(valueOf(name), 'gen')).toContain('gen@127.0.0.1');
    });

    it('is made anew where its secret is lost, and the old one goes on until then', async () => {
      const lost = await current();
      const value = valueOf(lost);
      here.secrets.clear();
      const one = made('4', '2027', ['%', '127.0.0.1']);
      await settle(one, 'keep');
      const both = [await login(value, 'gen'), await login(valueOf(await current()), 'gen')];
      expect(both.join()).not.toContain('denied');
      await settle(one);
      expect(await login(value, 'gen')).toContain('Access denied');
    });
  });

  it('what is there and not ours is held until its document takes it over', async () => {
    await here.asRoot("CREATE USER shop@'%' IDENTIFIED BY 'x'");
    await here.asRoot('CREATE DATABASE shop');
    const held = async (one: Rendered<MysqlSpec>) => (await here.diffUnit(one)).blocked.length;
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

  it('what the settings keep from the agent is held', async () => {
    const narrow = openServers(
      { main: { ...here.settings, databases: ['shop'] } },
      { clock: systemClock, guard: { refusal: () => undefined }, term: () => 1, holder: 'one' },
    );
    const servers = await narrow.observe(['main'], AbortSignal.timeout(60_000));
    narrow.close();
    const seen = { servers, secrets: here.secrets };
    const kind = mysqlKind((bytes) => randomBytes(bytes));
    const { operations, blocked } = kind.diff(database('1'), seen);
    expect([operations.length, blocked.map(({ why }) => why)]).toEqual([
      0,
      [expect.stringContaining('the database `site.nl` is not what')],
    ]);
    expect(kind.diff(database('1', { name: 'shop' }), seen).blocked).toEqual([]);
  });

  it('an administrator that our account became is not touched', async () => {
    await here.asRoot("GRANT CREATE USER ON *.* TO blog@'%'");
    const { operations, blocked } = await here.diffUnit(user('9', OLD));
    expect([operations.length, blocked.length]).toEqual([0, 1]);
  });
});
