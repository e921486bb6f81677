import type { Id } from './kind.ts';

// Names of servers hold anything: dots, blanks, quotes, other alphabets. Ids are read by people, typed in shells and written in
// `dependsOn`, and the record takes no blanks. So what does not fit is written as in addresses: `%20`.

/** Characters beside letters and digits that a name keeps in an id. */
const KEPT = /^[A-Za-z0-9_.-]$/;
/** In what is compared without regard to case a capital letter is written as its code, so that two names stay two. */
const KEPT_SMALL = /^[a-z0-9_.-]$/;

/** Most characters of an id behind its kind: the record takes no more. */
const TAIL_MAX = 200;

/** Pure. A name as a part of an id. Undefined where it holds half a character. */
export function encodedName(name: string): string | undefined {
  return encoded(name, KEPT);
}

/** Pure. The name that such a part stands for; undefined where it is none. */
export function decodedName(part: string): string | undefined {
  try {
    const name = decodeURIComponent(part);
    return encodedName(name) === part ? name : undefined;
  } catch {
    return undefined;
  }
}

function encoded(name: string, kept: RegExp): string | undefined {
  if (!name.isWellFormed()) return undefined;
  const parts = Array.from(name, (character, at) => {
    // An id begins with neither, and `..` is no name of a folder then.
    const isFirst = at === 0 && (character === '.' || character === '-');
    return kept.test(character) && !isFirst ? character : percent(character);
  });
  return parts.join('');
}

function percent(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

/** A name on a server. */
export interface Named {
  readonly name: string;
  /** Names of what it lies in on that server, outermost first. Absent: it lies in nothing. */
  readonly within?: readonly string[];
  /** Absent: the default one. */
  readonly server?: string;
}

/**
 * Pure. `mysql-user/blog`, `mysql-user/main/blog`, `ceph-subvolume/cephfs/sites/blog`. Undefined where the names are too long
 * for one, empty, or no text.
 */
export function documentId(kind: string, { name, within = [], server }: Named): Id | undefined {
  const parts = [...within, name].map(encodedName);
  if (parts.some((part) => part === undefined || part === '')) return undefined;
  const tail = [...(server === undefined ? [] : [server]), ...parts].join('/');
  return tail.length > TAIL_MAX ? undefined : `${kind}/${tail}`;
}

/** Pure. What a unit needs or gives: `database:blog`, `database:main/blog`. The same for the same name alone, also where case is not looked at. */
export function thingOf(what: string, { name, within = [], server }: Named): string {
  const names = [...(server === undefined ? [] : [server]), ...within, name];
  const parts = names.map((one) => encoded(one.toWellFormed(), KEPT_SMALL) ?? '');
  return `${what}:${parts.join('/')}`;
}

/** Pure. The names in what `thingOf` gives, as people write them. */
export function namesIn(thing: string): string {
  return decodeURIComponent(thing.slice(thing.indexOf(':') + 1));
}
