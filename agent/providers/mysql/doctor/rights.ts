import type { Finding, Severity } from '../../../core/finding.ts';
import { namesInWords } from '../../../core/finding.ts';
import type { Flavor } from '../server.ts';
import { isLike } from '../like.ts';
import { account, databaseOf, identifier, sql } from '../sql.ts';
import type { AccountName, Sql } from '../sql.ts';

/** What the agent's own account may do, as the server tells it to itself. */
export interface OwnRights {
  readonly self: AccountName;
  readonly flavor: Flavor;
  /** Words on everything, in capitals; with `GRANT OPTION` where it may give them on. */
  readonly everything: ReadonlySet<string>;
  /** The same by database, as the server keeps it: a pattern. */
  readonly databases: ReadonlyMap<string, ReadonlySet<string>>;
  /** MySQL: names of databases are plain then, and no patterns. */
  readonly partialRevokes: boolean;
  /** Roles that count for it: what they give is not in the lists. */
  readonly hasRoles: boolean;
}

interface Need {
  readonly severity: Severity;
  readonly code: 'mysql-right-missing' | 'mysql-right-useful';
  readonly only?: Flavor;
  /** Absent: on everything. */
  readonly database?: string;
  readonly words: readonly string[];
  /** What does not work without. */
  readonly why: string;
  readonly grant: Sql;
}

const CUT =
  'sessions of an account that is locked or dropped go on until they end; and one of another account that keeps the lock of the agents cannot be ended';

/** `GRANT …`, without to whom. All that the agent is ever to have, but for databases: those are for a person to choose. */
const NEEDS: readonly Need[] = [
  {
    severity: 'critical',
    code: 'mysql-right-missing',
    words: ['CREATE USER'],
    why: 'no account and no role is made, changed or locked',
    grant: sql`GRANT CREATE USER ON *.*`,
  },
  {
    severity: 'critical',
    code: 'mysql-right-missing',
    database: 'mysql',
    words: ['SELECT'],
    why: 'the agent does not see which accounts there are, and does nothing on this server',
    grant: sql`GRANT SELECT ON ${identifier('mysql')}.*`,
  },
  {
    severity: 'critical',
    code: 'mysql-right-missing',
    only: 'mysql',
    database: 'performance_schema',
    words: ['SELECT'],
    why: 'the agent does not see which member of a group takes writes, and does nothing on this server',
    grant: sql`GRANT SELECT ON ${identifier('performance_schema')}.*`,
  },
  {
    severity: 'critical',
    code: 'mysql-right-missing',
    database: 'understudy',
    words: ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER'],
    why: 'it keeps there what is its own, and who of several agents writes',
    grant: sql`GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON ${identifier('understudy')}.*`,
  },
  {
    severity: 'warning',
    code: 'mysql-right-missing',
    only: 'mysql',
    words: ['ROLE_ADMIN'],
    why: 'no role is given to an account; nothing else needs it',
    grant: sql`GRANT ROLE_ADMIN ON *.*`,
  },
  {
    severity: 'warning',
    code: 'mysql-right-missing',
    only: 'mysql',
    words: ['CONNECTION_ADMIN'],
    why: CUT,
    grant: sql`GRANT CONNECTION_ADMIN ON *.*`,
  },
  {
    severity: 'warning',
    code: 'mysql-right-missing',
    only: 'mariadb',
    words: ['CONNECTION ADMIN'],
    why: CUT,
    grant: sql`GRANT CONNECTION ADMIN ON *.*`,
  },
  {
    severity: 'note',
    code: 'mysql-right-useful',
    only: 'mariadb',
    database: 'mysql',
    words: ['UPDATE'],
    why: '`defaultRoles` cannot be set; whoever has it may do everything, so leave it out without such roles',
    grant: sql`GRANT UPDATE ON ${identifier('mysql')}.*`,
  },
];

/** What on everything no need of the agent asks for and makes whoever has its password an administrator. */
const TOO_MUCH: ReadonlySet<string> = new Set([
  'SUPER',
  'SYSTEM_USER',
  'FILE',
  'SHUTDOWN',
  'RELOAD',
  'SET USER',
  'SET_ANY_DEFINER',
  'SET_USER_ID',
]);

