import { describe, expect, it } from 'vitest';

import { type Account, accountKey } from '../../../agent/providers/mysql/account.ts';
import type { ServerSeen } from '../../../agent/providers/mysql/observed.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';
import {
  cutOf,
  EndSessions,
  endByName,
  idsIn,
  readSameName,
  sessionsNote,
} from '../../../agent/providers/mysql/sessions.ts';
import { live, NONE } from './live.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { mariadb118, mysql97 } from './servers.ts';

describe('the sessions of an account that lets nobody in any more', () => {
  const shut = (host: string) => ({ host, locked: true });
  const open = (host: string) => ({ host, locked: false });
  it.each([
    ['it is the only one', '%', [shut('%')], 'all'],
    ['it is dropped already', '%', [], 'all'],
    ['all of the name are locked', '%', [shut('%'), shut('10.0.0.1')], 'all'],
    ['another one of the name is open', '%', [shut('%'), open('10.0.0.1')], 'nobody knows'],
    ['it is from one place', '10.0.0.1', [open('%'), shut('10.0.0.1')], 'host'],
    ['it is from one host, in capitals', 'DB1', [open('%'), shut('db1')], 'host'],
    ['its machine has a name and an address', 'localhost', [open('127.0.0.1')], 'nobody knows'],
    ['its machine has an address and a name', '10.0.0.1', [open('db1'), open('%')], 'nobody knows'],
    ['it is from one address of two', '10.0.0.1', [open('10.0.0.2')], 'host'],
    ['it is from a network', '10.0.0.0/255.0.0.0', [open('%')], 'nobody knows'],
    ['it is from a pattern', '10.0.%', [open('%')], 'nobody knows'],
  ] as const)('are known where %s', (_, host, others, cut) => {
    expect(cutOf({ host }, others)).toBe(cut);
  });

  it('are found among those that bear its name, and no others', () => {
    const rows = [
      { id: 1, who: 'blog', place: '10.0.0.1' },
      { id: '2', who: 'blog', place: '10.0.0.2' },
      { id: 3, who: 'Blog', place: '10.0.0.1' },
      { id: 4, who: null, place: null },
    ];
    const name = { user: 'blog', host: '10.0.0.1' };
    expect(idsIn(rows, name, 'all')).toEqual([1, 2]);
    expect(idsIn(rows, name, 'host')).toEqual([1]);
    expect(String(endByName(name, 'all'))).toBe("KILL USER 'blog'@'%'");
    expect(String(endByName(name, 'host'))).toBe("KILL USER 'blog'@'10.0.0.1'");
    expect(() => idsIn([{ id: 'x' }], name, 'all')).toThrow('not understood');
  });

  it('are read with what each server says of a lock', () => {
    const rows = [
      { host: '%', locked: 1 },
      { host: 'a', locked: '1' },
      { host: 'b', locked: '0' },
      { host: 'c', locked: 0 },
    ];
    expect(readSameName(rows).map(({ locked }) => locked)).toEqual([true, true, false, false]);
  });

  it('are named where people read what is done', () => {
    const step = new EndSessions({ user: "o'b", host: '%' });
    expect([String(step), JSON.stringify([step])]).toEqual([
      "-- ends the sessions of 'o''b'@'%'",
      `["-- ends the sessions of 'o''b'@'%'"]`,
    ]);
  });
});

describe.each([
  ['MySQL', mysql97, 'CONNECTION_ADMIN'],
  ['MariaDB', mariadb118, 'CONNECTION ADMIN'],
] as const)('what is said of sessions on %s', (_, server, word) => {
  const password = { fresh: { plugin: 'x', stored: new Secret('-') }, keepEarlier: false };
  const require = 'none' as const;
  const login = { password, defaultRoles: [], require, limits: NONE, locked: false };
  const accountOf = (user: string, host: string, other: Partial<Account> = {}) =>
    live(server, { user, host, grants: new Map(), roles: [], login }, other);
  const may = (on: 'everything' | 'dynamic') => {
    const level = on === 'dynamic' ? { on, word } : { on };
    return new Map([['', { level, privileges: new Set([word]), grantOption: false }]]);
  };
  const seen = (...accounts: readonly Account[]): ServerSeen => ({
    host: 'db1:3306',
    server: server satisfies Server,
    accounts: new Map(accounts.map((one) => [accountKey(one), one])),
    databases: new Map(),
    collations: new Map(),
    owned: new Map(),
    self: { user: 'understudy', host: '%' },
    hasTls: true,
  });
  const blog = accountOf('blog', '%');

  it('is nothing where they are ended, and the grant where it is missing', () => {
    const able = accountOf('understudy', '%', { grants: may('dynamic') });
    const unable = accountOf('understudy', '%');
    const role = accountOf('enders', '%', { grants: may('everything') });
    const byRole = accountOf('understudy', '%', { defaultRoles: [{ user: 'enders', host: '%' }] });
    expect(sessionsNote([blog], seen(blog, able))).toBeUndefined();
    expect(sessionsNote([blog], seen(blog, role, byRole))).toBeUndefined();
    expect(sessionsNote([blog], seen(blog, role, unable))).toContain(`GRANT ${word} ON *.*`);
  });

  it('is whose they may be, where another one of the name is open', () => {
    const able = accountOf('understudy', '%', { grants: may('everything') });
    const other = accountOf('blog', '10.%');
    expect(sessionsNote([blog], seen(blog, other, able))).toMatch(/^sessions of blog@% .*whose/);
    expect(sessionsNote([blog, other], seen(blog, other, able))).toBeUndefined();
  });
});
