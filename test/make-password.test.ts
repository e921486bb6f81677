import { describe, expect, it } from 'vitest';

import type { CallOutcome, Rendered } from '../agent/core/kind.ts';
import { makePassword, type PasswordPorts, type Unfinished } from '../agent/make-password.ts';
import type { SwarmSecret } from '../agent/providers/mysql/generated.ts';
import type { PasswordCall, ServerSeen } from '../agent/providers/mysql/observed.ts';
import type { UserSpec } from '../agent/providers/mysql/spec.ts';
import type { NotOk } from '../agent/providers/mysql/answers.ts';
import { MySQLUser } from '../schemas/mysql.ts';
import { mariadb118 } from './providers/mysql/servers.ts';
import { Secret } from '../agent/core/secret.ts';
import { nativeHash } from '../agent/providers/mysql/hash.ts';

const { signal } = new AbortController();
const refused: NotOk = { status: 'refused', why: 'it lacks a privilege', retry: 'never' };
const unknown: NotOk = { status: 'unknown', why: 'no answer in time' };

/** A Swarm and a server that answers as the test says. */
function stage() {
  const secrets = new Map<string, SwarmSecret & { readonly value: string }>();
  const written: string[] = [];
  const unfinished: Unfinished = new Map();
  let seed = 0;
  let swarmSays: NotOk | undefined;
  async function make(
    answer?: NotOk,
    more: Partial<UserSpec> = {},
  ): Promise<CallOutcome<{ readonly id: string }>> {
    const ports: PasswordPorts = {
      secrets: secrets.values(),
      unfinished,
      random: (bytes) => new Uint8Array(bytes).map(() => (seed = (seed * 31 + 7) % 251)),
      swarm: {
        call: async (call) => {
          if (call.op !== 'secret-create' || call.data === undefined) throw new Error(call.op);
          const value = Buffer.from(call.data.reveal(), 'base64').toString('utf8');
          secrets.set(call.name, { name: call.name, labels: call.labels, value });
          return Promise.resolve(swarmSays ?? { status: 'ok', value: { id: call.name } });
        },
      },
      servers: {
        call: async ({ statements }) => {
          if (statements.length === 0) return Promise.resolve({ status: 'ok', value: { id: 's' } });
          if (answer !== undefined) return Promise.resolve(answer);
          for (const one of statements) if ('text' in one) written.push(one.text.reveal());
          return Promise.resolve({ status: 'ok', value: { id: 's' } });
        },
      },
    };
    return await makePassword(callOf(more), ports, signal);
  }
  return {
    secrets,
    written,
    make,
    swarmSays: (outcome: NotOk | undefined) => {
      swarmSays = outcome;
    },
  };
}

const { server: _server, ...parsed } = MySQLUser.parse({
  kind: 'MySQLUser',
  name: 'blog',
  password: { generate: true, secret: 'blog_db' },
});
const seen: ServerSeen = {
  host: 'db1:3306',
  server: mariadb118,
  accounts: new Map(),
  databases: new Map(),
  collations: new Map(),
  owned: new Map(),
  self: { user: 'understudy', host: '%' },
  hasTls: true,
};
function callOf(more: Partial<UserSpec>): PasswordCall {
  const password = { from: 'generated', secret: 'blog_db', length: 32 } as const;
  const unit: Rendered<UserSpec> = {
    id: 'mysql-user/blog',
    spec: { ...parsed, password, ...more },
    digest: 'd1',
    place: { file: 'mysql/blog.yaml', line: 1, column: 1, length: 1, quoted: '' },
    dependsOn: [],
    needs: [],
    gives: [],
  };
  return { op: 'password', unit, seen };
}

describe('a password that is made', () => {
  it('is one, with one secret, however often its server does not take it', async () => {
    const { secrets, written, make } = stage();
    for (const answer of [refused, unknown, refused]) {
      expect(await make(answer)).toEqual(answer);
    }
    expect([...secrets.keys()]).toEqual(['blog_db']);
    expect(await make()).toMatchObject({ status: 'ok' });
    expect([...secrets.keys()]).toEqual(['blog_db']);
    const hash = nativeHash(new Secret(secrets.get('blog_db')?.value ?? '')).stored.reveal();
    expect(written.join()).toContain(hash);
  });

  it('is another one when the one before arrived', async () => {
    const { secrets, make } = stage();
    await make();
    await make();
    expect(secrets.size).toBe(2);
    const values = [...secrets.values()].map(({ value }) => value);
    expect(new Set(values).size).toBe(2);
  });

  it.each([
    ['another rotation', { rotate: 'next year' }],
    ['another plugin', { plugin: 'caching_sha2_password' }],
    ['another length', { password: { from: 'generated', secret: 'blog_db', length: 40 } }],
    ['another secret', { password: { from: 'generated', secret: 'shop_db', length: 32 } }],
  ] as const)('is another one for %s', async (_, more) => {
    const { secrets, make } = stage();
    await make(refused);
    await make(refused, more);
    expect(secrets.size).toBe(2);
  });

  it('comes to its secret again where that is gone, or nobody knows whether it is there', async () => {
    const { secrets, make, swarmSays } = stage();
    swarmSays(unknown);
    expect(await make()).toEqual(unknown);
    const [first] = secrets.values();
    secrets.clear();
    swarmSays(undefined);
    expect(await make(refused)).toEqual(refused);
    expect([...secrets.values()]).toEqual([first]);
    secrets.clear();
    await make();
    expect([...secrets.values()]).toEqual([first]);
  });

  it('looks for another name where its own is taken', async () => {
    const { secrets, make, swarmSays } = stage();
    const taken: NotOk = { status: 'refused', why: 'taken', retry: 'after-replan' };
    swarmSays(taken);
    expect(await make()).toEqual(taken);
    swarmSays(undefined);
    secrets.set('blog_db', { name: 'blog_db', labels: {}, value: '' });
    await make();
    expect([...secrets.keys()]).toEqual(['blog_db', expect.stringMatching(/^blog_db-/)]);
  });
});
