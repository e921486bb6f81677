import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { DatabaseAgent } from './database-agent.ts';
import { DatabaseCluster } from './database-cluster.ts';
import { DatabaseRouter } from './database-router.ts';
import { plainly } from './database.ts';
import { WireTap } from './wire-tap.ts';

/**
 * An agent on a group of three MySQL servers of which some die, and the primary changes. One story: each test starts from where the
 * one before ended. The taps see all that is sent.
 */
let cluster: DatabaseCluster;
let agent: DatabaseAgent;

beforeAll(async () => {
  cluster = await DatabaseCluster.group();
  agent = new DatabaseAgent(cluster.settings());
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(agent.told());
});
afterAll(async () => {
  agent.close();
  await cluster.close();
});

const site = (name: string, more = ''): string => `
kind: MySQLDatabase
name: db${name}
---
kind: MySQLUser
name: ${name}
password: {generate: true, secret: ${name}_db}
privileges: [{privileges: [SELECT, INSERT], database: db${name}}]
${more}
---`;
const sites = (...names: readonly string[]): string => names.map((name) => site(name)).join('');

/** All statements that went to any of them and say this. */
const sent = (words: RegExp): readonly string[] =>
  cluster.members.flatMap(({ tap }) => tap.statements).filter((text) => words.test(text));

/** Who logs in with the password that stacks find, on the primary; and what it may do. */
const grantsOf = async (name: string): Promise<readonly string[]> => {
  const { port } = cluster.member(await cluster.primary()).plan;
  const login = { host: '127.0.0.1', port, user: name, password: agent.secret(`${name}_db`) };
  return await plainly(login, async (one) => {
    const [rows] = await one.query<never[]>('SHOW GRANTS');
    return rows.flatMap((row) => Object.values(row).map(String));
  });
};
const whole = (name: string): readonly string[] => [
  `GRANT USAGE ON *.* TO \`${name}\`@\`%\``,
  `GRANT SELECT, INSERT ON \`db${name}\`.* TO \`${name}\`@\`%\``,
];

const rotated = site('blog', 'rotate: once');
const creating = (name: string): RegExp => new RegExp(`^CREATE USER .*'${name}'`);
const WRITES = /^(?:INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|KILL)/;

/** Nothing is given up, taken back, or still under way. */
const expectSound = async (): Promise<void> => {
  expect(agent.names()).not.toContain('unit failed');
  const units = [...(await agent.units()).values()];
  expect(units.map(({ phase }) => phase)).toEqual(units.map(() => 'none'));
  expect(units.flatMap(({ quarantine }) => quarantine)).toEqual([]);
};

describe('the primary, killed between the account and its rights', () => {
  it('leaves half an account, and the agent finds the next primary and completes it', async () => {
    const first = await cluster.primary();
    const { tap } = cluster.member(first);
    tap.before = async (text) => {
      if (text.startsWith('GRANT INSERT')) await cluster.kill(first);
    };
    await agent.commit('r1', sites('blog', 'shop'));
    const failed = await agent.until(({ event }) => event === 'change failed');
    expect(failed).toMatchObject({ status: 'unknown', target: 'account blog' });

    // The others do not know yet that it is gone.
    const reads = 'it is a secondary of its group';
    const held = await agent.until(({ event }) => event === 'unit held');
    expect(held).toMatchObject({
      why: expect.stringMatching(new RegExp(`the connection failed .+ ${reads}.+ ${reads}`)),
    });
    expect(await cluster.primary()).not.toBe(first);
    await agent.healthy();
    await expectSound();
    expect(await grantsOf('blog')).toEqual(whole('blog'));
    expect(await grantsOf('shop')).toEqual(whole('shop'));
    expect(sent(creating('blog'))).toHaveLength(1);
    tap.before = async () => Promise.resolve();
  });
});

describe('another primary while a password rotates', () => {
  it('has the new one although nobody heard of it, and is not told a second time', async () => {
    const first = await cluster.primary();
    const next = cluster.other(first);
    const { tap } = cluster.member(first);
    const before = agent.secret('blog_db');
    tap.swallows = (text) => /RETAIN CURRENT PASSWORD/.test(text);
    await agent.commit('r2', `${rotated}${site('shop')}`);
    const failed = agent.until(({ event }) => event === 'change failed');
    await cluster.until('the next one has both passwords', async () => {
      const kept = "SELECT User_attributes FROM mysql.user WHERE User = 'blog'";
      return (await cluster.sql(next, kept)).includes('additional_password');
    });
    await cluster.lead(next);
    tap.hangUp();
    expect(await failed).toMatchObject({ status: 'unknown', target: 'account blog' });
    tap.swallows = () => false;

    await agent.healthy();
    await expectSound();
    expect(await cluster.primary()).toBe(next);
    expect(sent(/RETAIN CURRENT PASSWORD/)).toHaveLength(1);
    expect(agent.secret('blog_db')).not.toBe(before);
    expect(await grantsOf('blog')).toEqual(whole('blog'));
  });
});

