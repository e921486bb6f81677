import type { Privilege } from '../../../schemas/mysql.ts';
import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import type { Path } from '../../core/path.ts';
import { hostProblem, objectProblem, roleProblem, userProblem } from './names.ts';
import { allProblem } from './privileges.ts';
import type { Server } from './server.ts';

// What no server takes, whichever it is: the author is told before any server is asked. What one of them takes is for later.

const plain = { dynamic: new Set<string>(), partialRevokes: false } as const;
/** The ones that take most. */
const SERVERS: readonly Server[] = [
  { ...plain, flavor: 'mysql', version: [999, 0, 0] },
  { ...plain, flavor: 'mariadb', version: [999, 0, 0] },
];

/** The reason of the server that takes more, where none takes it. */
function everywhere(rule: (server: Server) => string | undefined): string | undefined {
  const reasons = SERVERS.map(rule);
  return reasons.includes(undefined) ? undefined : reasons.at(-1);
}

/** Pure. Why this cannot be an account on any server. */
export function certainUserProblem(name: string): string | undefined {
  return everywhere((server) => userProblem(name, server));
}

/** Pure. Why this cannot be a role on any server. */
export function certainRoleProblem(name: string): string | undefined {
  return everywhere((server) => roleProblem(name, server));
}

/** Pure. Why this cannot be a host on any server. */
export function certainHostProblem(host: string): string | undefined {
  return everywhere((server) => hostProblem(host, server));
}

/** Something that is written, and what is wrong with it as a name. */
export type Problem = readonly [path: Path, reason: string | undefined];

/** Pure. What no server takes among what privileges are given on. A pattern is judged by the server. */
export function certainGrantProblems(privileges: readonly Privilege[]): readonly Problem[] {
  return privileges.flatMap(({ privileges: words, database, table, ...rest }, at) => {
    const { columns = [], routine, pattern } = rest;
    const isOne = database !== '*' && !pattern;
    const problems: readonly Problem[] = [
      [['privileges'], allProblem(words)],
      [['database'], isOne ? objectProblem(database) : undefined],
      [['table'], table === '*' ? undefined : objectProblem(table)],
      ...columns.map((column, index): Problem => [['columns', index], objectProblem(column)]),
      [['routine', 'name'], routine && objectProblem(routine.name)],
    ];
    return problems.map(([path, reason]): Problem => [['privileges', at, ...path], reason]);
  });
}

/** Pure. A mistake for each problem, at its place. */
export function nameMistakes(
  problems: readonly Problem[],
  place: (path: Path) => Place,
): readonly Diagnostic[] {
  return problems.flatMap(([path, reason]): readonly Diagnostic[] =>
    reason === undefined
      ? []
      : [{ severity: 'error', code: 'wrong-name', message: reason, place: place(path) }],
  );
}
