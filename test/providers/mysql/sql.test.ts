import { inspect } from 'node:util';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  Unquotable,
  account,
  databaseOf,
  identifier,
  list,
  literal,
  privilege,
  role,
  secretHex,
  secretLiteral,
  sql,
  storedDatabase,
  whole,
  words,
} from '../../../agent/providers/mysql/sql.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { tokensOf } from './tokens.ts';

/** What people, and people who mean harm, put into names. */
const hostile = [
  'site.nl',
  'a-b',
  'a:b',
  'a_b',
  'na`me',
  "o'brien",
  '\\',
  "\\'",
  "\\\\'",
  "'; DROP USER root; -- ",
  "x'@'%' IDENTIFIED BY '",
  '`.* TO root; -- ',
  '"; -- ',
  '/* */',
  '# x',
  'line\nbreak\r\t\b\x1a',
  'ünï',
  '%',
];
const odd = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: fc.constantFrom("'", '"', '`', '\\', 'n', '0', '%', '_', ' ', ';', '-', '#') }),
  fc.string({ unit: 'binary' }),
);
const sayable = odd.filter(
  (text) => !text.includes('\0') && text.isWellFormed() && !/[\u{10000}-\u{10FFFF}]/u.test(text),
);
const name = sayable.filter((text) => text !== '');

