import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { DatabaseAgent } from './database-agent.ts';
import { DatabaseCluster } from './database-cluster.ts';

/**
 * An agent on a Galera cluster of three: nodes keep accounts otherwise, lose their cluster, and die. One story: each test starts from
 * where the one before ended. The taps see all that is sent.
 */
let cluster: DatabaseCluster;
let agent: DatabaseAgent;

beforeAll(async () => {
  cluster = await DatabaseCluster.galera();
  agent = new DatabaseAgent(cluster.settings());
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(agent.told());
});
afterAll(async () => {
  agent.close();
  await cluster.close();
});

const site = (name: string): string => `
kind: MySQLDatabase
name: db${name}
---
kind: MySQLUser
name: ${name}
password: {generate: true, secret: ${name}_db}
privileges: [{privileges: [SELECT, INSERT], database: db${name}}]
---`;
const sites = (...names: readonly string[]): string => names.map(site).join('');
const WRITES = /^(?:INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|GRANT|REVOKE|KILL)/;
const creating = (name: string): RegExp => new RegExp(`^CREATE USER .*'${name}'`);

/** Statements that went to one of them, or to all, and say this. */
const sent = (words: RegExp, at?: number): readonly string[] =>
  cluster.members
    .flatMap(({ tap }, index) => (at === undefined || at === index ? tap.statements : []))
    .filter((text) => words.test(text));
const host = (at: number): string => cluster.member(at).tap.host;

/** What a node does alone, so that the others do not hear of it. */
const alone = async (at: number, ...statements: readonly string[]): Promise<void> => {
  await cluster.sql(at, ['SET SESSION wsrep_on = OFF', ...statements].join('; '));
};
const grantsOn = async (at: number, name: string): Promise<readonly string[]> => {
  const lines = (await cluster.sql(at, `SHOW GRANTS FOR '${name}'`)).split('\n');
  return lines.map((line) => line.replace(/ IDENTIFIED BY PASSWORD '.*'/, '')).toSorted();
};
const whole = (name: string): readonly string[] => [
  `GRANT SELECT, INSERT ON \`db${name}\`.* TO \`${name}\`@\`%\``,
  `GRANT USAGE ON *.* TO \`${name}\`@\`%\``,
  `GRANT \`understudy_managed\` TO \`${name}\`@\`%\``,
];
const STATUS =
  "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_cluster_status'";
const expectSound = async (): Promise<void> => {
  expect(agent.names()).not.toContain('unit failed');
  const units = [...(await agent.units()).values()];
  expect(units.map(({ phase }) => phase)).toEqual(units.map(() => 'none'));
  expect(units.flatMap(({ quarantine }) => quarantine)).toEqual([]);
};

describe('accounts on every node', () => {
  const READS = /^SELECT .+ FROM mysql\.|^CHECKSUM/;

  it('are the same, which costs one question a node', async () => {
    await agent.commit('r1', sites('blog', 'shop'));
    await agent.healthy();
    await agent.pass();
    expect(await agent.notes()).toEqual([]);
    const before = [1, 2].map((at) => sent(READS, at).length);
    await agent.pass();
    expect([1, 2].map((at) => sent(READS, at).length)).toEqual(before.map((count) => count + 1));
  });

  it('are told by node and account where one keeps them otherwise, and no node but one is written to', async () => {
    await alone(1, "ALTER USER 'blog' IDENTIFIED BY 'CanaryHorse55'", "REVOKE INSERT ON dbblog.* FROM 'blog'"); // prettier-ignore
    await alone(2, "DROP USER 'shop'");
    const told = await agent.until(({ event }) => event === 'unit notes');
    expect(told).toMatchObject({
      id: 'mysql-user/blog',
      notes: [
        expect.stringContaining(
          `account blog@%: on ${host(1)} it differs: password, privileges: that node is out of step`,
        ),
      ],
    });
    const said = [
      expect.stringContaining(`account blog@%: on ${host(1)} it differs: password, privileges`),
      expect.stringContaining(`account shop@%: on ${host(2)} it is not there`),
    ];
    expect(await agent.notes()).toEqual(said);
    expect(await agent.plan()).toEqual(said);
    await agent.pass();
    expect([1, 2].flatMap((at) => sent(WRITES, at))).toEqual([]);
    expect(JSON.stringify(agent.events)).not.toContain('CanaryHorse55');
    await expectSound();
  });

  it('are told of one node while another one does not answer', async () => {
    const { tap } = cluster.member(2);
    const { promise: never, resolve: goOn } = Promise.withResolvers<void>();
    tap.before = async () => await never;
    const fresh = new DatabaseAgent(cluster.settings(), agent);
    await fresh.commit('r1', sites('blog', 'shop'));
    const said = await fresh.notes();
    fresh.close();
    goOn();
    tap.before = async () => Promise.resolve();
    expect(said).toEqual([expect.stringContaining(`account blog@%: on ${host(1)} it differs`)]);
  });

  it('are told no more of once the nodes are in step again', async () => {
    const own =
      "SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'blog'";
    const hash = await cluster.sql(0, own);
    await alone(
      1,
      `ALTER USER 'blog' IDENTIFIED VIA mysql_native_password USING '${hash}'`,
      "GRANT INSERT ON dbblog.* TO 'blog'",
    );
    expect(await agent.notes()).toEqual([
      expect.stringContaining(`account shop@%: on ${host(2)} it is not there`),
    ]);
    // As people do it: it gets a copy of another node.
    await cluster.kill(2);
    await cluster.join();
    await cluster.forget(2);
    await cluster.restart();
    expect(await grantsOn(2, 'shop')).toEqual(whole('shop'));
    // The one of before asks a node that was gone again after half a minute.
    const fresh = new DatabaseAgent(cluster.settings(), agent);
    await fresh.commit('r1', sites('blog', 'shop'));
    const asked = sent(READS, 2).length;
    expect(await fresh.notes()).toEqual([]);
    expect(sent(READS, 2).length).toBeGreaterThan(asked);
    expect(await fresh.plan()).toEqual([]);
    fresh.close();
  });
});

