import { rm } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createPrinter } from '../../agent/cli/printer.ts';
import { traces } from '../../agent/rehearsal/lower.ts';
import { readPidFile, waitGone } from '../../agent/rehearsal/processes.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { attachStage, lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';

/** Three database servers on a stage, as a group and as a cluster: together, after all died, and what stays. */
const never = new AbortController().signal;
const options = { name: 'use', subnet: '10.213.92.0/24', managers: 1, workers: 0 };
const said: string[] = [];
const say = (text: string): void => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());
let stage: Stage;

const mysqlOf = ({ mysql }: Stage) => {
  if (mysql === undefined) throw new Error('the stage has no database servers');
  return mysql;
};
const until = async (what: string, ready: () => Promise<boolean>): Promise<void> =>
  waitUntil(what, { deadlineMs: 60_000, everyMs: 200 }, ready, never);

describe.each([
  {
    shape: 'group',
    state:
      'SELECT GROUP_CONCAT(DISTINCT MEMBER_STATE), COUNT(*) FROM performance_schema.replication_group_members',
    whole: 'ONLINE\t3\n',
  },
  {
    shape: 'galera',
    state:
      "SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_local_state_comment')",
    whole: '3,Synced\n',
  },
] as const)('a $shape of three on the stage', ({ shape, state, whole }) => {
  const few = { ...options, mysql: shape };
  const on = async (server: string, text: string): Promise<string> =>
    mysqlOf(stage).sql(text, never, server);
  const servers = ['db1', 'db2', 'db3'];
  const end = async (name: string): Promise<void> => {
    const one = await readPidFile(`${stage.folder}/pids/${name}`);
    if (one === undefined) throw new Error(`${name} does not run`);
    process.kill(one.pid, 'SIGKILL');
    await waitGone([one], 20_000);
  };

  beforeAll(async () => {
    stage = await raiseStage(few, print, never);
  });
  afterAll(async () => {
    await lowerStage(options, print);
  });

  it('has all of them in it, each with the account of the agents', async () => {
    expect(mysqlOf(stage).hosts).toEqual(
      ['31', '32', '33'].map((last) => `10.213.92.${last}:3306`),
    );
    const account = "SELECT COUNT(*) FROM mysql.user WHERE user = 'understudy'";
    for (const one of servers) {
      expect(await on(one, state)).toBe(whole);
      expect(await on(one, account)).toBe('1\n');
    }
  });

  it('comes back whole where all of them died and one lost all, with what the one knew that died last', async () => {
    await on('db1', 'CREATE DATABASE blog; CREATE TABLE blog.posts (id INT PRIMARY KEY)');
    await end('db1');
    await rm(`${stage.folder}/db1/data`, { recursive: true });
    await until('one of the others takes writes', async () => {
      const tries = ['db2', 'db3'].map(async (one) =>
        on(one, 'INSERT INTO blog.posts VALUES (1)').then(
          () => true,
          () => false,
        ),
      );
      return (await Promise.all(tries)).includes(true);
    });
    for (const one of ['db2', 'db3']) await end(one);
    stage = (await attachStage(options, never)) ?? stage;
    for (const one of servers) {
      expect(await on(one, state)).toBe(whole);
      expect(await on(one, 'SELECT id FROM blog.posts')).toBe('1\n');
    }
  });

  it('goes with the stage', async () => {
    expect(await lowerStage(options, print)).toEqual([]);
    expect(await traces(stage.plan)).toEqual([]);
  });
});
