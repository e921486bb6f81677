import { MySQLDatabase, MySQLRole, MySQLUser } from '../../../schemas/mysql.ts';
import type { Privilege } from '../../../schemas/mysql.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { digestOf } from '../../core/digest.ts';
import { thingOf } from '../../core/document-id.ts';
import { documentKind } from '../../core/document-kind.ts';
import type {
  Claim,
  DocumentFolder,
  DocumentInput,
  DocumentResult,
  Want,
} from '../../core/document-kind.ts';
import type { Path } from '../../core/path.ts';
import {
  certainGrantProblems,
  certainHostProblem,
  certainRoleProblem,
  certainUserProblem,
  nameMistakes,
  type Problem,
} from './certain.ts';
import { databaseProblem, keptHost, textProblem } from './names.ts';
import { rotateDigest } from './generated.ts';
import { passwordOf } from './password-source.ts';
import type { MysqlSpec, PasswordSource } from './spec.ts';

const DATABASE = 'database';
const ROLE = 'role';

const database = documentKind<MySQLDatabase, MysqlSpec>(
  { kind: 'MySQLDatabase', unit: 'mysql-database', makes: DATABASE },
  MySQLDatabase,
  ({ dependsOn: _edges, suspend: _suspend, server: _server, ...own }, input) => {
    const diagnostics = mistakesOf(input, [[['name'], databaseProblem(own.name)]]);
    return { spec: { ...own, ...serverIn(input) }, diagnostics };
  },
);

const role = documentKind<MySQLRole, MysqlSpec>(
  { kind: 'MySQLRole', unit: 'mysql-role', makes: ROLE },
  MySQLRole,
  ({ dependsOn: _edges, suspend: _suspend, server: _server, ...own }, input) => {
    const problems: readonly Problem[] = [
      [['name'], certainRoleProblem(own.name)],
      ...certainGrantProblems(own.privileges),
    ];
    return {
      spec: { ...own, ...serverIn(input) },
      // MySQL keeps a role as an account that may come from anywhere.
      claims: [accountClaim({ name: own.name, host: '%' }, ['name'], input)],
      wants: databasesIn(own.privileges, input),
      diagnostics: mistakesOf(input, problems),
    };
  },
);

const user = documentKind<MySQLUser, MysqlSpec>(
  { kind: 'MySQLUser', unit: 'mysql-user' },
  MySQLUser,
  renderUser,
);

/** Pure: the folder `mysql/`. */
export const mysqlDocuments: DocumentFolder<MysqlSpec> = {
  folder: 'mysql',
  serverKey: 'server',
  kinds: [database, role, user],
};

function renderUser(written: MySQLUser, input: DocumentInput): DocumentResult<MysqlSpec> {
  const { dependsOn: _edges, suspend: _suspend, server: _server, password, ...own } = written;
  const found = passwordOf(password, input);
  const problems: readonly Problem[] = [
    [['name'], certainUserProblem(own.name)],
    ...own.hosts.map((host, at): Problem => [['hosts', at], certainHostProblem(host)]),
    ...own.roles.map((name, at): Problem => [['roles', at], certainRoleProblem(name)]),
    ...certificateProblems(own.require),
    ...certainGrantProblems(own.privileges),
  ];
  const secret = password.from === 'hash' ? undefined : password.secret;
  const thing = secret === undefined ? undefined : `secret:${secret}`;
  const accounts = own.hosts.map((host, at) =>
    accountClaim({ name: own.name, host }, ['hosts', at], input),
  );
  const spec = found.source && { ...own, password: found.source, ...serverIn(input) };
  return {
    ...(spec && { spec }),
    ...(found.closed && { closed: true }),
    // The Swarm has one secret of a name, whatever its capitals; servers stand beside each other.
    gives: thing === undefined ? [] : [thing],
    ...rotationsIn(thing, found.source, own.rotate),
    claims: [...(thing === undefined ? [] : [secretClaim(thing, input)]), ...accounts],
    wants: [...databasesIn(own.privileges, input), ...rolesIn(own.roles, input)],
    diagnostics: [...mistakesOf(input, problems), ...found.diagnostics, ...idle(written, input)],
    words: found.words,
  };
}

/** Which password it is that stacks find under the name: one that was never rotated is the one that always was there. */
function rotationsIn(
  thing: string | undefined,
  source: PasswordSource | undefined,
  rotate: string | undefined,
): Pick<DocumentResult<MysqlSpec>, 'rotations'> {
  if (thing === undefined || source === undefined) return {};
  if (source.from === 'file') return { rotations: new Map([[thing, digestOf(source.password)]]) };
  return rotate === undefined ? {} : { rotations: new Map([[thing, rotateDigest(rotate)]]) };
}

function certificateProblems(require: MySQLUser['require']): readonly Problem[] {
  if (typeof require === 'string') return [];
  return Object.entries(require).map(([key, text]) => [['require', key], textProblem(text)]);
}

function serverIn({ server }: DocumentInput): { readonly server?: string } {
  return server === undefined ? {} : { server };
}

function onServer({ named }: DocumentInput): { readonly server?: string } {
  return named === undefined ? {} : { server: named };
}

function mistakesOf(
  { located }: DocumentInput,
  problems: readonly Problem[],
): readonly Diagnostic[] {
  return nameMistakes(problems, (path) => located.place(path, 'value'));
}

function secretClaim(thing: string, { located }: DocumentInput): Claim {
  return { name: thing.toLowerCase(), place: located.place(['password', 'secret'], 'value') };
}

/** Accounts and roles have one list of names. A host has neither blanks nor `@`, so each claim stands for one account. */
function accountClaim(
  { name, host }: { readonly name: string; readonly host: string },
  path: Path,
  input: DocumentInput,
): Claim {
  const { named, located } = input;
  const where = named === undefined ? '' : ` on ${named}`;
  const at = `account:${name}@${keptHost(host)}${where}`;
  return { name: at, place: located.place(path, 'value') };
}

/** One database each: a pattern and everything open what may come later, and wait for nothing. */
function databasesIn(privileges: readonly Privilege[], input: DocumentInput): readonly Want[] {
  return privileges.flatMap(({ database: name, pattern }, at): readonly Want[] =>
    name === '*' || pattern
      ? []
      : [
          {
            on: thingOf(DATABASE, { name, ...onServer(input) }),
            place: input.located.place(['privileges', at, 'database'], 'value'),
          },
        ],
  );
}

function rolesIn(roles: readonly string[], input: DocumentInput): readonly Want[] {
  return roles.map((name, at) => ({
    on: thingOf(ROLE, { name, ...onServer(input) }),
    place: input.located.place(['roles', at], 'value'),
    named: `role \`${name}\``,
  }));
}

/** What is written and has no effect. */
function idle(
  { deletionPolicy, retention: _retention }: MySQLUser,
  { located }: DocumentInput,
): readonly Diagnostic[] {
  const { value } = located;
  const isWritten =
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'retention');
  if (!isWritten || deletionPolicy === 'Delete') return [];
  return [
    {
      severity: 'warning',
      code: 'ignored-key',
      message: '`retention` has no effect: the account stays when its document goes',
      place: located.place(['retention'], 'key'),
      hint: 'write `deletionPolicy: Delete` as well, or leave `retention` out',
    },
  ];
}
