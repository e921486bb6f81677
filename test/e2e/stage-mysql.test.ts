import { existsSync, statSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createPrinter } from '../../agent/cli/printer.ts';
import { traces } from '../../agent/rehearsal/lower.ts';
import { readPidFile, waitGone } from '../../agent/rehearsal/processes.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { attachStage, lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import { fitTemplate, templateFolder } from '../../agent/rehearsal/template.ts';
import { AgentLog } from './agent-log.ts';
import { plainly } from './database.ts';

/** A stage with one MariaDB: its account, a container that logs in, the way back after a crash, and what stays of it. One story. */
const never = new AbortController().signal;
const options = { name: 'usd', subnet: '10.213.91.0/24', managers: 1, workers: 1 };
const address = '10.213.91.31';
const said: string[] = [];
const say = (text: string): void => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());
let stage: Stage;

const mysqlOf = ({ mysql }: Stage) => {
  if (mysql === undefined) throw new Error('the stage has no database servers');
  return mysql;
};
const sql = async (text: string): Promise<string> => mysqlOf(stage).sql(text, never);
const until = async (what: string, ready: () => Promise<boolean>): Promise<void> =>
  waitUntil(what, { deadlineMs: 60_000, everyMs: 200 }, ready, never);
const page = async (port = 8082, host = 'w1'): Promise<string> => {
  const address = stage.hosts.find(({ name }) => name === host)?.address ?? '';
  const limit = { signal: AbortSignal.timeout(2_000) };
  return fetch(`http://${address}:${String(port)}/`, limit).then(
    async (answer) => answer.text(),
    () => '',
  );
};
const container = async (): Promise<string> =>
  (await stage.docker(['ps', '--quiet', '--filter=name=hand'], never, 'w1')).trim();
const healthOf = async (id: string): Promise<string> =>
  (await stage.docker(['inspect', id, '--format={{.State.Health.Status}}'], never, 'w1')).trim();
const serverProcess = async () => readPidFile(`${stage.folder}/pids/db1`);

