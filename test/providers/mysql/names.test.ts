import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  databaseProblem,
  hostProblem,
  keptHost,
  objectProblem,
  roleProblem,
  userProblem,
} from '../../../agent/providers/mysql/names.ts';
import { account, identifier } from '../../../agent/providers/mysql/sql.ts';
import { mariadb1011, mysql80, mysql97, servers } from './servers.ts';

describe.each(Object.entries(servers))('on %s', (_, server) => {
  it.each(['blog', 'site.nl', 'a-b', 'a:b', 'a_b', "o'brien", 'na`me', 'Blog', 'ünï', 'a b', '%'])(
    'an account, a role and a table may be called %j',
    (name) => {
      expect(userProblem(name, server)).toBeUndefined();
      expect(roleProblem(name, server)).toBeUndefined();
      expect(objectProblem(name)).toBeUndefined();
    },
  );

  it.each([
    ['', 'an account without a name would let anybody in'],
    [' blog', 'a name neither begins nor ends with a blank'],
    ['blog ', 'a name neither begins nor ends with a blank'],
    ['blog\u00A0', 'a name neither begins nor ends with a blank'],
    ['a\0b', 'a name holds no control characters'],
    ['a\nb', 'a name holds no control characters'],
    ['😀', 'a name holds no characters beyond U+FFFF, such as emoji: the server would keep `?`'],
    [
      '\uD800',
      'a name holds no characters beyond U+FFFF, such as emoji: the server would keep `?`',
    ],
    ['root', 'the account `root` belongs to the server'],
    ['ROOT', 'the account `ROOT` belongs to the server'],
    ['mysql.sys', 'the account `mysql.sys` belongs to the server'],
    ['mariadb.sys', 'the account `mariadb.sys` belongs to the server'],
  ])('an account is not called %j', (name, reason) => {
    expect(userProblem(name, server)).toBe(reason);
  });

  it.each(['none', 'PUBLIC', 'Default', 'ALL', 'current_user'])(
    'a role is not called %s',
    (name) => {
      expect(roleProblem(name, server)).toBe(`\`${name}\` stands for something else in a grant`);
    },
  );

  it('a role needs a name', () => {
    expect(roleProblem('', server)).toBe('a role needs a name');
  });

  it.each([
    '%',
    'localhost',
    '10.0.%',
    '192.168.1._',
    '::1',
    'web-1.example.org',
    '10.0.0.0/255.0.0.0',
  ])('an account may come from %s', (host) => {
    expect(hostProblem(host, server)).toBeUndefined();
  });

  it.each([
    ['', 'an empty host means anywhere on one server and nowhere on another: write `%`'],
    ['a'.repeat(256), 'a host has at most 255 characters'],
    ["x'@'%", 'a host is a name, an address, or one of these with `%` or `_`'],
    ['a b', 'a host is a name, an address, or one of these with `%` or `_`'],
    ['10.0.0.0/', 'a network is written as `10.0.0.0/255.0.0.0`'],
    ['10.0.0/8', 'a network is written as `10.0.0.0/255.0.0.0`'],
    ['10.0.0.256/8', 'a network is written as `10.0.0.0/255.0.0.0`'],
    ['10.0.0.010/8', 'a network is written as `10.0.0.0/255.0.0.0`'],
    ['fd00::/8', 'a network is written as `10.0.0.0/255.0.0.0`'],
    ['10.0.0.0/33', 'the mask of a network is ones and then zeros: `255.255.0.0`'],
    ['10.0.0.0/255.0.255.0', 'the mask of a network is ones and then zeros: `255.255.0.0`'],
    ['10.0.0.1/255.0.0.0', 'the address of a network has no bits beyond its mask'],
  ])('an account does not come from %j', (host, reason) => {
    expect(hostProblem(host, server)).toBe(reason);
  });

  it('takes nothing that a statement could not say', () => {
    const any = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(any, any, (name, host) => {
        const asAccount = userProblem(name, server) ?? hostProblem(host, server);
        expect(asAccount ?? account({ user: name, host }).shown).toBeTruthy();
        expect(objectProblem(name) ?? identifier(name).shown).toBeTruthy();
      }),
      { numRuns: 500 },
    );
  });
});

describe('where servers differ', () => {
  it('a name of 33 characters is too long for MySQL, one of 129 for MariaDB', () => {
    expect(userProblem('a'.repeat(32), mysql97)).toBeUndefined();
    expect(userProblem('a'.repeat(33), mysql97)).toBe('a name has at most 32 characters on MySQL');
    expect(userProblem('a'.repeat(128), mariadb1011)).toBeUndefined();
    expect(roleProblem('a'.repeat(129), mariadb1011)).toBe(
      'a name has at most 128 characters on MariaDB',
    );
  });

  it.each([
    ['10.0.0.0/8', '10.0.0.0/255.0.0.0'],
    ['192.168.4.0/22', '192.168.4.0/255.255.252.0'],
    ['0.0.0.0/0', '0.0.0.0/0.0.0.0'],
    ['10.1.2.3/32', '10.1.2.3/255.255.255.255'],
  ])('%s is for a MySQL that knows it; elsewhere nobody would match', (host, long) => {
    expect(hostProblem(host, mysql97)).toBeUndefined();
    const rest = host.slice(host.indexOf('/'));
    expect(hostProblem(host, mariadb1011)).toBe(
      `MariaDB does not understand \`${rest}\`: write \`${long}\``,
    );
    expect(hostProblem(host, mysql80)).toBe(
      `MySQL does not understand \`${rest}\`: write \`${long}\``,
    );
    expect(hostProblem(long, mariadb1011)).toBeUndefined();
  });
});

it('keeps hosts in small letters', () => {
  expect(keptHost('FOO.Example.COM')).toBe('foo.example.com');
});

it.each([
  ['shop', undefined],
  ['mysql', 'the database `mysql` belongs to the server'],
  ['SYS', 'the database `SYS` belongs to the server'],
  ['', 'a name is empty'],
  ['a'.repeat(64), undefined],
  ['a'.repeat(65), 'a name has at most 64 characters'],
  ['shop ', 'a name neither begins nor ends with a blank'],
])('a database %j: %s', (name, reason) => {
  expect(databaseProblem(name)).toBe(reason);
});
