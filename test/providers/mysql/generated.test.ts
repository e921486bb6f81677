import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../agent/core/digest.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { type Account, accountKey } from '../../../agent/providers/mysql/account.ts';
import {
  LABELS,
  passwordState,
  rotateDigest,
  secretLabels,
  secretName,
  type SwarmSecret,
} from '../../../agent/providers/mysql/generated.ts';
import { authDigest, type AuthString } from '../../../agent/providers/mysql/hash.ts';
import { openingSecrets } from '../../../agent/providers/mysql/opening.ts';
import { live, NONE } from './live.ts';
import { mysql97 } from './servers.ts';

const id = 'mysql-user/blog';
const password = { from: 'generated', secret: 'blog_db', length: 32 } as const;
const plugin = 'caching_sha2_password';
const authOf = (text: string, by = plugin): AuthString => ({
  plugin: by,
  stored: new Secret(`hash of ${text}`),
});

/** An account with these, the first one first. */
const accountOf = (host: string, auths: readonly AuthString[], more: Partial<Account> = {}) => {
  const [fresh = authOf('none')] = auths;
  const login = {
    password: { fresh, keepEarlier: false },
    defaultRoles: [],
    require: 'none',
    limits: NONE,
    locked: false,
  } as const;
  const wanted = { user: 'blog', host, grants: new Map(), roles: [], login };
  return live(mysql97, wanted, { authentication: auths, ...more });
};
const keyed = (...accounts: readonly Account[]) =>
  new Map(accounts.map((one) => [accountKey(one), one]));

const on = (accounts: readonly Account[]) => new Map([['main', accounts]]);

const specOf = (rotate?: string, hosts: readonly string[] = ['%']) => ({
  name: 'blog',
  hosts: [...hosts],
  ...(rotate !== undefined && { rotate }),
});
const secretOf = (name: string, text: string, rotate?: string, by = plugin): SwarmSecret => ({
  name,
  labels: secretLabels({ id, spec: specOf(rotate), password }, authOf(text, by)),
});
const state = (
  accounts: ReadonlyMap<string, Account>,
  secrets: readonly SwarmSecret[],
  spec = specOf(),
) => passwordState({ id, spec, password, plugin }, accounts, secrets);

