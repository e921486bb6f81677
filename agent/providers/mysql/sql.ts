import { inspect } from 'node:util';

import { Secret } from '../../core/secret.ts';

// The only place where text becomes SQL. Accounts and grants take no placeholders, so quoting is ours. It holds for a
// session that begins as `session` says (server.ts): a backslash escapes there, and text is in utf8mb4.

/** A piece of a statement. Made here alone; prints as `shown`. */
class Fragment {
  readonly text: Secret;
  /** The same with `<secret>` for what must not be seen: for plans and messages. */
  readonly shown: string;

  constructor(text: string, shown: string) {
    this.text = new Secret(text);
    this.shown = shown;
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }

  [inspect.custom](): string {
    return this.shown;
  }
}
export type Sql = Fragment;

/** Text that no quoting makes right. Says why, never what the text was. A bug: names are judged before. */
export class Unquotable extends Error {
  override readonly name = 'Unquotable';
}

function plain(text: string): Sql {
  return new Fragment(text, text);
}

/** Pure. A statement: its words as written here, and pieces made by this module between them. */
export function sql(words: TemplateStringsArray, ...pieces: readonly Sql[]): Sql {
  const joined = (of: (piece: Sql) => string): string =>
    words.map((word, index) => (index === 0 ? word : of(piece(pieces, index - 1)) + word)).join('');
  return new Fragment(
    joined(({ text }) => text.reveal()),
    joined(({ shown }) => shown),
  );
}

function piece(pieces: readonly Sql[], index: number): Sql {
  const found = pieces[index];
  if (!(found instanceof Fragment)) {
    throw new Unquotable('a piece of a statement was not made here');
  }
  return found;
}

/** Pure. Pieces with `, ` between them. There must be one. */
export function list(pieces: readonly Sql[]): Sql {
  const [first, ...others] = pieces;
  if (first === undefined) throw new Unquotable('a list is empty');
  return others.reduce((all, next) => sql`${all}, ${next}`, first);
}

/** Pure. Pieces with a blank between them; nothing where there are none. */
export function words(pieces: readonly Sql[]): Sql {
  const [first, ...others] = pieces;
  return others.reduce((all, next) => sql`${all} ${next}`, first ?? sql``);
}

const BEYOND_BMP = /[\u{10000}-\u{10FFFF}]/u;

/** What a server would cut (NUL), store as `?` (names are in utf8mb3), or not take at all (half a character). */
function checked(text: string): string {
  if (text.includes('\0')) throw new Unquotable('text holds a NUL character');
  if (!text.isWellFormed()) throw new Unquotable('text holds half a character');
  if (BEYOND_BMP.test(text)) throw new Unquotable('text holds a character beyond U+FFFF');
  return text;
}

function quoted(text: string): string {
  return `'${checked(text).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Pure. Text between single quotes. May be empty. */
export function literal(text: string): Sql {
  return plain(quoted(text));
}

/** Pure. The same for text that must not be seen: a hash is a secret too. */
export function secretLiteral(secret: Secret): Sql {
  return new Fragment(quoted(secret.reveal()), '<secret>');
}

/** Pure. Bytes, one a character, as `0x…`: salts hold control characters. There must be one. */
export function secretHex(secret: Secret): Sql {
  const bytes = secret.reveal();
  if (bytes === '' || /[^\0-\xFF]/.test(bytes)) throw new Unquotable('no bytes, or no byte');
  const hex = Buffer.from(bytes, 'latin1').toString('hex').toUpperCase();
  return new Fragment(`0x${hex}`, '<secret>');
}

/** Pure. A name between backticks: one name, whatever dots it holds. */
export function identifier(name: string): Sql {
  if (name === '') throw new Unquotable('a name is empty');
  return plain(`\`${checked(name).replaceAll('`', '``')}\``);
}

/** A name and where it may come from. A role of MariaDB has no host. */
export interface AccountName {
  readonly user: string;
  /** In small letters. Empty for a role of MariaDB alone. */
  readonly host: string;
}

/** Pure. `'user'@'host'`. Without a host a server would take `%`, or make another account. */
export function account({ user, host }: AccountName): Sql {
  if (user === '' || host === '') throw new Unquotable('a user or a host is empty');
  return sql`${literal(user)}@${literal(host)}`;
}

/** Pure. A role of MariaDB: a name alone. */
export function role(name: string): Sql {
  return identifier(name);
}

/** How a server reads what stands before `.*` in a grant. */
export interface PatternRules {
  /** `@@partial_revokes` of MySQL: names are plain then and patterns match nothing. Never true on MariaDB. */
  readonly partialRevokes: boolean;
}

/**
 * Pure. What the server keeps for a grant on all of this one database. Where patterns count `_` stands for any
 * character, so `site_1` would open `siteX1` too; where they do not, the escaped form opens nothing.
 */
export function storedDatabase(name: string, { partialRevokes }: PatternRules): string {
  return partialRevokes ? name : name.replaceAll(/[\\_%]/g, '\\$&');
}

/** Pure. The one database that a kept grant opens; undefined for a pattern, which may open many. */
export function databaseOf(stored: string, { partialRevokes }: PatternRules): string | undefined {
  if (partialRevokes) return stored;
  const isPattern = /[_%]/.test(stored.replaceAll(/\\./gsu, ''));
  return isPattern ? undefined : stored.replaceAll(/\\(.)/gsu, '$1');
}

const WORD = /^[A-Z]+(?:[ _][A-Z]+)*$/;

/** Pure. A privilege as it stands in a statement: unquoted, so only a word of a closed list. */
export function privilege(word: string, known: ReadonlySet<string>): Sql {
  if (!known.has(word) || !WORD.test(word)) {
    throw new Unquotable('a privilege is none that the server has');
  }
  return plain(word);
}

/** Pure. A whole number, not below zero but for limits that MariaDB takes so. */
export function whole(number: number): Sql {
  if (!Number.isSafeInteger(number)) throw new Unquotable('a number is not whole');
  return plain(String(number));
}
