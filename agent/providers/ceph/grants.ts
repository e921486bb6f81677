/** A limit of one argument of a command. */
export interface Limit {
  readonly of: string;
  readonly how: 'equals' | 'prefix' | 'regex';
  readonly value: string;
}

/** One grant of a monitor or a manager daemon. `may`: of the letters `rwx`, or `*`. */
export type Grant =
  | { readonly what: 'letters'; readonly may: string }
  | { readonly what: 'service'; readonly name: string; readonly may: string }
  | { readonly what: 'module'; readonly name: string; readonly may: string }
  | { readonly what: 'command'; readonly name: string; readonly limits: readonly Limit[] }
  | { readonly what: 'profile'; readonly name: string };

/** What stands in quotes may hold a comma. */
const GRANT = /(?:"[^"]*"|'[^']*'|[^,;])+/g;

const WORD = String.raw`(?:"[^"]+"|'[^']+'|[A-Za-z0-9_./-]+)`;
/** In this order alone. */
const LETTERS = String.raw`(?:\*|all|(?=[rwx])r?w?x?)`;
/** From where, or for which file system: whether Ceph heeds it is not ours to say. */
const PLACES = String.raw`(?: (?:network|fsname)[ =]\S+)*`;

const LETTERS_ALONE = new RegExp(`^allow (?<may>${LETTERS})${PLACES}$`);
const SERVICE = new RegExp(`^allow service[ =](?<name>${WORD}) (?<may>${LETTERS})${PLACES}$`);
const MODULE = new RegExp(`^allow module[ =](?<name>${WORD})(?: with .+)? (?<may>${LETTERS})${PLACES}$`); // prettier-ignore
const COMMAND = new RegExp(`^allow command[ =](?<name>${WORD})(?: with (?<limits>.+?))?${PLACES}$`);
const PROFILE = new RegExp(`^(?:allow )?profile[ =](?<name>${WORD})(?: with)?(?: (?:network |[a-z_]+=)\\S+)*$`); // prettier-ignore
const LIMIT = new RegExp(`(?<of>${WORD})(?: (?<how>prefix|regex) |=)(?<value>${WORD})`, 'g');

/** Pure. The grants of a service, one by one, as they were written but for blanks. */
export function grantsIn(caps: string): readonly string[] {
  return [...caps.matchAll(GRANT)]
    .map(([grant]) => grant.trim().replaceAll(/\s+/g, ' '))
    .filter((grant) => grant !== '');
}

/** Pure. What one of them says, by the grammar of Ceph 16.2.15. Undefined: it says nothing that is known. */
export function readGrant(grant: string): Grant | undefined {
  const found =
    LETTERS_ALONE.exec(grant) ?? SERVICE.exec(grant) ?? MODULE.exec(grant) ?? COMMAND.exec(grant);
  const { name: word, may: letters, limits: texts } = found?.groups ?? {};
  const name = word === undefined ? undefined : bare(word);
  const may = letters === 'all' ? '*' : letters;
  if (may !== undefined) {
    if (name === undefined) return { what: 'letters', may };
    return { what: grant.startsWith('allow service') ? 'service' : 'module', name, may };
  }
  if (name !== undefined) {
    const limits = limitsIn(texts ?? '');
    return limits && { what: 'command', name, limits };
  }
  const profile = PROFILE.exec(grant)?.groups?.['name'];
  return profile === undefined ? undefined : { what: 'profile', name: bare(profile) };
}

/** Undefined: a part of it is no limit. */
function limitsIn(text: string): readonly Limit[] | undefined {
  if (text.replaceAll(LIMIT, '').trim() !== '') return undefined;
  return [...text.matchAll(LIMIT)].map(({ groups = {} }) => {
    const { of = '', how, value = '' } = groups;
    const kind = how === 'prefix' || how === 'regex' ? how : 'equals';
    return { of: bare(of), how: kind, value: bare(value) };
  });
}

function bare(word: string): string {
  return /^["']/.test(word) ? word.slice(1, -1) : word;
}