describe('one MariaDB on the stage', () => {
  beforeAll(async () => {
    stage = await raiseStage({ ...options, mysql: 'single' }, print, never);
  });
  afterAll(async () => {
    await lowerStage(options, print);
  });

  it('has an account that may do what an agent needs, and nothing beside', async () => {
    const { user, passwordFile } = mysqlOf(stage);
    const grants = (await sql(`SHOW GRANTS FOR ${user}`))
      .trim()
      .split('\n')
      .map((line) => line.replace(/ IDENTIFIED BY PASSWORD '.*'/, ''));
    expect(grants).toEqual([
      'GRANT CREATE USER, CONNECTION ADMIN ON *.* TO `understudy`@`%`',
      'GRANT SELECT ON `mysql`.* TO `understudy`@`%`',
      'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `understudy`.* TO `understudy`@`%`',
      'GRANT ALL PRIVILEGES ON `blog%`.* TO `understudy`@`%` WITH GRANT OPTION',
    ]);
    expect(statSync(passwordFile).mode & 0o777).toBe(0o600);
  });

  it('lets nobody else in over the network', async () => {
    const users = await sql("SELECT user, host FROM mysql.user WHERE host <> 'localhost'");
    expect(users).toBe('understudy\t%\n');
    const root = { host: address, port: 3306, user: 'root', password: '' };
    await expect(plainly(root, async (one) => one.query('SELECT 1'))).rejects.toMatchObject({
      errno: expect.toBeOneOf([1045, 1130, 1698]),
    });
  });

  it('lets a container log in, whose page and healthcheck say so', async () => {
    await sql(
      "CREATE DATABASE hand; CREATE USER hand IDENTIFIED BY 'a\"b#c d'; GRANT SELECT ON hand.* TO hand",
    );
    await stage.docker(['network', 'create', '--driver', 'overlay', 'hand'], never);
    const secret = `${stage.folder}/hand_db`;
    writeFileSync(secret, 'a"b#c d');
    await stage.docker(['secret', 'create', 'hand_db', secret], never);
    const variables = { DB_HOSTS: `${address}:3306`, DB_USER: 'hand', DB_NAME: 'hand' };
    const env = Object.entries({ ...variables, DB_SECRET: 'hand_db' }).map(
      ([name, value]) => `--env=${name}=${value}`,
    );
    const health = '--health-cmd=wget -q -O /dev/null http://127.0.0.1:8080/cgi-bin/health';
    const image = `${stage.registry}/site:db`;
    const where = ['--network=hand', '--endpoint-mode=dnsrr', '--constraint=node.hostname==w1'];
    const port = '--publish=mode=host,target=8080,published=8082';
    const rest = ['--secret=hand_db', port, health, '--health-interval=1s', image];
    await stage.docker(
      ['service', 'create', '--detach', '--name=hand', ...where, ...env, ...rest],
      never,
    );
    await until('the page says that it is in', async () =>
      (await page()).includes(`logged in as hand@% to hand on ${address}:3306`),
    );
    await until('it is healthy', async () => (await healthOf(await container())) === 'healthy');
    expect(await page()).toContain('<title>site db</title>');
  });

  it('keeps the password out of arguments and variables of the container', async () => {
    const inside = await stage.docker(
      ['exec', await container(), 'sh', '-c', 'cat /proc/*/cmdline /proc/*/environ'],
      never,
      'w1',
    );
    expect(inside).toContain('DB_SECRET=hand_db');
    expect(inside).not.toContain('b#c');
  });

  it('shows on the page and in the healthcheck that the login ended', async () => {
    await sql('ALTER USER hand ACCOUNT LOCK');
    // The engine replaces a container that is sick: the page is gone for a moment then.
    let shown = '';
    await until('the page says why', async () => {
      shown = await page();
      return shown.includes('account is locked');
    });
    expect(shown).toMatch(/^sick\n/);
    await sql('ALTER USER hand ACCOUNT UNLOCK');
    await until('the page says that it is in', async () => (await page()).includes('logged in'));
  });

  it('is started again with what it holds where it died, also by who does not speak of it', async () => {
    const before = await serverProcess();
    if (before === undefined) throw new Error('no server runs');
    process.kill(before.pid, 'SIGKILL');
    await waitGone([before], 20_000);
    const again = await attachStage(options, never);
    expect(again?.mysql?.shape).toBe('single');
    expect((await serverProcess())?.pid).not.toBe(before.pid);
    expect(await sql("SHOW DATABASES LIKE 'hand'")).toBe('hand\n');
    const still = await serverProcess();
    await attachStage(options, never);
    expect(await serverProcess()).toEqual(still);
  });

  it('has what the template asks for made by an agent, which logs in with a password that nobody saw', async () => {
    const copy = await stage.workingCopy(`${stage.folder}/infra`, templateFolder, never);
    await fitTemplate(copy.folder, stage.plan);
    const revision = await copy.commitAndPush('the template', never);
    const agent = await stage.startAgent();
    const log = new AgentLog([{ ...agent, offset: 0 }]);
    try {
      await log.until('revision healthy', (line) => line['revision'] === revision);
    } finally {
      await log.close();
      await agent.stop();
    }
    const pages = await Promise.all(stage.hosts.map(async ({ name }) => page(8081, name)));
    expect(pages.join('')).toContain(`logged in as blog@% to blog on ${address}:3306`);
  });

  it('goes with the stage, also where who removes it does not speak of it', async () => {
    const server = await serverProcess();
    expect(await lowerStage(options, print)).toEqual([]);
    expect(server === undefined ? [] : await waitGone([server], 0)).toEqual([]);
    expect(existsSync('/run/netns/usd-db1')).toBe(false);
    expect(await traces(stage.plan)).toEqual([]);
  });
});
