import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Failed, isAbsent, lacksColumn, lacksPrivilege } from './answers.ts';
import type { Accounts } from './account.ts';
import type { Connection, Row } from './connect.ts';
import { namedValues } from './hosts.ts';
import { KeptAnswers } from './kept-answers.ts';
import { FIRST_LEDGER_LINES, LEDGER_LINES, NOW, nowIn, OWN_GRANT, readLedger } from './ledger.ts';
import { type LeftSizes, readLeftSizes } from './left-sizes.ts';
import { mariadbAccounts } from './mariadb-accounts.ts';
import { mysqlAccounts } from './mysql-accounts.ts';
import type { ObservedDatabase, ServerSeen, ServerSight } from './observed.ts';
import type { OtherNodes } from './other-nodes.ts';
import {
  dynamicOf,
  MariadbRows,
  MysqlRows,
  PRIVILEGES,
  questionsOf,
  readRows,
  UnreadableRows,
  VERSION,
} from './rows.ts';
import { parseVersion } from './server.ts';
import type { Server } from './server.ts';
import { sql } from './sql.ts';
import type { AccountName, Sql } from './sql.ts';

/** One question of a look, and all of them. Milliseconds. */
const QUESTION_MS = 5_000;
const LOOK_MS = 10_000;

const SELF = sql`SELECT CURRENT_USER() AS self`;
const CHARACTER_SETS = sql`SELECT CHARACTER_SET_NAME AS chars, DEFAULT_COLLATE_NAME AS standard FROM information_schema.CHARACTER_SETS`;
/** Only those that the account has a privilege on; it could do nothing to others. */
const DATABASES = sql`SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS chars, DEFAULT_COLLATION_NAME AS standard FROM information_schema.SCHEMATA`;
/** What may be set while the server runs. Each family knows two of them. */
const VARIABLES = sql`SHOW SESSION VARIABLES WHERE Variable_name IN ('partial_revokes', 'default_collation_for_utf8mb4', 'character_set_collations', 'have_ssl')`;
/** MySQL: it has no variable that says so. */
const TLS = sql`SELECT VALUE AS enabled FROM performance_schema.tls_channel_status WHERE CHANNEL = 'mysql_main' AND PROPERTY = 'Enabled'`;

/** What stays as it is while a session lasts. */
export interface Basis {
  readonly server: Pick<Server, 'flavor' | 'version' | 'dynamic'>;
  readonly self: AccountName;
  readonly characterSets: ReadonlyMap<string, string>;
  readonly kept: KeptAnswers;
}

/** What is not to be had of a server, as one look tells it. */
export type NotSeen = Exclude<ServerSight, { readonly status: 'seen' }>;

/** What a look gives, with what the next one on this session need not ask again. */
export type ReadServer =
  | {
      readonly seen: ServerSeen;
      /** As a sight has it. */
      readonly nowS?: number;
      readonly basis: Basis;
      /** The ledger is one of the first version: it is changed before anything is written to it. */
      readonly isOldLedger: boolean;
    }
  | NotSeen;

/** Where a look asks. `host`: as people write it. */
export interface Place {
  readonly host: string;
  readonly connection: Connection;
  readonly clock: Clock;
  /** As whom the agent writes to the ledger. */
  readonly owner?: string;
  /** Patterns of what the settings let it touch. */
  readonly scope: readonly string[];
  /** Of databases that left, as far as they were asked for; grows. */
  readonly sizes: LeftSizes;
  /** Other nodes of its cluster; absent: it is in none. */
  readonly nodes?: OtherNodes;
}

