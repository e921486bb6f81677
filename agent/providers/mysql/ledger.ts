import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import type { Row } from './connect.ts';
import type { Owned } from './observed.ts';
import { readRows } from './rows.ts';
import { identifier, literal, sql } from './sql.ts';
import type { Sql } from './sql.ts';

// Which databases, roles and accounts are ours stands on the server itself, so that losing the Swarm loses nothing of it.
// One text for both families, and each statement may be carried out twice.

const SCHEMA = identifier('understudy');
export const LEDGER: Sql = sql`${SCHEMA}.${identifier('ledger')}`;
export const FENCE: Sql = sql`${SCHEMA}.${identifier('fence')}`;

/** What an account needs for the agent's own schema. */
export const OWN_GRANT = 'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `understudy`.*';

/**
 * What the agent keeps on a server, made with the first write. Each table has a primary key: groups and Galera take no other.
 * Ids differ by capitals; the server's own comparison would not see that.
 */
export const ownTables: readonly Sql[] = [
  sql`CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  sql`CREATE TABLE IF NOT EXISTS ${LEDGER} (id VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, digest VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, left_at DATETIME(3) NULL) ENGINE = InnoDB`,
  sql`CREATE TABLE IF NOT EXISTS ${FENCE} (one TINYINT NOT NULL PRIMARY KEY, term BIGINT NOT NULL, holder VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, server VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, connection BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB`,
];

/** Pure. The unit is ours and was written last as `digest` asks; it is in the repository (again). Goes before what makes it. */
export function claim(id: Id, digest: string): Sql {
  const kept = literal(digest);
  return sql`INSERT INTO ${LEDGER} (id, digest, left_at) VALUES (${literal(id)}, ${kept}, NULL) ON DUPLICATE KEY UPDATE digest = ${kept}, left_at = NULL`;
}

/** Pure. The unit left the repository now, by the server's clock. Said again it changes nothing. */
export function leave(id: Id): Sql {
  return sql`UPDATE ${LEDGER} SET left_at = UTC_TIMESTAMP(3) WHERE id = ${literal(id)} AND left_at IS NULL`;
}

/** Pure. The unit is ours no more. Goes after what removes it. */
export function release(id: Id): Sql {
  return sql`DELETE FROM ${LEDGER} WHERE id = ${literal(id)}`;
}

/** All of it. */
export const LEDGER_LINES: Sql = sql`SELECT id, digest, CONCAT(LEFT(DATE_FORMAT(left_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z') AS left_at FROM ${LEDGER}`;

const LedgerRows = z.array(
  z.looseObject({
    id: z.templateLiteral([z.string(), '/', z.string()]),
    digest: z.string(),
    left_at: z.string().nullable(),
  }),
);

/** Pure. Throws `UnreadableRows`. */
export function readLedger(rows: readonly Row[]): ReadonlyMap<Id, Owned> {
  return new Map(
    readRows(LedgerRows, rows).map(({ id, digest, left_at }) => [
      id,
      { digest, ...(left_at !== null && { leftAt: left_at }) },
    ]),
  );
}
