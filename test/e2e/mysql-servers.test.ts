import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../agent/clock.ts';
import type { CallOutcome } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { openConnection } from '../../agent/providers/mysql/connect.ts';
import { findWriter } from '../../agent/providers/mysql/find-writer.ts';
import type { Flavor, Programs } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { identify, waitGone } from '../../agent/rehearsal/processes.ts';
import { freePort } from './ssh-server.ts';
import {
  ask,
  relay,
  everythingOf,
  loginTo,
  newPlan,
  PASSWORD,
  plainly,
  programsOf,
  session,
  started,
  statement,
  USER,
  valueOf,
} from './database.ts';

/** Where the two differ. */
const says = {
  mysql: {
    version: /^9\.7\./,
    mode: '',
    tls: [
      'TLSv1.3',
      'refused: nobody trusted signed the certificate of the server, or it has expired (HANDSHAKE_SSL_ERROR)',
      'refused: the certificate of the server bears another name (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    little: /^refused: \S+: it does not say how it does: the account lacks a privilege for it/,
    beside: /^ok$/,
  },
  mariadb: {
    version: /^10\.11\./,
    mode: 'NO_AUTO_CREATE_USER',
    tls: Array<string>(3).fill('refused: the server speaks no TLS (HANDSHAKE_NO_SSL_SUPPORT)'),
    little: /^ok$/,
    beside: /^refused: the hosts do not belong together: 127.0.0.1:\d+; localhost:\d+$/,
  },
};

const said = (outcome: CallOutcome<unknown>): string =>
  outcome.status === 'ok' ? 'ok' : `${outcome.status}: ${outcome.why}`;

// One server runs at a time: MySQL takes 250 MB.
describe.each<[Flavor, (typeof says)[Flavor]]>([
  ['mysql', says.mysql],
  ['mariadb', says.mariadb],
])('a server of %s', (flavor, expected) => {
  let programs: Programs;
  let plan: ServerPlan;
  let server: Server;

  beforeAll(async () => {
    programs = await programsOf(flavor);
    plan = newPlan();
    server = await started(programs, plan);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dirname(plan.folder), { recursive: true });
  });

  const signal = (): AbortSignal => AbortSignal.timeout(60_000);
  const root = () => ({ user: 'root', socketPath: server.socket });
  const asRoot = async (...texts: readonly string[]) =>
    await plainly(root(), async (one) => {
      for (const text of texts) await one.query(text);
    });
  const account = () => ({ host: '127.0.0.1', port: server.port, user: USER, password: PASSWORD });

  it('lets the account in by its password, which may do everything', async () => {
    const [[row]] = await plainly(account(), async (connection) => {
      await connection.query('GRANT SELECT ON mysql.* TO CURRENT_USER()');
      return await connection.query<never[]>('SELECT @@version AS version');
    });
    expect(row).toEqual({ version: expect.stringMatching(expected.version) });
  });

  it('lets root in through the socket and not over the network', async () => {
    const root = { user: 'root', password: '' };
    const ask = async (login: object) =>
      await plainly({ ...root, ...login }, async (one) => await one.query('SELECT 1'));
    await expect(ask({ socketPath: server.socket })).resolves.toBeDefined();
    await expect(ask({ host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
      errno: expect.toBeOneOf([1045, 1130, 1698]),
    });
  });

  it('lets nobody else in', async () => {
    const users = await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
      const [rows] = await one.query<never[]>('SELECT user AS user, host AS host FROM mysql.user');
      return rows.map(({ user, host }) => `${String(user)}@${String(host)}`);
    });
    const own = /^(mysql\.(infoschema|session|sys)|mariadb\.sys)@localhost$/;
    expect(users.filter((user) => !own.test(user)).toSorted()).toEqual([
      `${USER}@%`,
      'root@localhost',
    ]);
  });

  describe('a session', () => {
    it('begins as quoting relies on, whatever the server is set to', async () => {
      await asRoot(
        "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
        'SET GLOBAL autocommit = 0',
      );
      const connection = await session(loginTo(server));
      const rows = await ask(
        connection,
        'SELECT @@sql_mode AS mode, @@autocommit AS auto, @@character_set_client AS chars, @@lock_wait_timeout AS wait',
      );
      connection.close();
      await asRoot('SET GLOBAL sql_mode = DEFAULT', 'SET GLOBAL autocommit = DEFAULT');
      const { mode } = expected;
      expect(valueOf(rows)).toEqual([{ mode, auto: 1, chars: 'utf8mb4', wait: 3 }]);
    });

    it('makes no account of a grant to one that is not there', async () => {
      const connection = await session(loginTo(server));
      const outcome = await connection.query(
        statement("GRANT SELECT ON *.* TO 'gone'@'%'"),
        5_000,
        signal(),
      );
      const rows = await ask(connection, "SELECT user FROM mysql.user WHERE user = 'gone'");
      connection.close();
      expect(outcome.status).not.toBe('ok');
      expect(valueOf(rows)).toEqual([]);
    });

    it('gives what numbers cannot hold as text', async () => {
      const connection = await session(loginTo(server));
      const rows = await ask(
        connection,
        `SELECT 18446744073709551615 AS big, JSON_OBJECT('a', 18446744073709551615) AS json, 7 AS small`,
      );
      connection.close();
      expect(valueOf(rows)).toEqual([
        {
          big: '18446744073709551615',
          json: expect.stringContaining('18446744073709551615'),
          small: 7,
        },
      ]);
    });

    it('takes one statement at a time, and one in each', async () => {
      const connection = await session(loginTo(server));
      const [first, second] = await Promise.all([
        ask(connection, 'SELECT SLEEP(0.1) AS slept'),
        ask(connection, 'SELECT 1'),
      ]);
      const two = await ask(connection, 'CREATE DATABASE one; CREATE DATABASE two');
      connection.close();
      expect(valueOf(first)).toEqual([{ slept: 0 }]);
      expect(second).toMatchObject({ status: 'refused', why: 'a statement is under way' });
      expect(two).toMatchObject({ status: 'refused', retry: 'never' });
    });

    it('ends with a statement that takes too long, or that nobody waits for any more', async () => {
      const between = await relay(server.port);
      const late = await session(loginTo(server, { port: between.port }));
      expect(await ask(late, 'SELECT SLEEP(30)', 200)).toEqual({
        status: 'unknown',
        why: 'no answer in time',
        cause: 'unreachable',
      });
      expect(late.isClosed()).toBe(true);
      expect(await ask(late, 'SELECT 1')).toMatchObject({ why: 'the connection is closed' });

      await expect.poll(() => between.open(), { timeout: 60_000 }).toBe(0);
      between.close();

      const left = await session(loginTo(server));
      const leaving = new AbortController();
      const answer = left.query(statement('SELECT SLEEP(30)'), 20_000, leaving.signal);
      leaving.abort(new Error('enough'));
      expect(await answer).toMatchObject({ status: 'unknown' });
      expect(left.isClosed()).toBe(true);
      await expect(left.query(statement('SELECT 1'), 20_000, leaving.signal)).rejects.toThrow(
        'enough',
      );
    });

    it('that the server ends ends nothing else', async () => {
      const connection = await session(loginTo(server));
      const [row] = valueOf(await ask(connection, 'SELECT CONNECTION_ID() AS id'));
      const under = ask(connection, 'SELECT SLEEP(30)');
      await asRoot(`KILL ${String(row?.['id'])}`);
      expect(await under).toMatchObject({ status: 'unknown', cause: 'unreachable' });

      const idle = await session(loginTo(server));
      const [other] = valueOf(await ask(idle, 'SELECT CONNECTION_ID() AS id'));
      await asRoot(`KILL ${String(other?.['id'])}`);
      await expect.poll(() => idle.isClosed(), { timeout: 60_000 }).toBe(true);
      expect(await ask(idle, 'SELECT 1')).toMatchObject({ cause: 'unreachable' });
    });

    it('leaves nothing behind that is carried out when a lock is gone', async () => {
      const connection = await session(loginTo(server));
      const [answer, left] = await plainly(root(), async (one) => {
        await one.query('FLUSH TABLES WITH READ LOCK');
        const waited = await ask(connection, 'CREATE DATABASE late');
        await one.query('UNLOCK TABLES');
        return [waited, (await one.query("SHOW DATABASES LIKE 'late'"))[0]];
      });
      expect(answer).toMatchObject({
        status: 'unknown',
        why: expect.stringMatching(/^it waited too long for a lock/),
      });
      expect(left).toEqual([]);
    });

    it.each([
      ["CREATE USER IDENTIFIED BY 'CANARY'", 'words that are none'],
      ["'CANARY'", 'no statement'],
      ["CREATE USER 'keeper'@'%' IDENTIFIED BY 'CANARY'", 'an account that is there'],
      ["ALTER USER 'nobody'@'%' IDENTIFIED BY 'CANARY'", 'an account that is not there'],
      ["SET PASSWORD FOR 'nobody'@'%' = 'CANARY'", 'a way that is not taken'],
      ['USE `CANARY`', 'a database that is not there'],
      ["SELECT JSON_EXTRACT('CANARY', 'CANARY') FROM `CANARY`.`CANARY`", 'a table'],
      ["SELECT SLEEP(30), 'CANARY'", 'no time'],
    ])('tells nothing of a password where it fails: %s (%s)', async (text) => {
      const connection = await session(loginTo(server));
      const outcome = await ask(connection, text.replaceAll('CANARY', PASSWORD), 200);
      connection.close();
      expect(outcome).toMatchObject({ status: expect.stringMatching(/^(refused|unknown)$/) });
      expect(everythingOf([outcome, connection])).not.toMatch(/Canary|nobody|IDENTIFIED|SLEEP/);
    });

    it('is refused to a wrong password, which is not told', async () => {
      const login = loginTo(server, { password: new Secret(`${PASSWORD}x`) });
      const limits = { clock: systemClock, deadlineMs: 20_000 };
      const outcome = await openConnection(login, limits, AbortSignal.timeout(60_000));
      expect(outcome).toEqual({
        status: 'refused',
        why: 'the server does not let the account in (error 1045, ER_ACCESS_DENIED_ERROR)',
        retry: 'after-replan',
        cause: 'unreachable',
      });
      expect(everythingOf(login)).not.toContain('Canary');
    });
  });

  it('is reached over TLS by who trusts its certificate, and by nobody else', async () => {
    const pem = (name: string): string => {
      const file = join(plan.folder, 'data', name);
      return existsSync(file) ? readFileSync(file, 'utf8') : (rootCertificates[0] ?? '');
    };
    const reach = async (host: string, ca: string, verifyName: boolean): Promise<string> => {
      const login = loginTo(server, { host, tls: { ca, verifyName } });
      const limits = { clock: systemClock, deadlineMs: 20_000 };
      const outcome = await openConnection(login, limits, signal());
      if (outcome.status !== 'ok') return said(outcome);
      const [row] = valueOf(await ask(outcome.value, "SHOW SESSION STATUS LIKE 'Ssl_version'"));
      outcome.value.close();
      return String(row?.['Value']);
    };
    expect([
      await reach('127.0.0.1', pem('ca.pem'), false),
      await reach('127.0.0.1', pem('client-cert.pem'), false),
      await reach('localhost', pem('ca.pem'), true),
      await reach('127.0.0.1', pem('ca.pem'), true),
      await reach('127.0.0.1', 'no certificate', false),
    ]).toEqual([
      ...expected.tls,
      'refused: the host is an address: its certificate can be compared with a name only',
      'refused: the trusted certificates cannot be read: PEM is wanted',
    ]);
  });

  describe('the host to write to', () => {
    it('is not taken while it only reads, though the account could write', async () => {
      await asRoot('SET GLOBAL read_only = ON');
      const outcome = await findWriter([loginTo(server)], { clock: systemClock }, signal());
      await asRoot('SET GLOBAL read_only = OFF');
      expect(outcome).toEqual({
        status: 'refused',
        why: `127.0.0.1:${server.port}: it only reads (\`read_only\`)`,
        retry: 'after-replan',
        cause: 'no-leader',
      });
    });

    it('is found by an account with little rights, or says what that lacks', async () => {
      await asRoot(`CREATE USER little IDENTIFIED BY '${PASSWORD}'`);
      const login = loginTo(server, { user: 'little' });
      const find = async () => await findWriter([login], { clock: systemClock }, signal());
      const before = await find();
      await asRoot('GRANT SELECT ON performance_schema.* TO little');
      valueOf(await find()).connection.close();
      await asRoot('DROP USER little');
      if (before.status === 'ok') before.value.connection.close();
      expect(said(before)).toMatch(expected.little);
    });

    it('is not taken with another server beside it', async () => {
      const logins = [loginTo(server), loginTo(server, { host: 'localhost' })];
      const outcome = await findWriter(logins, { clock: systemClock }, signal());
      // Here it is the same one, and MySQL says so.
      expect(said(outcome)).toMatch(expected.beside);
      if (outcome.status === 'ok') outcome.value.connection.close();
    });
  });

  it('keeps what it holds over a stop, and no copy of the password', async () => {
    await plainly(account(), async (one) => await one.query('CREATE DATABASE kept'));
    await server.stop();
    expect(existsSync(server.socket)).toBe(false);
    server = await started(programs, { ...plan, port: server.port });
    const [rows] = await plainly(account(), async (one) => await one.query('USE kept'));
    expect(rows).toBeDefined();
    const files = readdirSync(plan.folder).filter((name) => name !== 'socket.lock');
    expect(files.toSorted()).toEqual(['data', 'log', 'pid', 'socket']);
    expect(readFileSync(server.log, 'utf8')).not.toContain(PASSWORD);
  });

  it('says the last lines of its log where it does not start', async () => {
    const other = newPlan({ options: ['--no-such-option'] });
    await expect(started(programs, other)).rejects.toMatchObject({
      message: `${flavor} ended while it started`,
      evidence: expect.stringContaining('no-such-option'),
    });
    rmSync(dirname(other.folder), { recursive: true });
  });
});

