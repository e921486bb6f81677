import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { LogLine } from './agent-log.ts';
import { quickLease, Scene } from './scene.ts';

/**
 * A site with a database, an account and a password that nobody sees: real engines, a real MariaDB, and a service that logs in. One
 * story, told in order: each test starts from where the one before ended.
 */
const never = new AbortController().signal;
let scene: Scene;

/** What the account's document may differ in. */
interface Account {
  readonly rotate?: string;
  readonly privileges?: string;
}

function account({ rotate, privileges = 'SELECT, INSERT' }: Account = {}): Record<string, string> {
  return {
    'mysql/blog.yaml': `
kind: MySQLDatabase
name: blog
---
kind: MySQLUser
name: blog
password: {generate: true, secret: blog_db}
privileges: [{privileges: [${privileges}], database: blog}]
${rotate === undefined ? '' : `rotate: ${rotate}\n`}`,
  };
}

const site = (greeting = 'hello') => ({
  'stacks/blog/compose.yaml': `
services:
  web:
    image: '\${REGISTRY}/site:db'
    environment: {DB_HOSTS: '\${HOSTS}', DB_NAME: blog, DB_USER: blog, DB_SECRET: blog_db, GREETING: ${greeting}}
    secrets: [blog_db]
    stop_grace_period: 1s
    healthcheck: {test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/cgi-bin/health"], interval: 1s, timeout: 10s, retries: 2, start_period: 5s}
    deploy:
      endpoint_mode: dnsrr
      placement: {constraints: [node.hostname == m1]}
      restart_policy: {delay: 1s}
      update_config: {order: stop-first, monitor: 2s}
secrets: {blog_db: {external: true}}
`,
  'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
});

