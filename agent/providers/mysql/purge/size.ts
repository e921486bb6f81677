import { z } from 'zod';

import { sizeWords } from '../../../core/bytes.ts';
import type { PurgeFact } from '../../../core/purge.ts';
import type { Row } from '../connect.ts';
import { readRows } from '../rows.ts';
import type { Server } from '../server.ts';
import { literal, sql, type Sql } from '../sql.ts';

/** Pure. MySQL keeps what it knows of tables for a day: here it is to look. MariaDB looks always. */
export function freshNumbers({ flavor }: Pick<Server, 'flavor'>): readonly Sql[] {
  return flavor === 'mysql' ? [sql`SET SESSION information_schema_stats_expiry = 0`] : [];
}

/** Pure. What is in a database, in one line. Times by the server's clock; of many tables it does not know when they were written. */
export function contentOf(name: string): Sql {
  const date = sql`'%Y-%m-%dT%H:%i:%sZ'`;
  const utc = (moment: Sql): Sql =>
    sql`DATE_FORMAT(CONVERT_TZ(${moment}, @@session.time_zone, '+00:00'), ${date})`;
  return sql`SELECT COUNT(CASE WHEN TABLE_TYPE <> 'VIEW' THEN 1 END) AS tables_in, COUNT(CASE WHEN TABLE_TYPE = 'VIEW' THEN 1 END) AS views_in, COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS bytes, COALESCE(SUM(TABLE_ROWS), 0) AS rows_in, ${utc(sql`MIN(CREATE_TIME)`)} AS oldest, ${utc(sql`MAX(COALESCE(UPDATE_TIME, CREATE_TIME))`)} AS newest FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${literal(name)}`;
}

const Count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
const Content = z.tuple([
  z.looseObject({
    tables_in: Count,
    views_in: Count,
    bytes: Count,
    rows_in: Count,
    oldest: z.string().nullable(),
    newest: z.string().nullable(),
  }),
]);

/** Pure. Throws `UnreadableRows`. */
export function factsIn(rows: readonly Row[]): readonly PurgeFact[] {
  const [{ tables_in: tables, views_in: views, bytes, rows_in: about, ...times }] = readRows(
    Content,
    rows,
  );
  const { oldest, newest } = times;
  return [
    { key: 'bytes', value: bytes, label: 'size', words: sizeWords(bytes) },
    { key: 'tables', value: tables, label: 'tables', words: tablesWords(tables, about) },
    ...(views > 0 ? [{ key: 'views', value: views, label: 'views', words: String(views) }] : []),
    ...(oldest === null
      ? []
      : [{ key: 'oldest', value: oldest, label: 'oldest table', words: oldest }]),
    ...(newest === null
      ? []
      : [{ key: 'newest', value: newest, label: 'last change known', words: newest }]),
  ];
}

/** Servers guess how many rows there are. */
function tablesWords(tables: number, rows: number): string {
  return tables === 0 ? '0' : `${String(tables)}, about ${String(rows)} rows`;
}