describe('a node that loses its cluster', () => {
  const isolated = async (at: number, value: 0 | 1): Promise<void> => {
    await cluster.sql(at, `SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${String(value)}'`);
  };

  it('is left for another one, and is no node to write to before it is back', async () => {
    await isolated(0, 1);
    await cluster.until('it knows', async () => (await cluster.sql(0, STATUS)) === 'non-Primary');
    const written = sent(WRITES, 0).length;
    await agent.commit('r2', sites('blog', 'shop', 'one'));
    await agent.healthy();
    await expectSound();
    expect(sent(WRITES, 0)).toHaveLength(written);
    expect(sent(creating('one'), 1)).toHaveLength(1);
    expect(await grantsOn(2, 'one')).toEqual(whole('one'));
    await isolated(0, 0);
    await cluster.join();
    expect(await grantsOn(0, 'one')).toEqual(whole('one'));
  });
});

describe('the node that is written to, killed between the account and its rights', () => {
  it('leaves half an account, which another one completes', async () => {
    const { tap } = cluster.member(1);
    tap.before = async (text) => {
      if (text.startsWith('GRANT INSERT')) await cluster.kill(1);
    };
    await agent.commit('r3', sites('blog', 'shop', 'one', 'two'));
    const failed = await agent.until(({ event }) => event === 'change failed');
    expect(failed).toMatchObject({ status: 'unknown', target: 'account two' });
    await agent.healthy();
    await expectSound();
    expect(sent(creating('two'))).toHaveLength(1);
    for (const at of [0, 2]) expect(await grantsOn(at, 'two')).toEqual(whole('two'));
  });
});

describe('a cluster of which two are dead', () => {
  it('is sent nothing, is nobody’s failure, and is gone on with when it is one again', async () => {
    await cluster.kill(0);
    await cluster.until(
      'the last one knows',
      async () => (await cluster.sql(2, STATUS)) === 'non-Primary',
    );
    const written = sent(WRITES).length;
    await agent.commit('r4', sites('blog', 'shop', 'one', 'two', 'three'));
    const held = await agent.until(({ event }) => event === 'unit held');
    expect(held).toMatchObject({ why: expect.stringContaining(`${host(2)}: it lost its cluster`) });
    await agent.clock.advance(1_200_000);
    await agent.pass();
    expect(sent(WRITES)).toHaveLength(written);
    expect(agent.names()).not.toContain('unit failed');

    await cluster.sql(2, "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=1'");
    await cluster.until(
      'it is one again',
      async () => (await cluster.sql(2, STATUS)) === 'Primary',
    );
    await agent.healthy();
    await expectSound();
    expect(await grantsOn(2, 'three')).toEqual(whole('three'));
  });
});