/** Reads all of a server, in some fifteen questions whatever it holds. Rejects with the signal's reason. Writes nothing. */
export async function readServer(
  place: Place,
  known: Basis | undefined,
  signal: AbortSignal,
): Promise<ReadServer> {
  const ask = asker(place, signal);
  try {
    const basis = known ?? (await readBasis(ask));
    const server = { ...basis.server, partialRevokes: false };
    const asked = await ask(VARIABLES);
    const variables = namedValues(asked);
    const exact = { ...server, partialRevokes: variables.get('partial_revokes') === 'ON' };
    const { kept } = basis;
    const accounts = await readAccounts(ask, exact, kept);
    const { isOldLedger, rows } = await readLines(ask);
    const ledger = kept.ledger.of({ rows }, () => readLedger(rows, place.owner));
    const databases = await ask(DATABASES);
    const seen: ServerSeen = {
      host: place.host,
      server: exact,
      accounts,
      databases: kept.databases.of({ databases }, () => databasesIn(databases)),
      collations: kept.collations.of({ asked }, () => {
        return collationsIn(basis.characterSets, variables);
      }),
      ...ledger,
      ...(place.owner !== undefined && { owner: place.owner }),
      scope: place.scope,
      self: basis.self,
      hasTls: await readTls(ask, exact, variables),
    };
    const hasLeft = [...seen.owned.values()].some(({ leftAt }) => leftAt !== undefined);
    const nowS = hasLeft ? nowIn(await ask(NOW)) : undefined;
    const { sizes } = place;
    const bytes =
      nowS === undefined
        ? new Map<Id, number>()
        : await readLeftSizes(seen, { sizes, nowS }, lenient(ask));
    const written = { accounts, server: exact, ask: lenient(ask) };
    const apart = (await place.nodes?.compare(written, signal)) ?? [];
    const same = kept.same({ ...seen, bytes, ...(apart.length > 0 && { apart }) });
    return { seen: same, basis, isOldLedger, ...(nowS !== undefined && { nowS }) };
  } catch (error) {
    if (error instanceof Unseen) return error.sight;
    if (error instanceof UnreadableRows) return { status: 'unusable', why: error.message };
    throw error;
  }
}

interface Needs {
  /** What makes the question allowed. */
  readonly grant?: string;
  /** What is asked for is made with the first write. */
  readonly mayBeAbsent?: boolean;
}

type Ask = (question: Sql, needs?: Needs) => Promise<readonly Row[]>;

/** Ends a look from within. */
class Unseen extends Error {
  override readonly name = 'Unseen';
  readonly sight: NotSeen;
  /** What was asked for has a column less. */
  readonly isOld: boolean;

  constructor(sight: NotSeen, isOld = false) {
    super(sight.why);
    this.sight = sight;
    this.isOld = isOld;
  }
}

/** Nothing where there is no answer: for what the look does not depend on. */
function lenient(ask: Ask): (question: Sql) => Promise<readonly Row[]> {
  return async (question) => {
    try {
      return await ask(question);
    } catch (error) {
      if (error instanceof Unseen) return [];
      throw error;
    }
  };
}

async function readLines(
  ask: Ask,
): Promise<{ readonly rows: readonly Row[]; readonly isOldLedger: boolean }> {
  const needs = { grant: OWN_GRANT, mayBeAbsent: true };
  try {
    return { rows: await ask(LEDGER_LINES, needs), isOldLedger: false };
  } catch (error) {
    if (!(error instanceof Unseen) || !error.isOld) throw error;
    return { rows: await ask(FIRST_LEDGER_LINES, needs), isOldLedger: true };
  }
}

/** Gives rows, or ends the look. */
function asker({ connection, clock }: Place, signal: AbortSignal): Ask {
  const end = clock.nowMs() + LOOK_MS;
  return async (question, { grant, mayBeAbsent = false } = {}) => {
    signal.throwIfAborted();
    const leftMs = Math.min(QUESTION_MS, end - clock.nowMs());
    if (leftMs <= 0) throw new Unseen({ status: 'away', why: 'reading it takes too long' });
    const answer = await connection.query(question, leftMs, signal);
    signal.throwIfAborted();
    if (answer.status === 'ok') return answer.value;
    if (mayBeAbsent && isAbsent(answer)) return [];
    throw new Unseen(sightOf(answer, grant), lacksColumn(answer));
  };
}

