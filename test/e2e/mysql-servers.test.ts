import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Flavor, Programs } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { identify, waitGone } from '../../agent/rehearsal/processes.ts';
import { newPlan, PASSWORD, plainly, programsOf, started, USER } from './database.ts';

// One server runs at a time: MySQL takes 250 MB.
describe.each<[Flavor, RegExp]>([
  ['mysql', /^9\.7\./],
  ['mariadb', /^10\.11\./],
])('a server of %s', (flavor, version) => {
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

  const account = () => ({ host: '127.0.0.1', port: server.port, user: USER, password: PASSWORD });

  it('lets the account in by its password, which may do everything', async () => {
    const [[row]] = await plainly(account(), async (connection) => {
      await connection.query('GRANT SELECT ON mysql.* TO CURRENT_USER()');
      return await connection.query<never[]>('SELECT @@version AS version');
    });
    expect(row).toEqual({ version: expect.stringMatching(version) });
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

  it('does not take the server of somebody else on its port for its own', async () => {
    const other = newPlan({ port: server.port });
    await expect(started(programs, other)).rejects.toMatchObject({
      message: `${flavor} ended while it started`,
      evidence: expect.stringContaining(String(server.port)),
    });
    rmSync(dirname(other.folder), { recursive: true });
  });
});

describe('a server', () => {
  const plan = newPlan();
  afterAll(() => rmSync(dirname(plan.folder), { recursive: true }));

  it('is not started with a password that others can read', async () => {
    const programs = await programsOf('mariadb');
    chmodSync(plan.passwordFile, 0o640);
    await expect(started(programs, plan)).rejects.toThrow('it must be of mode 0600');
    chmodSync(plan.passwordFile, 0o600);
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
