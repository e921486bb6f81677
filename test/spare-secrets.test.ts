import { describe, expect, it } from 'vitest';

import { spareSecrets, withPasswords } from '../agent/account-secrets.ts';
import type { Rendered } from '../agent/core/kind.ts';
import { Secret } from '../agent/core/secret.ts';
import { accountKey } from '../agent/providers/mysql/account.ts';
import { authDigest, type AuthString } from '../agent/providers/mysql/hash.ts';
import type { ServerSight } from '../agent/providers/mysql/observed.ts';
import type { MysqlSpec } from '../agent/providers/mysql/spec.ts';
import { assertSendable } from '../agent/providers/stack/sendable.ts';
import type { ObservedSecret, SwarmState } from '../agent/providers/stack/swarm.ts';
import { MySQLUser } from '../schemas/mysql.ts';
import { observed, service, task } from './fakes/stack.ts';
import { live, NONE } from './providers/mysql/live.ts';
import { mysql97 } from './providers/mysql/servers.ts';

const plugin = 'caching_sha2_password';
const authOf = (text: string): AuthString => ({ plugin, stored: new Secret(`hash of ${text}`) });

const secretOf = (
  name: string,
  text: string,
  labels: ObservedSecret['labels'] = {},
): ObservedSecret => ({
  id: `id-${name}`,
  version: 1,
  name,
  labels: {
    'understudy.owner': 'mysql-user/blog',
    'understudy.secret': 'blog_db',
    'understudy.auth': authDigest(authOf(text)),
    ...labels,
  },
});
const [earliest, earlier, current, debris] = [
  secretOf('blog_db', 'one'),
  secretOf('blog_db-22', 'two'),
  secretOf('blog_db-33', 'three'),
  secretOf('blog_db-44', 'never sent'),
];
const all = [earliest, earlier, current, debris];

const { server: _server, ...spec } = MySQLUser.parse({
  kind: 'MySQLUser',
  name: 'blog',
  password: { generate: true, secret: 'blog_db' },
});
const account: Rendered<MysqlSpec> = {
  id: 'mysql-user/blog',
  spec: { ...spec, password: { from: 'generated', secret: 'blog_db', length: 32 } },
  digest: 'd1',
  place: { file: 'mysql/blog.yaml', line: 1, column: 1, length: 1, quoted: '' },
  dependsOn: [],
  needs: [],
  gives: ['secret:blog_db'],
};

/** A server that keeps the third first and the second beside it. */
function sight(first = 'three', retained = 'two'): ServerSight {
  const login = {
    password: { fresh: authOf(first), keepEarlier: false },
    defaultRoles: [],
    require: 'none',
    limits: NONE,
    locked: false,
  } as const;
  const wanted = { user: 'blog', host: '%', grants: new Map(), roles: [], login };
  const one = live(mysql97, wanted, { retained: authOf(retained) });
  return {
    status: 'seen',
    seen: {
      host: 'db1:3306',
      server: mysql97,
      accounts: new Map([[accountKey(one), one]]),
      databases: new Map(),
      collations: new Map(),
      owned: new Map(),
      self: { user: 'understudy', host: '%' },
      hasTls: true,
    },
  };
}
const away: ServerSight = { status: 'away', why: 'no host answers' };

const spares = (
  state: Partial<SwarmState> = {},
  sights: readonly (readonly [string, ServerSight])[] = [['main', sight()]],
  unit = account,
) => spareSecrets(unit, withPasswords(observed({ secrets: all, ...state }), new Map(sights)));
const names = (...of: Parameters<typeof spares>) =>
  spares(...of).map(({ operation: { call } }) => ('name' in call ? call.name : ''));

const mounting = ({ id, name }: ObservedSecret) => {
  const web = service('web');
  const { TaskTemplate: template } = web;
  const Secrets = [{ SecretID: id, SecretName: name }];
  return {
    ...web,
    TaskTemplate: { ...template, ContainerSpec: { ...template.ContainerSpec, Secrets } },
  };
};
const mounts = { configs: [], secrets: [debris.id] };

describe('secrets of an account that nothing needs', () => {
  it('are those that no server keeps, neither first nor beside it', () => {
    expect(names()).toEqual(['blog_db', 'blog_db-44']);
  });

  it('have a name of their own, by which releases may name them: the plain one means another secret', () => {
    expect(spares().map(({ need }) => need)).toEqual(['secret-id:id-blog_db', 'secret:blog_db-44']);
  });

  it('stay while a service names them, now or before its last update, and while a task does', () => {
    const web = { id: 'web', version: 1, spec: mounting(debris) };
    expect(names({ services: [web] })).toEqual(['blog_db']);
    const before = { id: 'web', version: 2, spec: mounting(current), before: mounts };
    expect(names({ services: [before] })).toEqual(['blog_db']);
    expect(names({ tasks: [task('t', { mounts })] })).toEqual(['blog_db']);
    expect(names({ tasks: [task('t', { mounts, state: 'shutdown' })] })).toHaveLength(2);
  });

  it('stay while any server is not seen', () => {
    expect(names({}, [['main', away]])).toEqual([]);
    expect(names({}, [['main', sight()], ['other', away]])).toEqual([]); // prettier-ignore
  });

  it('stay while another server keeps them', () => {
    expect(names({}, [['main', sight()], ['other', sight('one')]])).toEqual(['blog_db-44']); // prettier-ignore
  });

  it('stay while the account has no current one', () => {
    expect(names({}, [['main', sight('by hand')]])).toEqual([]);
  });

  it('are of that account, and of no stack whatever labels its file gives', () => {
    const other = secretOf('blog_db-55', 'x', { 'understudy.owner': 'mysql-user/shop' });
    const forged = secretOf('blog_db-66', 'x', { 'com.docker.stack.namespace': 'blog' });
    const own = { id: 's', version: 1, name: 'blog_db-77', labels: {} };
    expect(names({ secrets: [current, other, forged, own] })).toEqual([]);
  });

  it('are none of an account whose password goes to no secret', () => {
    const hashed = { ...spec, password: { from: 'hash', hash: '*A' } } as const;
    expect(names({}, undefined, { ...account, spec: hashed })).toEqual([]);
  });

  it('go by their whole id, and never with a name of the agent', () => {
    const call = { op: 'secret-remove', account: account.id, name: 'blog_db' } as const;
    expect(() => assertSendable({ ...call, id: 'a'.repeat(25) })).not.toThrow();
    expect(() => assertSendable({ ...call, id: 'short' })).toThrow('full id');
    const id = 'a'.repeat(25);
    expect(() => assertSendable({ ...call, id, name: 'understudy.head' })).toThrow('bug');
    expect(() => assertSendable({ ...call, id, account: '' })).toThrow('bug');
  });
});

it('servers are not looked at where the Swarm has no secret of an account', () => {
  const seen = observed({ secrets: [] });
  const unread = new Map([['main', away]]);
  expect(withPasswords(seen, unread)).toEqual({ ...seen, servers: unread });
});