describe('the password of an account', () => {
  const first = secretOf('blog_db', 'one');
  const second = secretOf('blog_db-22', 'two', '2026');

  it.each([
    ['nothing is there', keyed(), [], 'first', false],
    ['the secret came about and the account did not', keyed(), [first], 'first', false],
    [
      'the account of that name is not ours',
      keyed(accountOf('%', [authOf('one')], { attributes: {} })),
      [first],
      'first',
      false,
    ],
    ['its secret is gone', keyed(accountOf('%', [authOf('one')])), [], 'lost', true],
    ['somebody gave it another one', keyed(accountOf('%', [authOf('x')])), [first], 'lost', true],
  ])('is made where %s', (_what, accounts, secrets, why, keepEarlier) => {
    expect(state(accounts, secrets)).toEqual({ is: 'wanted', why, keepEarlier });
  });

  it('is current where the server has what a secret of its own holds', () => {
    const accounts = keyed(accountOf('%', [authOf('one')]));
    const found = state(accounts, [secretOf('blog_db-11', 'zero'), first]);
    expect(found).toEqual({ is: 'current', secret: 'blog_db', auth: authOf('one') });
  });

  it.each([
    ['a later one', accountOf('%', [authOf('two'), authOf('one')])],
    ['a later one, on MySQL', accountOf('%', [authOf('two')], { retained: authOf('one') })],
    ['what somebody gave it', accountOf('%', [authOf('x'), authOf('one')])],
  ])('is the one that is asked for where it is good still beside %s', (_what, account) => {
    expect(state(keyed(account), [first, second])).toEqual({
      is: 'current',
      secret: 'blog_db',
      auth: authOf('one'),
    });
  });

  it('goes along where all hosts are other ones', () => {
    const before = keyed(accountOf('10.0.%', [authOf('one')]));
    expect(state(before, [first])).toEqual({
      is: 'current',
      secret: 'blog_db',
      auth: authOf('one'),
    });
    const foreign = keyed(accountOf('10.0.%', [authOf('one')], { attributes: {} }));
    expect(state(foreign, [first])).toMatchObject({ why: 'first' });
    const other = keyed({ ...accountOf('10.0.%', [authOf('one')]), user: 'shop' });
    expect(state(other, [first])).toMatchObject({ why: 'first' });
  });

  it('is none of another unit or name', () => {
    const accounts = keyed(accountOf('%', [authOf('one')]));
    const foreign = { ...first, labels: { ...first.labels, [LABELS.owner]: 'mysql-user/shop' } };
    const other = { ...first, labels: { ...first.labels, [LABELS.secret]: 'shop_db' } };
    expect(state(accounts, [foreign, other])).toMatchObject({ is: 'wanted', why: 'lost' });
  });

  it('is another one for another text, also for one that was there before', () => {
    const accounts = keyed(accountOf('%', [authOf('one')]));
    const rotated = keyed(accountOf('%', [authOf('two')]));
    const asks = { is: 'wanted', why: 'rotate', keepEarlier: true };
    expect(state(accounts, [first], specOf('2026'))).toEqual(asks);
    // It was made and never came to the server.
    expect(state(accounts, [first, second], specOf('2026'))).toEqual(asks);
    expect(state(rotated, [first, second], specOf('2026'))).toMatchObject({ secret: 'blog_db-22' });
    expect(state(rotated, [first, second], specOf())).toEqual(asks);
  });

  it('is the one asked for last where it came to some of the hosts alone', () => {
    const spec = specOf('2026', ['a', 'b', 'c']);
    const half = keyed(accountOf('a', [authOf('one')]), accountOf('b', [authOf('two')]));
    expect(state(half, [first, second], spec)).toMatchObject({ secret: 'blog_db-22' });
  });

  it('is made anew for another plugin', () => {
    const native = authOf('one', 'mysql_native_password');
    const made = secretOf('blog_db', 'one', undefined, 'mysql_native_password');
    expect(state(keyed(accountOf('%', [native])), [made])).toMatchObject({ why: 'plugin' });
  });
});

describe('the name of a secret', () => {
  const auth = authOf('one');

  it('is the plain one while nothing has it', () => {
    expect(secretName('blog_db', auth, [secretOf('blog', 'x')])).toBe('blog_db');
    const taken = secretName('blog_db', auth, [secretOf('Blog_DB', 'x')]);
    expect(taken).toBe(`blog_db-${authDigest(auth).slice(0, 8)}`);
  });

  it('fits the Swarm', () => {
    const plain = 'x'.repeat(64);
    expect(secretName(plain, auth, [secretOf(plain, 'x')])).toHaveLength(64);
  });
});