describe('what a server reads back', () => {
  it('is the text that went in', () => {
    fc.assert(
      fc.property(sayable, name, name, name, (text, user, host, database) => {
        const statement = sql`GRANT ${privilege('SELECT', new Set(['SELECT']))} ON ${identifier(database)}.* TO ${account({ user, host })} COMMENT ${literal(text)}`;
        expect(tokensOf(statement.text.reveal())).toEqual([
          { type: 'word', text: 'GRANT' },
          { type: 'word', text: 'SELECT' },
          { type: 'word', text: 'ON' },
          { type: 'name', text: database },
          { type: 'word', text: '.' },
          { type: 'word', text: '*' },
          { type: 'word', text: 'TO' },
          { type: 'text', text: user },
          { type: 'word', text: '@' },
          { type: 'text', text: host },
          { type: 'word', text: 'COMMENT' },
          { type: 'text', text },
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(hostile)('is %j, as text, name, user and role', (text) => {
    const statement = words([
      literal(text),
      identifier(text),
      account({ user: text, host: 'h' }),
      role(text),
    ]);
    expect(tokensOf(statement.text.reveal()).map(({ text }) => text)).toEqual([
      text,
      text,
      text,
      '@',
      'h',
      text,
    ]);
  });

  it('is every byte of a hash, and none of them is seen', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
        const secret = new Secret(Buffer.from(bytes).toString('latin1'));
        const statement = sql`AS ${secretHex(secret)}`;
        expect(tokensOf(statement.text.reveal())[1]).toEqual({
          type: 'bytes',
          text: secret.reveal(),
        });
        expect(statement.shown).toBe('AS <secret>');
      }),
    );
  });
});

describe('what has no quoting', () => {
  it.each([
    ['NUL', 'a\0b'],
    ['a character beyond U+FFFF, which names cannot hold', 'a😀'],
    ['half a character', 'a\uD800'],
  ])('%s is refused everywhere, and not repeated', (_, text) => {
    const tries = [
      () => literal(text),
      () => identifier(text),
      () => role(text),
      () => account({ user: text, host: '%' }),
      () => account({ user: 'u', host: text }),
      () => secretLiteral(new Secret(text)),
    ];
    for (const attempt of tries) {
      expect(attempt).toThrow(Unquotable);
      expect(attempt).not.toThrow('a\0b');
    }
  });

  it.each([
    ['a name', () => identifier('')],
    ['a user', () => account({ user: '', host: '%' })],
    ['a host', () => account({ user: 'u', host: '' })],
    ['a list', () => list([])],
    ['bytes', () => secretHex(new Secret(''))],
    ['a byte that is none', () => secretHex(new Secret('\u0100'))],
    ['a number that is not whole', () => whole(1.5)],
    ['a number that is none', () => whole(Number.NaN)],
  ])('%s: empty or not one is refused', (_, attempt) => {
    expect(attempt).toThrow(Unquotable);
  });

  it.each(['select', 'ALL ON *.* TO x; --', 'SELECT ', '', 'SELECT (a)', 'DROP'])(
    'a privilege %j that is not one of the list is refused',
    (word) => {
      expect(() => privilege(word, new Set(['SELECT', 'CREATE VIEW']))).toThrow(Unquotable);
    },
  );

  it('a word that a list should never have had is refused too', () => {
    const list = new Set(['SELECT ON *.* TO root; --', 'select', 'A  B']);
    for (const word of list) expect(() => privilege(word, list)).toThrow(Unquotable);
  });
});

describe('a statement', () => {
  it('shows everything but its secrets, however it is printed', () => {
    const statement = sql`ALTER USER ${account({ user: 'u', host: '%' })} IDENTIFIED VIA p USING ${secretLiteral(new Secret('*CAFE'))}`;
    const shown = "ALTER USER 'u'@'%' IDENTIFIED VIA p USING <secret>";
    expect(statement.text.reveal()).toBe("ALTER USER 'u'@'%' IDENTIFIED VIA p USING '*CAFE'");
    for (const print of [statement.shown, String(statement), inspect(statement)]) {
      expect(print).toBe(shown);
    }
    expect(JSON.stringify({ statement })).toBe(JSON.stringify({ statement: shown }));
  });

  it('takes no piece that was made elsewhere', () => {
    const made = JSON.parse('{"text":"x","shown":"x"}');
    expect(() => sql`DROP USER ${made}`).toThrow(Unquotable);
  });

  it('joins lists and words', () => {
    const pieces = ['a', 'b'].map((name) => identifier(name));
    expect(list(pieces).shown).toBe('`a`, `b`');
    expect(words(pieces).shown).toBe('`a` `b`');
    expect(words([]).shown).toBe('');
    expect(whole(-1).shown).toBe('-1');
  });
});

/** How a server matches a database with a kept grant: `_` any one, `%` any number, a backslash takes what follows. */
function opens(stored: string, database: string): boolean {
  const pattern = stored.replaceAll(
    /\\(.)|([_%])|[^\\]/gsu,
    (found, escaped?: string, wild?: string) => {
      if (wild !== undefined) return wild === '_' ? '.' : '.*';
      return (escaped ?? found).replaceAll(/[$()*+.?[\\\]^{|}/-]/g, '\\$&');
    },
  );
  return new RegExp(`^${pattern}$`, 'su').test(database);
}

describe('the database of a grant', () => {
  const patterns = { partialRevokes: false };
  const exact = { partialRevokes: true };

  it.each([
    ['shop', 'shop', 'shop'],
    ['site_1', 'site\\_1', 'site_1'],
    ['100%', '100\\%', '100%'],
    ['a\\b', 'a\\\\b', 'a\\b'],
    ['site.nl', 'site.nl', 'site.nl'],
  ])('%s is kept as %s, and plain where partial revokes are on', (database, escaped, kept) => {
    expect(storedDatabase(database, patterns)).toBe(escaped);
    expect(storedDatabase(database, exact)).toBe(kept);
  });

  it.each(['site_1', 'site\\_%', '%', 'a\\\\_b'])('%s is a pattern', (stored) => {
    expect(databaseOf(stored, patterns)).toBeUndefined();
    expect(databaseOf(stored, exact)).toBe(stored);
  });

  it('opens that one and no other', () => {
    const some = fc.string({
      unit: fc.constantFrom('a', 'X', '_', '%', '\\', '.'),
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(some, some, (database, other) => {
        const stored = storedDatabase(database, patterns);
        expect(opens(stored, database)).toBe(true);
        expect(opens(stored, other)).toBe(other === database);
        expect(databaseOf(stored, patterns)).toBe(database);
        expect(databaseOf(storedDatabase(database, exact), exact)).toBe(database);
      }),
      { numRuns: 2000 },
    );
  });
});