/** Pure. */
function sightOf(answer: Failed, grant: string | undefined): NotSeen {
  const lacks = lacksPrivilege(answer) && grant !== undefined;
  const why = lacks ? `${answer.why}: ${grant} is missing` : answer.why;
  const hopeless = answer.status === 'refused' && answer.retry === 'never';
  return { status: hopeless ? 'unusable' : 'away', why };
}

async function readBasis(ask: Ask): Promise<Basis> {
  const [version] = readRows(VersionRows, await ask(VERSION));
  const understood = parseVersion(version?.version ?? '');
  if ('reason' in understood) throw new Unseen({ status: 'unusable', why: understood.reason });
  const dynamic =
    understood.flavor === 'mysql' ? dynamicOf(await ask(PRIVILEGES)) : new Set<string>();
  return {
    server: { ...understood, dynamic },
    self: selfIn(await ask(SELF)),
    characterSets: pairsIn(await ask(CHARACTER_SETS)),
    kept: new KeptAnswers(),
  };
}

async function readAccounts(ask: Ask, server: Server, kept: KeptAnswers): Promise<Accounts> {
  const answers: Record<string, readonly Row[]> = {};
  for (const [name, question] of Object.entries(questionsOf(server))) {
    answers[name] = await ask(question, { grant: 'GRANT SELECT ON `mysql`.*' });
  }
  return kept.accounts.of({ ...answers, flags: [{ on: server.partialRevokes }] }, () => {
    return server.flavor === 'mysql'
      ? mysqlAccounts(readRows(MysqlRows, answers), server)
      : mariadbAccounts(readRows(MariadbRows, answers), server);
  });
}

async function readTls(
  ask: Ask,
  { flavor }: Server,
  variables: ReadonlyMap<string, string>,
): Promise<boolean> {
  if (flavor === 'mariadb') return variables.get('have_ssl') === 'YES';
  const rows = await ask(TLS, { grant: 'GRANT SELECT ON `performance_schema`.*' });
  return readRows(TlsRows, rows).some(({ enabled }) => enabled === 'Yes');
}

const VersionRows = z.array(z.looseObject({ version: z.string() }));
const TlsRows = z.array(z.looseObject({ enabled: z.string() }));
const SelfRows = z.tuple([z.looseObject({ self: z.string() })]);
const DatabaseRows = z.array(
  z.looseObject({ name: z.string(), chars: z.string(), standard: z.string() }),
);
const PairRows = z.array(z.looseObject({ chars: z.string(), standard: z.string() }));

/** Pure. A user may hold an `@`, a host does not. */
function selfIn(rows: readonly Row[]): AccountName {
  const [{ self }] = readRows(SelfRows, rows);
  const at = self.lastIndexOf('@');
  return { user: self.slice(0, at), host: self.slice(at + 1).toLowerCase() };
}

function databasesIn(rows: readonly Row[]): ReadonlyMap<string, ObservedDatabase> {
  return new Map(
    readRows(DatabaseRows, rows).map(({ name, chars, standard }) => [
      name,
      { characterSet: chars, collation: standard },
    ]),
  );
}

function pairsIn(rows: readonly Row[]): ReadonlyMap<string, string> {
  return new Map(readRows(PairRows, rows).map(({ chars, standard }) => [chars, standard]));
}

/** Pure. What a character set stands for in this session: both families let it be set otherwise. Exported for a test. */
export function collationsIn(
  characterSets: ReadonlyMap<string, string>,
  variables: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const utf8mb4 = variables.get('default_collation_for_utf8mb4');
  const others = (variables.get('character_set_collations') ?? '')
    .split(',')
    .flatMap((pair): readonly (readonly [string, string])[] => {
      const [, chars, collation] = /^\s*(\w+)\s*=\s*(\w+)\s*$/.exec(pair) ?? [];
      return chars === undefined || collation === undefined ? [] : [[chars, collation]];
    });
  return new Map([
    ...characterSets,
    ...(utf8mb4 === undefined ? [] : [['utf8mb4', utf8mb4] as const]),
    ...others,
  ]);
}