describe('another primary in the middle of a pass', () => {
  it('gets the rest, and what the earlier one refused', async () => {
    const first = await cluster.primary();
    const next = cluster.other(first);
    const { tap } = cluster.member(first);
    let created = 0;
    tap.before = async (text) => {
      if (!text.startsWith('CREATE USER')) return;
      created += 1;
      if (created === 2) await cluster.lead(next);
    };
    await agent.commit('r3', `${rotated}${sites('shop', 'one', 'two', 'three')}`);
    await agent.until((told) => {
      return told.event === 'change failed' && told.why.includes('does not write now (error 1290');
    });
    tap.before = async () => Promise.resolve();
    await agent.healthy();
    await expectSound();
    expect(await cluster.primary()).toBe(next);
    for (const name of ['one', 'two', 'three']) expect(await grantsOf(name)).toEqual(whole(name));
    // Nothing but what was refused is said again.
    expect(['one', 'two', 'three'].map((name) => sent(creating(name)).length)).toEqual([1, 2, 1]);
  });
});

describe('a router that knows no roles, as the only host', () => {
  let router: DatabaseRouter;
  let tap: WireTap;
  let routed: DatabaseAgent;
  let first: number;

  beforeAll(async () => {
    first = await cluster.primary();
    const all = [first, cluster.other(first)];
    router = await DatabaseRouter.to(
      all.map((at) => `127.0.0.1:${String(cluster.member(at).plan.port)}`),
    );
    tap = await WireTap.to(Number(router.host.split(':')[1]));
    routed = new DatabaseAgent(cluster.settings([tap.host]));
  });
  afterAll(async () => {
    routed.close();
    tap.close();
    await router.close();
  });

  it('is read and written through while it leads to the primary', async () => {
    await routed.commit('r1', sites('near'));
    await routed.healthy();
    expect(await cluster.sql(first, "SHOW GRANTS FOR 'near'")).toBe(whole('near').join('\n'));
  });

  it('leads to a secondary after that, which is sent nothing and called what it is', async () => {
    await cluster.lead(cluster.other(first));
    const written = tap.statements.filter((text) => WRITES.test(text)).length;
    await routed.commit('r2', sites('near', 'far'));
    const held = await routed.until(({ event }) => event === 'unit held');
    expect(held).toMatchObject({
      why: expect.stringContaining(`${tap.host}: it is a secondary of its group`),
    });
    await routed.clock.advance(1_200_000);
    await routed.pass();
    expect(tap.statements.filter((text) => WRITES.test(text))).toHaveLength(written);
    expect(routed.names()).not.toContain('unit failed');
  });

  it('leads to the primary again, and is written through', async () => {
    await cluster.lead(first);
    await routed.healthy();
    expect(await cluster.sql(first, "SHOW GRANTS FOR 'far'")).toBe(whole('far').join('\n'));
  });
});

describe('a group of which two are dead, which loses its majority under a statement', () => {
  it('is sent nothing more, is nobody’s failure, and is gone on with when it is one again', async () => {
    const first = await cluster.primary();
    const { tap } = cluster.member(first);
    tap.before = async (text) => {
      if (text.startsWith('GRANT INSERT')) await cluster.kill(cluster.other(first));
    };
    await agent.commit('r4', `${rotated}${sites('shop', 'one', 'two', 'three', 'four')}`);
    const failed = await agent.until((told) => {
      return told.event === 'change failed' && told.status === 'unknown';
    });
    expect(failed).toMatchObject({ why: 'no answer in time' });
    tap.before = async () => Promise.resolve();

    const written = sent(WRITES).length;
    const held = await agent.until(({ event }) => event === 'unit held');
    // A primary without a majority lets nobody in while a statement waits.
    expect(held).toMatchObject({ why: expect.stringContaining(`${tap.host}: no answer in time`) });
    // Far beyond the time in which a unit has to get on.
    await agent.clock.advance(1_200_000);
    await agent.pass();
    expect(sent(WRITES)).toHaveLength(written);
    expect(agent.names()).not.toContain('unit failed');

    // What people do who know that the others are gone: the last one is a group by itself.
    await cluster.kill(first);
    await cluster.restart(first);
    await agent.healthy();
    await expectSound();
    expect(await grantsOf('four')).toEqual(whole('four'));
    expect(sent(creating('four'))).toHaveLength(1);
  });
});
