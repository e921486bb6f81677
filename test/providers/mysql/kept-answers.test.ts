import { describe, expect, it } from 'vitest';

import { KeptAnswers } from '../../../agent/providers/mysql/kept-answers.ts';
import type { ServerSeen } from '../../../agent/providers/mysql/observed.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';

const dynamic = new Set(['BACKUP_ADMIN']);
const server: Server = { flavor: 'mysql', version: [9, 7, 0], dynamic, partialRevokes: false };
const empty = new Map();
const scope: readonly string[] = [];
const self = { user: 'understudy', host: '%' };
const seen = (more: Partial<ServerSeen> = {}): ServerSeen => ({
  host: 'db1:3306',
  server: { ...server },
  accounts: empty,
  databases: empty,
  collations: empty,
  owned: empty,
  scope,
  self,
  hasTls: true,
  bytes: new Map(),
  ...more,
});

const rowsOf = (answers: Readonly<Record<string, readonly object[]>>) =>
  Object.fromEntries(
    Object.entries(answers).map(([name, rows]) => [name, rows.map((row) => ({ ...row }))]),
  );

describe('what is made of an answer', () => {
  it('is the same object while the answer is the same, and made anew when it is another', () => {
    const kept = new KeptAnswers();
    const make = () => new Map();
    const first = kept.databases.of({ rows: [{ name: 'blog' }] }, make);
    expect(kept.databases.of({ rows: [{ name: 'blog' }] }, make)).toBe(first);
    const second = kept.databases.of({ rows: [{ name: 'shop' }] }, make);
    expect(second).not.toBe(first);
    expect(kept.databases.of({ rows: [{ name: 'blog' }] }, make)).not.toBe(first);
  });

  it.each<[string, Readonly<Record<string, readonly object[]>>]>([
    ['a row more', { rows: [{ a: 1, b: 'x' }, {}] }],
    ['no row', { rows: [] }],
    ['another cell', { rows: [{ a: 1, b: 'y' }] }],
    ['a cell more', { rows: [{ a: 1, b: 'x', c: null }] }],
    ['a cell less', { rows: [{ a: 1 }] }],
    ['the same cell under another name', { rows: [{ a: 1, c: 'x' }] }],
    ['another question', { others: [{ a: 1, b: 'x' }] }],
    ['one more question', { rows: [{ a: 1, b: 'x' }], others: [] }],
    ['what nobody compares', { rows: [{ a: 1, b: Buffer.from('x') }] }],
  ])('is made anew of an answer with %s', (_what, other) => {
    const kept = new KeptAnswers();
    const first = kept.databases.of({ rows: [{ a: 1, b: 'x' }] }, () => new Map());
    expect(kept.databases.of({ rows: [{ a: 1, b: 'x' }] }, () => new Map())).toBe(first);
    expect(kept.databases.of(rowsOf(other), () => new Map())).not.toBe(first);
  });

  it('is made once more where making it failed', () => {
    const kept = new KeptAnswers();
    const rows = { rows: [{ name: 'blog' }] };
    const fails = (): never => {
      throw new Error('unreadable');
    };
    expect(() => kept.databases.of(rows, fails)).toThrow('unreadable');
    const made = new Map([['blog', { characterSet: 'a', collation: 'b' }]]);
    expect(kept.databases.of(rows, () => made)).toBe(made);
  });
});

describe('what is seen', () => {
  it('is the same object while every part of it is', () => {
    const kept = new KeptAnswers();
    const first = kept.same(seen());
    expect(kept.same(seen())).toBe(first);
  });

  it.each<[string, Partial<ServerSeen>]>([
    ['the host', { host: 'db2:3306' }],
    ['the version', { server: { ...server, version: [9, 7, 1] } }],
    ['partial revokes', { server: { ...server, partialRevokes: true } }],
    ['what it has of privileges', { server: { ...server, dynamic: new Set(dynamic) } }],
    ['accounts', { accounts: new Map() }],
    ['databases', { databases: new Map() }],
    ['collations', { collations: new Map() }],
    ['the ledger', { owned: new Map() }],
    ['others', { foreign: new Map() }],
    ['the owner', { owner: 'production' }],
    ['sizes', { bytes: new Map([['mysql-database/blog', 1]]) }],
    ['what it may touch', { scope: ['blog'] }],
    ['TLS', { hasTls: false }],
  ])('is another one with another one of: %s', (_what, more) => {
    const kept = new KeptAnswers();
    const first = kept.same(seen());
    const second = kept.same(seen(more));
    expect(second).not.toBe(first);
    expect(second).toMatchObject(more);
    expect(kept.same(seen(more))).toBe(second);
  });
});