/** Pure. What is missing, each with its GRANT, and what is too much. `name`: as the settings call the server. */
export function judgeRights(name: string, rights: OwnRights): readonly Finding[] {
  const where = `server ${name}`;
  const needs = NEEDS.filter(({ only }) => only === undefined || only === rights.flavor);
  const missing = needs.flatMap((need): Finding[] => {
    const lacks = need.words.filter((word) => !has(rights, word, need.database));
    if (lacks.length === 0) return [];
    const on = need.database === undefined ? 'everything' : `\`${need.database}\``;
    const what = `the agent's account may not ${namesInWords(lacks)} on ${on}`;
    return [finding(rights, { ...need, what, where, command: to(need.grant, rights) })];
  });
  return [...missing, ...databaseFindings(where, rights), ...tooMuch(where, rights)];
}

function has(rights: OwnRights, word: string, database?: string): boolean {
  if (rights.everything.has(word)) return true;
  return database !== undefined && wordsOn(database, rights).has(word);
}

/** Of several that cover it the most specific one counts alone, as servers sort them: the one that is written out furthest. */
function wordsOn(database: string, { databases, partialRevokes }: OwnRights): ReadonlySet<string> {
  const rules = { partialRevokes };
  const covering = [...databases].filter(([stored]) =>
    partialRevokes ? stored === database : isLike(database, stored),
  );
  const length = ([stored]: readonly [string, unknown]): number =>
    databaseOf(stored, rules) === undefined ? writtenOut(stored) : Infinity;
  const [most] = covering.toSorted((one, other) => length(other) - length(one));
  return most?.[1] ?? new Set();
}

/** Characters before the first that stands for others. */
function writtenOut(pattern: string): number {
  const [first = ''] = /^(?:\\.|[^_%])*/su.exec(pattern) ?? [];
  return first.replaceAll(/\\(.)/gsu, '$1').length;
}

/** Which databases is for a person to say: with a pattern that covers them and no others. */
function databaseFindings(where: string, rights: OwnRights): readonly Finding[] {
  const levels = [rights.everything, ...rights.databases.values()];
  const gives = levels.some((words) => words.has('GRANT OPTION') && words.has('CREATE'));
  if (gives) return [];
  const grant = sql`GRANT ALL PRIVILEGES ON ${identifier('site\\_%')}.*`;
  return [
    finding(rights, {
      severity: 'critical',
      code: 'mysql-right-missing',
      where,
      what: "the agent's account may make no database, and give nothing on one",
      why: 'what an account is to have it gets from what the agent has itself, with the grant option',
      command: `${to(grant, rights).slice(0, -1)} WITH GRANT OPTION;`,
      advice:
        'write your own pattern in place of `site\\_%`, one line for each; `_` and `%` stand for any characters there',
    }),
  ];
}

function tooMuch(where: string, rights: OwnRights): readonly Finding[] {
  const words = [...rights.everything].filter((word) => TOO_MUCH.has(word)).toSorted();
  if (words.length === 0) return [];
  return [
    {
      severity: 'note',
      code: 'mysql-rights-too-many',
      where,
      what: `the agent's account may ${namesInWords(words)} on everything`,
      why: 'it needs none of it, and who gets hold of its password may do it',
      advice: 'take it away, or make an account for the agent alone',
    },
  ];
}

type Told = Pick<Finding, 'severity' | 'code' | 'where' | 'what' | 'why' | 'command'> &
  Partial<Pick<Finding, 'advice'>>;

/** What a role gives is not looked into: with one nobody knows whether it is missing. */
function finding({ hasRoles }: OwnRights, told: Told): Finding {
  const { severity, code, where, what, why, command, advice } = told;
  const isCertain = !hasRoles;
  return {
    severity: isCertain ? severity : 'note',
    code,
    where,
    what: isCertain ? what : `${what}, unless a role of its own gives it`,
    why,
    advice: advice ?? 'as an administrator of the server, after reading it',
    ...(command !== undefined && { command }),
  };
}

function to(grant: Sql, { self }: OwnRights): string {
  return `${String(sql`${grant} TO ${account(self)}`)};`;
}