beforeAll(async () => {
  scene = await Scene.raise(
    { name: 'usj', subnet: '10.213.98.0/24', managers: 1, workers: 0, mysql: 'single' },
    quickLease,
  );
  await sql('SET GLOBAL general_log = ON');
  await scene.push('a site with a database', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n  HOSTS: ${mysql().hosts.join(' ')}\n`,
    ...account(),
    ...site(),
  });
  await scene.startAgent();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene.lower();
});

const mysql = () => {
  const { mysql: access } = scene.stage;
  if (access === undefined) throw new Error('the stage has no database server');
  return access;
};
async function sql(text: string): Promise<string> {
  return await mysql().sql(text, never);
}
const revision = (commit: string) => (line: LogLine) => line['revision'] === commit;
const of = (id: string) => (line: LogLine) => line['id'] === id;

async function settled(commit: string): Promise<void> {
  await scene.log.until('revision healthy', revision(commit));
}

/** How often the server refused a login since it was started. */
async function refused(): Promise<number> {
  const line = await sql("SHOW GLOBAL STATUS LIKE 'Access_denied_errors'");
  return Number(line.split('\t')[1]);
}

/** How often each kind of statement that writes was carried out. */
async function written(): Promise<string> {
  const kinds = [
    'alter_user',
    'create_db',
    'create_user',
    'delete',
    'drop_user',
    'grant',
    'grant_role',
  ];
  const names = [...kinds, 'insert', 'replace', 'revoke', 'update'].map((one) => `'Com_${one}'`);
  return sql(`SHOW GLOBAL STATUS WHERE variable_name IN (${names.join(', ')})`);
}

async function container(): Promise<string> {
  return (await scene.docker('ps', '--quiet', '--filter=name=blog_web')).trim();
}
/** Only the service gets it: the test looks into its file. */
async function password(): Promise<string> {
  return scene.docker('exec', await container(), 'cat', '/run/secrets/blog_db');
}
async function mounted(): Promise<string> {
  const format =
    '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{.File.Name}}{{end}}';
  return (await scene.docker('service', 'inspect', 'blog_web', '--format', format)).trim();
}
async function secrets(): Promise<readonly string[]> {
  const lines = (await scene.docker('secret', 'ls', '--format', '{{.Name}}')).trim().split('\n');
  return lines.filter((name) => name.startsWith('blog_db')).toSorted();
}
async function page(): Promise<string> {
  return scene.docker('exec', await container(), 'cat', '/tmp/database');
}

describe('a site whose commit brings its database', () => {
  it('runs, logged in with a password that was made for it', async () => {
    const ended = await scene.log.until('revision healthy');
    expect(ended).toMatchObject({ units: 3 });
    expect(await page()).toContain('logged in as blog@% to blog');
    expect(await password()).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(await mounted()).toBe('blog_db blog_db');
    expect(await refused()).toBe(0);
  });

  it('is left alone after that, on the Swarm and on the server', async () => {
    const before = await written();
    expect(await scene.quietPasses(3)).toEqual([]);
    expect(await written()).toBe(before);
  });

  it('gets back what was taken from its account by hand, and keeps nothing that was given', async () => {
    await sql("REVOKE INSERT ON blog.* FROM blog@'%'; GRANT DELETE ON blog.* TO blog@'%'");
    await waitUntil(
      'the rights are as they were',
      { deadlineMs: 60_000, everyMs: 500 },
      async () =>
        (await sql("SHOW GRANTS FOR blog@'%'")).includes('GRANT SELECT, INSERT ON `blog`.*'),
      never,
    );
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('is shown with them', async () => {
    const shown = await scene.understudy(['get']);
    for (const id of ['mysql-database/blog', 'mysql-user/blog', 'stack/blog']) {
      expect(shown).toMatch(new RegExp(`${id} +Synced +Healthy`));
    }
    const settings = join(scene.stage.folder, 'm1', 'agent', 'agent.yaml');
    const plan = ['plan', scene.copy.folder, '--settings', settings];
    expect(await scene.understudy(plan)).toContain('no changes, 3 units unchanged');
  });
});

describe('a rotation', () => {
  it('brings another password, with no login refused, and then the first one is good no more', async () => {
    const before = await password();
    await settled(await scene.push('rotate', account({ rotate: 'once' })));
    const now = await password();
    expect(now).not.toBe(before);
    expect(await mounted()).toMatch(/^blog_db-\w+ blog_db$/);
    expect(await page()).toContain('logged in');
    expect(await refused()).toBe(0);
    // The first one goes last, so a moment after the commit was called healthy.
    await waitUntil(
      'one password is left',
      { deadlineMs: 60_000, everyMs: 500 },
      async () => !(await sql("SHOW CREATE USER blog@'%'")).includes(' OR '),
      never,
    );
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });

  it.each([
    ['the secret is made and its maker does not know it', '/secrets/create'],
    ['the stack gets the new one and its maker does not know it', '/services/'],
  ])('goes on where the agent died while %s', async (_when, path) => {
    const before = await password();
    const from = scene.proxy.seen.length;
    const isIt = ({ path: at, mutating }: { path: string; mutating: boolean }): boolean =>
      mutating && at.includes(path);
    const repair = scene.proxy.break({ match: isIt, nth: 1, fault: { do: 'delay-reply' } });
    const commit = await scene.push(`rotate for ${path}`, account({ rotate: `for${path}` }));
    await waitUntil(
      `a call to ${path}`,
      { deadlineMs: 60_000, everyMs: 50 },
      async () =>
        Promise.resolve(
          scene.proxy.seen.slice(from).some((one) => isIt(one) && one.answeredAtMs !== undefined),
        ),
      never,
    );
    repair();
    await scene.on().kill();
    scene.proxy.release();
    await scene.startAgent();
    await settled(commit);
    expect(await password()).not.toBe(before);
    expect(await page()).toContain('logged in');
    expect(await refused()).toBe(0);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });

  it.each(['change applied', 'unit verifying', 'unit healthy'])(
    'goes on where the agent died after it said of the account: %s',
    async (said) => {
      const before = await password();
      const commit = await scene.push(`rotate and die after ${said}`, account({ rotate: said }));
      await scene.log.until(said, of('mysql-user/blog'));
      await scene.killAgent();
      await settled(commit);
      expect(await password()).not.toBe(before);
      expect(await page()).toContain('logged in');
      expect(await refused()).toBe(0);
    },
  );

  it('of a lost secret makes another one', async () => {
    const [name = ''] = (await mounted()).split(' ');
    const before = await password();
    // The engine refuses to remove what a service mounts.
    await scene.docker('service', 'update', '--detach', '--secret-rm', name, 'blog_web');
    await scene.docker('secret', 'rm', name);
    await waitUntil(
      'the site is in with another password',
      { deadlineMs: 90_000, everyMs: 1_000 },
      async () => {
        const now = await password().catch(() => before);
        return now !== before && (await page().catch(() => '')).includes('logged in');
      },
      never,
    );
    await scene.log.until('unit recovered', of('stack/blog'));
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

describe('what the site is given', () => {
  it('stays out of everything that is written down, but for its own file', async () => {
    const secret = await password();
    const statements = await sql("SHOW VARIABLES LIKE 'general_log_file'");
    const data = await sql("SHOW VARIABLES LIKE 'datadir'");
    const log = join(data.split('\t')[1]?.trim() ?? '', statements.split('\t')[1]?.trim() ?? '');
    const told = readFileSync(log, 'latin1');
    // It is looked for where it would be.
    expect(told).toContain('IDENTIFIED');
    expect(told).not.toContain(secret);
    const { folder } = scene.stage;
    const places = [join(folder, 'm1', 'agent'), join(folder, 'db1'), join(folder, 'depot')];
    const files = places
      .flatMap((place) => readdirSync(place, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(files).toContainEqual(expect.stringContaining('agent.log'));
    expect(files.filter((file) => readFileSync(file, 'latin1').includes(secret))).toEqual([]);
    const agent = `/proc/${String(scene.agent.pid)}`;
    for (const file of ['cmdline', 'environ']) {
      expect(readFileSync(`${agent}/${file}`, 'latin1')).not.toContain(secret);
    }
    const kept = await scene.docker('config', 'ls', '--quiet');
    const configs = await scene.docker('config', 'inspect', ...kept.trim().split('\n'));
    expect(configs).not.toContain(secret);
    expect(configs).not.toContain(Buffer.from(secret).toString('base64'));
  });

  it('is kept in one secret, once what was before is of no use', async () => {
    expect(await secrets()).toContain((await mounted()).split(' ')[0]);
  });
});
