import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { agentPlaces } from '../../agent/rehearsal/agent-process.ts';
import { traces } from '../../agent/rehearsal/lower.ts';
import { identify, readPidFile, waitGone } from '../../agent/rehearsal/processes.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { attachStage } from '../../agent/rehearsal/stage.ts';
import { fitTemplate, templateFolder } from '../../agent/rehearsal/template.ts';
import { quickLease, Scene } from './scene.ts';

/** The blog of the template on a stage as `--full` has it, with fewer nodes: a MySQL Router before its group, and Ceph. One story, told in order. */
const never = new AbortController().signal;
const options = { name: 'uxr', subnet: '10.213.99.0/24', managers: 1, workers: 1 };
const ROUTER = '10.213.99.36:6446';
const addressOf = (name: string): string => `10.213.99.3${name.slice(2)}`;
let scene: Scene;

const sql = async (text: string, server: string): Promise<string> => {
  const { mysql } = scene.stage;
  if (mysql === undefined) throw new Error('the stage has no database server');
  return (await mysql.sql(text, never, server)).trim();
};
/** From the node that has the only copy; nothing while there is none. */
const page = async (): Promise<string> => {
  const asked = scene.stage.hosts.map(async ({ address }) =>
    fetch(`http://${address}:8081/`, { signal: AbortSignal.timeout(2_000) }).then(
      async (answer) => answer.text(),
      () => '',
    ),
  );
  return (await Promise.all(asked)).join('');
};
const untilPage = async (said: string): Promise<void> =>
  waitUntil(
    `the page says: ${said}`,
    { deadlineMs: 60_000, everyMs: 200, evidence: page },
    async () => (await page()).includes(said),
    never,
  );
const processOf = async (name: string) => {
  const one = await readPidFile(join(scene.stage.folder, 'pids', name));
  if (one === undefined) throw new Error(`${name} does not run`);
  return one;
};
const end = async (name: string): Promise<void> => {
  const one = await processOf(name);
  process.kill(one.pid, 'SIGKILL');
  await waitGone([one], 20_000);
};
const again = async (): Promise<void> => {
  expect((await attachStage(options, never))?.plan.router).toEqual(scene.stage.plan.router);
};
const PRIMARY =
  "SELECT MEMBER_HOST FROM performance_schema.replication_group_members WHERE MEMBER_ROLE = 'PRIMARY'";

beforeAll(async () => {
  scene = await Scene.raise({ ...options, mysql: 'group', router: true, ceph: true }, quickLease);
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});
afterAll(async () => {
  await scene.lower();
});

describe('a router before a group on the stage', { timeout: 240_000 }, () => {
  it('leads the blog to the primary, while the agent goes to the members', async () => {
    await cp(templateFolder, scene.copy.folder, { recursive: true });
    await fitTemplate(scene.copy.folder, scene.stage.plan);
    const revision = await scene.copy.commitAndPush('the template', never);
    await scene.startAgent();
    const { settingsFile } = agentPlaces(scene.stage.plan, 'm1');
    expect(await readFile(settingsFile, 'utf8')).not.toContain(ROUTER);
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    await untilPage(`logged in as blog@% to blog on ${ROUTER}`);
    expect(await sql(PRIMARY, 'db1')).toBe(addressOf('db1'));
    expect(await page()).toContain(`, served by ${addressOf('db1')}</p>`);
    // Beside its database: a folder, and the key of who may mount it.
    expect(await page()).toMatch(
      /<p>files lie in \/volumes\/sites\/blog\/[0-9a-f-]{36}; the key for it has 40 characters<\/p>/,
    );
    const from = "SELECT COUNT(*) FROM performance_schema.hosts WHERE host = '10.213.99.36'";
    expect(await sql(from, 'db1')).toBe('1');
    expect(await sql(from, 'db2')).toBe('0');
  });

  it('follows the primary that died to the one that the group chooses', async () => {
    await end('db1');
    await untilPage(`, served by ${addressOf('db2')}</p>`);
    expect(await sql(PRIMARY, 'db2')).toBe(addressOf('db2'));
  });

  it('leads there still when the one that died is back', async () => {
    await again();
    await untilPage(`, served by ${addressOf('db2')}</p>`);
    expect(await sql(PRIMARY, 'db1')).toBe(addressOf('db2'));
  });

  it('knows nothing of a primary that was switched until the command is given again', async () => {
    await sql('SELECT group_replication_set_as_primary(@@server_uuid)', 'db3');
    await untilPage(`, served by ${addressOf('db2')}, which only reads</p>`);
    const before = await processOf('router');
    await again();
    expect(await processOf('router')).not.toEqual(before);
    await untilPage(`, served by ${addressOf('db3')}</p>`);
  });

  it('is left alone while it leads to the primary', async () => {
    const before = await processOf('router');
    await again();
    expect(await processOf('router')).toEqual(before);
  });

  it('is started again where it died', async () => {
    await end('router');
    await untilPage(`Can't connect`);
    await again();
    expect(await processOf('router')).toHaveProperty('pid');
    await untilPage(`, served by ${addressOf('db3')}</p>`);
  });

  it('is opened again where all servers died before it', async () => {
    await Promise.all(['db1', 'db2', 'db3'].map(end));
    await untilPage(`Can't connect`);
    await again();
    await untilPage(`logged in as blog@% to blog on ${ROUTER}`);
    const primary = await sql(PRIMARY, 'db1');
    expect(await page()).toContain(`, served by ${primary}</p>`);
  });

  it('leaves nothing behind', async () => {
    const { plan } = scene.stage;
    const router = await processOf('router');
    await scene.lower();
    expect(await identify(router.pid)).not.toEqual(router);
    expect(await traces(plan)).toEqual([]);
  });
});