describe('a group of one server', () => {
  it('is written to while it is a group, and not after its member left', async () => {
    const programs = await programsOf('mysql');
    const channel = await freePort();
    const name = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa';
    const options = [
      '--log-bin=binlog',
      '--gtid-mode=ON',
      '--enforce-gtid-consistency=ON',
      '--report-host=127.0.0.1',
      '--plugin-load-add=group_replication.so',
      `--loose-group-replication-group-name=${name}`,
      `--loose-group-replication-local-address=127.0.0.1:${channel}`,
      `--loose-group-replication-group-seeds=127.0.0.1:${channel}`,
      '--loose-group-replication-start-on-boot=OFF',
      '--loose-group-replication-message-cache-size=134217728',
    ];
    const plan = newPlan({ options });
    const server = await started(programs, plan);
    const asRoot = async (...texts: readonly string[]) =>
      await plainly({ user: 'root', socketPath: server.socket }, async (one) => {
        for (const text of texts) await one.query(text);
      });
    const find = async () =>
      await findWriter([loginTo(server)], { clock: systemClock }, AbortSignal.timeout(60_000));
    try {
      const outside = said(await find());
      await asRoot('SET GLOBAL group_replication_bootstrap_group = ON', 'START GROUP_REPLICATION');
      const found = valueOf(await find());
      found.connection.close();
      await asRoot('STOP GROUP_REPLICATION');
      const address = `127.0.0.1:${server.port}`;
      expect({ outside, views: found.views, left: said(await find()) }).toEqual({
        outside: `refused: ${address}: in its group it is OFFLINE`,
        views: [{ name: address, status: 'writes', group: `group ${name}` }],
        left: `refused: ${address}: in its group it is OFFLINE`,
      });
    } finally {
      await server.kill();
      rmSync(dirname(plan.folder), { recursive: true });
    }
  });
});