describe('what stands for a plain name', () => {
  it('is what some server has, in the middle of a change what most accounts have', () => {
    const secrets = [
      secretOf('blog_db', 'one'),
      secretOf('blog_db-22', 'two'),
      secretOf('blog_db-33', 'debris'),
      { name: 'foreign', labels: {} },
    ];
    const accounts = [
      accountOf('a', [authOf('one')]),
      accountOf('b', [authOf('two'), authOf('one')]),
      accountOf('c', [authOf('two')]),
      accountOf('d', []),
    ];
    const { current, earlier } = openingSecrets(on(accounts), secrets);
    expect(current).toEqual(new Map([['blog_db', 'blog_db-22']]));
    expect(earlier).toEqual(new Map([['blog_db', true]]));
    expect(openingSecrets(on(accounts.slice(0, 2)), secrets).current).toEqual(
      new Map([['blog_db', 'blog_db']]),
    );
    expect(openingSecrets(on([]), secrets)).toEqual({ current: new Map(), earlier: new Map() });
  });

  it('leaves what the server keeps beside it good: the second of MariaDB, the retained of MySQL', () => {
    const secrets = [secretOf('Blog_DB', 'one'), secretOf('blog_db-22', 'two')];
    const both = [
      accountOf('a', [authOf('two'), authOf('one')]),
      accountOf('a', [authOf('two')], { retained: authOf('one') }),
    ];
    for (const account of both) {
      expect(openingSecrets(on([account]), secrets)).toEqual({
        current: new Map([['blog_db', 'blog_db-22']]),
        earlier: new Map([['blog_db', true]]),
      });
    }
    const none = accountOf('a', [authOf('two')]);
    // Without a salt another account with the same password has the same.
    const other = [1, 2].map(() => ({ ...accountOf('a', [authOf('one')]), user: 'shop' }));
    const labels = {
      [LABELS.owner]: 'mysql-user/main/shop',
      [LABELS.secret]: 'shop_db',
      [LABELS.auth]: authDigest(authOf('one')),
    };
    const all = [...secrets, { name: 'shop_db', labels }];
    expect(openingSecrets(on([none, ...other]), all)).toEqual({
      current: new Map([
        ['blog_db', 'blog_db-22'],
        ['shop_db', 'shop_db'],
      ]),
      earlier: new Map(),
    });
    expect(openingSecrets(on([...both, ...other]), all).current.get('blog_db')).toBe('blog_db-22');
    expect(openingSecrets(on([none]), secrets).earlier).toEqual(new Map());
  });

  it('counts the server alone for which a secret was made: another one may be a copy', () => {
    const labelsOf = (text: string) =>
      secretLabels({ id, spec: { ...specOf(), server: 'main' }, password }, authOf(text));
    const made = [
      { name: 'blog_db', labels: labelsOf('one') },
      { name: 'blog_db-22', labels: labelsOf('two') },
    ];
    const main = [accountOf('%', [authOf('two')], { retained: authOf('one') })];
    const copy = [accountOf('%', [authOf('one')]), accountOf('10.%', [authOf('one')])];
    const servers = new Map([
      ['archive', copy],
      ['main', main],
    ]);
    expect(openingSecrets(servers, made)).toEqual({
      current: new Map([['blog_db', 'blog_db-22']]),
      earlier: new Map([['blog_db', true]]),
    });
    // Not seen, it says nothing.
    expect(openingSecrets(new Map([['archive', copy]]), made).current.size).toBe(0);
  });
});

it('what tells two passwords apart is the digest of all that the server keeps', () => {
  for (const text of ['x', 'a"b\\c\u0000', 'Grüße']) {
    expect(authDigest(authOf(text))).toBe(digestOf(authOf(text)));
  }
});

it('whatever happened before, a password is current or is made: and once it came to the server it is current', () => {
  const texts = fc.constantFrom('one', 'two', 'three');
  const rotates = fc.option(fc.constantFrom('2025', '2026'), { nil: undefined });
  const secrets = fc.array(fc.tuple(texts, rotates), { maxLength: 4 });
  const hosts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 });
  const has = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), texts), { maxLength: 3 });
  fc.assert(
    fc.property(secrets, rotates, hosts, has, (held, rotate, names, there) => {
      const known = held.map(([text, by], at) => secretOf(`blog_db-${String(at)}`, text, by));
      const spec = specOf(rotate, names);
      const accounts = keyed(...there.map(([host, text]) => accountOf(host, [authOf(text)])));
      const before = state(accounts, known, spec);
      const fresh = authOf('fresh');
      const name = secretName('blog_db', fresh, known);
      const made = { name, labels: secretLabels({ id, spec, password }, fresh) };
      // What is current is left as it is; else what is made comes to all hosts.
      const isCurrent = before.is === 'current';
      const secretsAfter = isCurrent ? known : [...known, made];
      const after = isCurrent ? accounts : keyed(...names.map((host) => accountOf(host, [fresh])));
      const found = state(after, secretsAfter, spec);
      const current = secretsAfter.find((one) => 'secret' in found && one.name === found.secret);
      expect(current?.labels).toMatchObject({
        [LABELS.rotate]: rotateDigest(rotate),
        [LABELS.auth]: 'auth' in found ? authDigest(found.auth) : 'none',
      });
      expect(known.map((one) => one.name)).not.toContain(name);
    }),
  );
});
