import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { readPidFile, waitGone } from '../../agent/rehearsal/processes.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { LogLine } from './agent-log.ts';
import { quickLease, Scene } from './scene.ts';

/** A group of three on the stage that loses its majority, as its people see it: in the log, in plans and in `get`. One story. */
const never = new AbortController().signal;
let scene: Scene;

const documents = (...names: readonly string[]): Record<string, string> => ({
  'mysql/sites.yaml': names.map((name) => `kind: MySQLDatabase\nname: ${name}\n`).join('---\n'),
});
const sql = async (text: string): Promise<string> => {
  const { mysql } = scene.stage;
  if (mysql === undefined) throw new Error('the stage has no database server');
  return (await mysql.sql(text, never, 'db1')).trim();
};
const kill = async (name: string): Promise<void> => {
  const one = await readPidFile(join(scene.stage.folder, 'pids', name));
  if (one === undefined) throw new Error(`${name} does not run`);
  process.kill(one.pid, 'SIGKILL');
  await waitGone([one], 20_000);
};
const revision = (commit: string) => (line: LogLine) => line['revision'] === commit;
/** How often the server was told to make something, an administrator's own statements among them. */
const written = async (): Promise<string> =>
  sql("SHOW GLOBAL STATUS WHERE variable_name IN ('Com_create_db', 'Com_insert', 'Com_update')");

beforeAll(async () => {
  scene = await Scene.raise(
    { name: 'usp', subnet: '10.213.95.0/24', managers: 1, workers: 0, mysql: 'group' },
    quickLease,
  );
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});
afterAll(async () => {
  await scene.lower();
});

describe('a group that loses its majority', () => {
  let second: string;

  it('has what a commit asked for before', async () => {
    const first = await scene.push('one', {
      'understudy.yaml': 'version: 1\ninterval: 1s\n',
      'environments/rehearsal.yaml': 'kind: Environment\nname: rehearsal\n',
      ...documents('blog_one'),
    });
    await scene.startAgent();
    await scene.log.until('revision healthy', revision(first));
    expect(await sql("SHOW DATABASES LIKE 'blog_one'")).toBe('blog_one');
  });

  it('is sent nothing of the next one, which waits in so many words', async () => {
    await Promise.all(['db2', 'db3'].map(kill));
    const lost =
      "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'UNREACHABLE'";
    await waitUntil('db1 knows', { deadlineMs: 60_000, everyMs: 200 }, async () => (await sql(lost)) === '2', never); // prettier-ignore
    const before = await written();
    second = await scene.push('two', documents('blog_one', 'blog_two'));
    const why = '10.213.95.31:3306: its group lost its majority: 1 of 3 are there';
    const held = await scene.log.until('unit held', ({ id }) => id === 'mysql-database/blog_two');
    expect(held['why']).toContain(why);
    expect(await scene.understudy(['get'])).toMatch(/mysql-database\/blog_two +OutOfSync +Unknown/);
    const shown = await scene.understudy(['get', 'mysql-database/blog_two']);
    expect(shown).toContain(`database blog_two: ${why}`);
    const settings = join(scene.stage.folder, 'm1', 'agent', 'agent.yaml');
    const plan = await scene.understudy(['plan', scene.copy.folder, '--settings', settings]);
    expect(plan).toContain(`held: database blog_two: ${why}`);
    expect(await written()).toBe(before);
  });

  it('is gone on with by itself when it is one again', async () => {
    // The one that is left takes 10 s to over a minute to decide; the client gives up on it before, and the server does not.
    const forced = sql("SET GLOBAL group_replication_force_members = '10.213.95.31:33061'").then(
      () => 'done',
      (error: unknown) => String(error),
    );
    await scene.log.until('revision healthy', revision(second));
    expect(await forced).toMatch(/^done$|did not end within/);
    expect(scene.log.read.map(({ msg }) => msg)).not.toContain('unit failed');
    expect(await scene.understudy(['get'])).toMatch(/mysql-database\/blog_two +Synced +Healthy/);
    expect(await sql("SHOW DATABASES LIKE 'blog_two'")).toBe('blog_two');
  });
});