describe('mysql2', () => {
  it('is loaded where there is a server to reach, and not before', () => {
    const script = [
      "import { createRequire } from 'node:module';",
      "import { systemClock as clock } from './agent/clock.ts';",
      "import { Secret } from './agent/core/secret.ts';",
      "import { openConnection } from './agent/providers/mysql/connect.ts';",
      "import './agent/providers/mysql/find-writer.ts';",
      "const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/mysql2/'));",
      'const before = loaded();',
      "const login = { host: '127.0.0.1', port: 1, user: 'x', password: new Secret('x') };",
      'await openConnection(login, { clock, deadlineMs: 5_000 }, new AbortController().signal);',
      'console.log(before, loaded());',
    ];
    const node = [process.execPath, '--input-type=module', '-e', script.join('\n')] as const;
    const said = execFileSync(node[0], node.slice(1), { cwd: projectFolder, encoding: 'utf8' });
    expect(said).toBe('false true\n');
  });
});

describe('a server', () => {
  let plan: ServerPlan;
  beforeAll(() => {
    plan = newPlan();
  });
  afterAll(() => rmSync(dirname(plan.folder), { recursive: true }));

  it('is not started with a password that others can read', async () => {
    const programs = await programsOf('mariadb');
    chmodSync(plan.passwordFile, 0o640);
    await expect(started(programs, plan)).rejects.toThrow('it must be of mode 0600');
    chmodSync(plan.passwordFile, 0o600);
  });

  it('does not take the server of somebody else on its port for its own', async () => {
    const programs = await programsOf('mariadb');
    const server = await started(programs, plan);
    const other = newPlan({ port: server.port });
    await expect(started(programs, other)).rejects.toMatchObject({
      message: 'mariadb ended while it started',
      evidence: expect.stringContaining(String(server.port)),
    });
    await server.kill();
    rmSync(dirname(other.folder), { recursive: true });
  });

  it('is found to write to among hosts that do not answer', async () => {
    const server = await started(await programsOf('mariadb'), plan);
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const logins = [{ ...loginTo(server), port }, { ...loginTo(server), port: 1 }, loginTo(server)]; // prettier-ignore
    const found = valueOf(
      await findWriter(logins, { clock: systemClock }, AbortSignal.timeout(60_000)),
    );
    const rows = await ask(found.connection, 'SELECT 1 AS one');
    found.connection.close();
    mute.close();
    await server.kill();
    expect(valueOf(rows)).toEqual([{ one: 1 }]);
    expect(found.name).toBe(`127.0.0.1:${server.port}`);
    expect(found.views.map(({ status }) => status)).toEqual(['silent', 'silent', 'writes']);
  });

  it('ends with the process that started it, however that ends', async () => {
    const script = [
      "import { programsOf, started } from './test/e2e/database.ts';",
      `await started(await programsOf('mariadb'), ${JSON.stringify(plan)});`,
      "console.log('started');",
    ];
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script.join('\n')], {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const server = await identify(Number(readFileSync(join(plan.folder, 'pid'), 'utf8')));
    if (server === undefined) throw new Error('it does not run');
    parent.kill('SIGKILL');
    expect(await waitGone([server], 30_000)).toEqual([]);
  });

  it('runs on an address of a network namespace', async () => {
    const tools = await fetchTools(
      join(projectFolder, '.rehearsal', 'packages'),
      () => undefined,
      AbortSignal.timeout(60_000),
    );
    const ip = (line: string) =>
      execFileSync(tools.path('ip'), line.split(' '), { env: { ...tools.env }, stdio: 'pipe' });
    const namespaces = () => ip('netns list').toString();
    if (/^usdb\b/m.test(namespaces())) ip('netns delete usdb'); // of a run that was ended
    ip('netns add usdb');
    try {
      ip('link add usdb0 type veth peer name eth0 netns usdb');
      ip('addr add 10.213.99.1/30 dev usdb0');
      ip('link set usdb0 up');
      ip('-n usdb addr add 10.213.99.2/30 dev eth0');
      ip('-n usdb link set eth0 up');
      const there = { ...plan, address: '10.213.99.2', namespace: 'usdb' };
      const programs = await programsOf('mariadb');
      await expect(started(programs, there)).rejects.toThrow('the port must be given');
      const server = await started(programs, { ...there, port: 3306 });
      const login = { host: there.address, port: 3306, user: USER, password: PASSWORD };
      const [rows] = await plainly(login, async (one) => await one.query('SELECT 1 AS one'));
      expect(rows).toEqual([{ one: 1 }]);
      await server.kill();
    } finally {
      ip('netns delete usdb');
    }
  });
});
