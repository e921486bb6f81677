import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import type { Row } from './connect.ts';
import { namedBy } from './named.ts';
import type { ServerSeen } from './observed.ts';
import { readRows } from './rows.ts';
import { list, literal, sql, whole } from './sql.ts';
import type { Sql } from './sql.ts';

/** What was asked for, by the line of the ledger; undefined: nobody knows it. Asked once. */
export type LeftSizes = Map<string, number | undefined>;

/** It is said once, when something leaves: a process that begins later does not ask for all that ever left. Seconds. */
const RECENT_S = 60 * 60;
const ASKED_MAX = 64;
/** The server gives up then, before anybody stops waiting for it. Seconds. */
const PATIENCE_S = 2;

/** How large databases are that left just now, by one question for those that are not known yet. */
export async function readLeftSizes(
  { owned, databases }: Pick<ServerSeen, 'owned' | 'databases'>,
  { sizes, nowS }: { readonly sizes: LeftSizes; readonly nowS: number },
  ask: (question: Sql) => Promise<readonly Row[]>,
): Promise<ReadonlyMap<Id, number>> {
  const left = [...owned].flatMap(([id, { leftAt, leftAtS = -Infinity }]) => {
    if (nowS - leftAtS > RECENT_S) return [];
    const { what, name = '' } = namedBy(id) ?? {};
    return what === 'database' && databases.has(name)
      ? [{ id, name, line: `${id} ${leftAt ?? ''}` }]
      : [];
  });
  const fresh = left.filter(({ line }) => !sizes.has(line)).slice(0, ASKED_MAX);
  for (const { line } of fresh) sizes.set(line, undefined);
  if (fresh.length > 0) {
    const found = await read(
      fresh.map(({ name }) => name),
      ask,
    );
    for (const { name, line } of fresh) sizes.set(line, found?.get(name));
  }
  return new Map(
    left.flatMap(({ id, line }): [Id, number][] => {
      const size = sizes.get(line);
      return size === undefined ? [] : [[id, size]];
    }),
  );
}

const Sizes = z.array(
  z.looseObject({
    name: z.string(),
    bytes: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]),
  }),
);

/** Undefined where there is no answer. One without a table has nothing. */
async function read(
  names: readonly string[],
  ask: (question: Sql) => Promise<readonly Row[]>,
): Promise<ReadonlyMap<string, number> | undefined> {
  const rows = await ask(sizesOf(names));
  const found = new Map(readRows(Sizes, rows).map(({ name, bytes }) => [name, bytes]));
  return rows.length === 0 ? undefined : found;
}

/** Pure. Bytes of the tables that the account sees, a line for each of the databases. */
export function sizesOf(names: readonly string[]): Sql {
  const which = list(names.map(literal));
  const limit = whole(PATIENCE_S);
  return sql`/*M! SET STATEMENT max_statement_time = ${limit} FOR */ SELECT /*+ MAX_EXECUTION_TIME(${whole(PATIENCE_S * 1000)}) */ s.SCHEMA_NAME AS name, COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH), 0) AS bytes FROM information_schema.SCHEMATA AS s LEFT JOIN information_schema.TABLES AS t ON t.TABLE_SCHEMA = s.SCHEMA_NAME WHERE s.SCHEMA_NAME IN (${which}) GROUP BY s.SCHEMA_NAME`;
}
