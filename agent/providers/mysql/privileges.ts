import type { Privilege } from '../../../schemas/mysql.ts';
import { gathered } from './grants.ts';
import type { Grant, Grants, Level } from './grants.ts';
import { objectProblem } from './names.ts';
import { nameOf } from './server.ts';
import type { Server } from './server.ts';
import { databaseOf, storedDatabase } from './sql.ts';
import { folded, privilegesOf } from './words.ts';

/** Something declared that this server does not have, or does not take. */
export interface Refusal {
  /** Where, below the `privileges` of a document. */
  readonly path: readonly (string | number)[];
  /** Stands alone: no capital, no full stop. */
  readonly reason: string;
}

/** What a document's privileges are on one server. */
export interface Resolved {
  readonly grants: Grants;
  readonly refusals: readonly Refusal[];
}

/** Pure. Declared privileges as sets by level; several entries of one level are added. */
export function resolved(privileges: readonly Privilege[], server: Server): Resolved {
  const each = privileges.map((privilege, index) => resolvedOne(privilege, index, server));
  return {
    grants: gathered(each.flatMap(({ grants }) => grants)),
    refusals: each.flatMap(({ refusals }) => refusals),
  };
}

interface Entry {
  readonly grants: readonly Grant[];
  readonly refusals: readonly Refusal[];
}

function resolvedOne(privilege: Privilege, index: number, server: Server): Entry {
  const levels = levelsOf(privilege, server);
  const place = levels[0]?.on ?? 'everything';
  const { words, refusals } = wordsOf(privilege, place, server);
  const problems = [...nameProblems(privilege, server), ...refusals];
  if (problems.length > 0) {
    return {
      grants: [],
      refusals: problems.map(({ path, reason }) => ({ path: [index, ...path], reason })),
    };
  }
  return { grants: grantsOf(privilege, levels, words, server), refusals: [] };
}

/** The levels of one entry: several only for columns. Dynamic privileges are told apart later. */
function levelsOf(privilege: Privilege, server: Server): readonly Level[] {
  const { database, table, columns, routine, pattern } = privilege;
  if (database === '*') return [{ on: 'everything' }];
  if (routine !== undefined) {
    const type = routine.type === 'function' ? 'FUNCTION' : 'PROCEDURE';
    return [{ on: 'routine', type, database, name: routine.name }];
  }
  if (columns !== undefined) {
    return columns.map((column) => ({ on: 'column', database, table, column }));
  }
  if (table !== '*') return [{ on: 'table', database, table }];
  return [{ on: 'database', stored: pattern ? database : storedDatabase(database, server) }];
}

function nameProblems(privilege: Privilege, server: Server): readonly Refusal[] {
  const { database, table, columns = [], routine, pattern } = privilege;
  const named: readonly (readonly [Refusal['path'], string | undefined])[] = [
    [['database'], database === '*' ? undefined : databaseProblem(database, pattern, server)],
    [['table'], table === '*' ? undefined : objectProblem(table)],
    ...columns.map((column, index) => [['columns', index], objectProblem(column)] as const),
    [['routine', 'name'], routine === undefined ? undefined : objectProblem(routine.name)],
  ];
  return named.flatMap(([path, reason]) => (reason === undefined ? [] : [{ path, reason }]));
}

/** Characters that a server keeps for the database of a grant, with what was escaped. */
const STORED_MAX = 64;

function databaseProblem(database: string, pattern: boolean, server: Server): string | undefined {
  const problem = objectProblem(database);
  if (problem !== undefined) return problem;
  if (pattern && server.partialRevokes) {
    return 'the server has partial revokes on, so a pattern would open nothing';
  }
  if (pattern && databaseOf(database, server) !== undefined) {
    return 'this stands for one database alone: leave out `pattern`, and backslashes';
  }
  if (pattern || storedDatabase(database, server).length <= STORED_MAX) return undefined;
  return `the server keeps \`_\` and \`%\` as two characters each, and ${String(STORED_MAX)} in all`;
}

/** Words that are no privileges of a list, and what to write. */
const NO_PRIVILEGES: ReadonlyMap<string, string> = new Map([
  ['USAGE', '`USAGE` stands for no privilege: leave it out'],
  ['GRANT OPTION', 'write `grantOption: true`'],
  ['PROXY', '`PROXY` is not offered: servers do not pass it on to each other'],
]);
const ALL = new Set(['ALL', 'ALL PRIVILEGES']);

interface Words {
  readonly words: ReadonlySet<string>;
  readonly refusals: readonly Refusal[];
}

function wordsOf({ privileges }: Privilege, place: Level['on'], server: Server): Words {
  const written = privileges.map((word) => folded(word, server));
  if (written.some((word) => ALL.has(word))) return everyWord(written, place, server);
  const known = knownOf(place, server);
  const refusals = written.flatMap((word, index) => {
    if (known.has(word)) return [];
    return [{ path: ['privileges', index], reason: unknownWord(word, place, server) }];
  });
  return { words: new Set(written), refusals };
}

/** Pure. Why `ALL` does not go with the other words, on any server. */
export function allProblem(words: readonly string[]): string | undefined {
  const isAll = words.some((word) => ALL.has(word.toUpperCase()));
  return isAll && words.length > 1
    ? '`ALL` stands for every privilege: leave out the others'
    : undefined;
}

function everyWord(written: readonly string[], place: Level['on'], server: Server): Words {
  const problem = allProblem(written);
  if (problem !== undefined) return noWords(problem);
  if (place === 'column') return noWords('columns take no `ALL`: write the privileges');
  return { words: knownOf(place, server), refusals: [] };
}

function noWords(reason: string): Words {
  return { words: new Set(), refusals: [{ path: ['privileges'], reason }] };
}

function knownOf(place: Level['on'], server: Server): ReadonlySet<string> {
  const known = privilegesOf(place, server);
  return place === 'everything' ? known.union(privilegesOf('dynamic', server)) : known;
}

const PLACES: Readonly<Record<Level['on'], string>> = {
  everything: 'everything',
  dynamic: 'everything',
  database: 'a database',
  table: 'a table',
  column: 'a column',
  routine: 'a routine',
};

function unknownWord(word: string, place: Level['on'], server: Server): string {
  const other = NO_PRIVILEGES.get(word);
  if (other !== undefined) return other;
  if (!knownOf('everything', server).has(word)) {
    return `${nameOf(server)} ${server.version.join('.')} has no privilege \`${word}\``;
  }
  return `\`${word}\` is no privilege on ${PLACES[place]}`;
}

function grantsOf(
  { grantOption }: Privilege,
  levels: readonly Level[],
  words: ReadonlySet<string>,
  server: Server,
): readonly Grant[] {
  return levels.flatMap((level) => {
    if (level.on === 'everything') return everywhere(words, grantOption, server);
    if (level.on !== 'column') return [{ level, privileges: words, grantOption }];
    const { database, table } = level;
    const ofTable: Grant = {
      level: { on: 'table', database, table },
      privileges: new Set(),
      grantOption,
    };
    return [{ level, privileges: words, grantOption: false }, ofTable];
  });
}

/** A dynamic privilege is a level of its own, and the grant option of the others is not touched by it. */
function everywhere(
  words: ReadonlySet<string>,
  grantOption: boolean,
  { dynamic }: Server,
): readonly Grant[] {
  const fixed = words.difference(dynamic);
  const own = [...words.intersection(dynamic)].map((word): Grant => {
    return { level: { on: 'dynamic', word }, privileges: new Set([word]), grantOption };
  });
  const rest: Grant = { level: { on: 'everything' }, privileges: fixed, grantOption };
  return fixed.size === 0 ? own : [rest, ...own];
}
