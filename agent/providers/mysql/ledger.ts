import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import type { Row } from './connect.ts';
import type { Owned } from './observed.ts';
import { readRows } from './rows.ts';
import { identifier, list, literal, sql, whole } from './sql.ts';
import type { Sql } from './sql.ts';

// Which databases, roles and accounts are ours stands on the server itself, so that losing the Swarm loses nothing of it.
// One text for both families, and each statement may be carried out twice.

const SCHEMA = identifier('understudy');
export const LEDGER: Sql = sql`${SCHEMA}.${identifier('ledger')}`;
export const FENCES: Sql = sql`${SCHEMA}.${identifier('fences')}`;

/** What an account needs for the agent's own schema. */
export const OWN_GRANT = 'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `understudy`.*';

/** What a line has beside what the first version had. Each may be empty: of a line of that version nothing more is known. */
const ADDED: readonly (readonly [string, Sql])[] = [
  ['deletes', sql`TINYINT NULL`],
  ['retention_s', sql`BIGINT NULL`],
  ['owner', sql`VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL`],
];
const added = ADDED.map(([name, type]) => sql`${identifier(name)} ${type}`);

/** Pure. What a ledger of the first version lacks. Said to one that has it already it is refused (1060). */
export const ledgerUpgrade: Sql = sql`ALTER TABLE ${LEDGER} ${list(added.map((column) => sql`ADD COLUMN ${column}`))}`;

/**
 * What the agent keeps on a server, made with the first write. Each table has a primary key: groups and Galera take no other.
 * Ids differ by capitals; the server's own comparison would not see that.
 */
export const ownTables: readonly Sql[] = [
  sql`CREATE DATABASE IF NOT EXISTS ${SCHEMA} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  sql`CREATE TABLE IF NOT EXISTS ${LEDGER} (id VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, digest VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, left_at DATETIME(3) NULL, ${list(added)}) ENGINE = InnoDB`,
  sql`CREATE TABLE IF NOT EXISTS ${FENCES} (owner VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, term BIGINT NOT NULL, holder VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, server VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, connection BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB`,
];

const NONE = sql`NULL`;

/** What is kept of a unit for the time when its document is gone. */
export interface Claimed {
  /** Of what was asked for. */
  readonly digest: string;
  /** It goes some day when its document does; absent: it stays. Seconds after it left. */
  readonly retentionS?: number;
  /** Whose it is, where several share the server. */
  readonly owner?: string;
}

/** Pure. The unit is ours and was written last as `digest` asks; it is in the repository (again). Goes before what makes it. */
export function claim(id: Id, { digest, retentionS, owner }: Claimed): Sql {
  const values: readonly (readonly [string, Sql])[] = [
    ['digest', literal(digest)],
    ['left_at', NONE],
    ['deletes', retentionS === undefined ? whole(0) : whole(1)],
    ['retention_s', retentionS === undefined ? NONE : whole(retentionS)],
    ['owner', owner === undefined ? NONE : literal(owner)],
  ];
  const names = list(values.map(([name]) => identifier(name)));
  const given = list(values.map(([, value]) => value));
  // What another one wrote since the look stays his. The owner is set last: each line sees what those before it have set.
  const set = list(
    values.map(([name, value]) => {
      const column = identifier(name);
      return sql`${column} = IF(${isOwn(owner)}, ${value}, ${column})`;
    }),
  );
  return sql`INSERT INTO ${LEDGER} (id, ${names}) VALUES (${literal(id)}, ${given}) ON DUPLICATE KEY UPDATE ${set}`;
}

/** Pure. The unit left the repository now, by the server's clock. Said again it changes nothing. */
export function leave(id: Id, owner?: string): Sql {
  return sql`UPDATE ${LEDGER} SET left_at = UTC_TIMESTAMP(3) WHERE id = ${literal(id)} AND left_at IS NULL AND ${isOwn(owner)}`;
}

/** Pure. The unit is ours no more. Goes after what removes it. */
export function release(id: Id, owner?: string): Sql {
  return sql`DELETE FROM ${LEDGER} WHERE id = ${literal(id)} AND ${isOwn(owner)}`;
}

/** What nobody is named for is whoever's who writes. */
function isOwn(owner: string | undefined): Sql {
  const none = sql`owner IS NULL`;
  return owner === undefined ? none : sql`(${none} OR owner = ${literal(owner)})`;
}

// Nothing in it that changes by itself: who compares looks sees that nothing else did.
const LINE = sql`SELECT id, digest, CONCAT(LEFT(DATE_FORMAT(left_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z') AS left_at, ${sinceEpoch(sql`left_at`)} AS left_at_s`;

/** All of it. */
export const LEDGER_LINES: Sql = sql`${LINE}, deletes, retention_s, owner FROM ${LEDGER}`;
/** The same of a ledger of the first version, which has no more. */
export const FIRST_LEDGER_LINES: Sql = sql`${LINE} FROM ${LEDGER}`;

/** What time it is on the server, as `nowIn` reads it. */
export const NOW: Sql = sql`SELECT ${sinceEpoch(sql`UTC_TIMESTAMP(3)`)} AS now_s`;

/** Pure. Throws `UnreadableRows`. */
export function nowIn(rows: readonly Row[]): number {
  return readRows(z.tuple([z.looseObject({ now_s: Whole })]), rows)[0].now_s;
}

/** Seconds, whatever the time zone of a session is. */
function sinceEpoch(moment: Sql): Sql {
  return sql`TIMESTAMPDIFF(SECOND, '1970-01-01', ${moment})`;
}

const Whole = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);
const LedgerRows = z.array(
  z.looseObject({
    id: z.templateLiteral([z.string(), '/', z.string()]),
    digest: z.string(),
    left_at: z.string().nullable(),
    left_at_s: Whole.nullish(),
    deletes: Whole.nullish(),
    retention_s: Whole.nullish(),
    owner: z.string().nullish(),
  }),
);

/** A ledger, as somebody reads it who shares the server. */
export interface LedgerSeen {
  readonly owned: ReadonlyMap<Id, Owned>;
  /** What is another one's, and whose. */
  readonly foreign: ReadonlyMap<Id, string>;
}

/** Pure. Throws `UnreadableRows`. `owner`: who reads; what nobody is named for is his too. */
export function readLedger(rows: readonly Row[], owner?: string): LedgerSeen {
  const owned = new Map<Id, Owned>();
  const foreign = new Map<Id, string>();
  for (const { id, digest, ...row } of readRows(LedgerRows, rows)) {
    if (typeof row.owner === 'string' && row.owner !== owner) {
      foreign.set(id, row.owner);
      continue;
    }
    const { left_at: leftAt, left_at_s: leftAtS, retention_s: retentionS } = row;
    const hasLeft = leftAt !== null && typeof leftAtS === 'number';
    const goes = row.deletes === 1 && typeof retentionS === 'number';
    owned.set(id, {
      digest,
      ...(hasLeft && { leftAt, leftAtS }),
      ...(goes && { retentionS }),
      ...(typeof row.owner === 'string' && { owner: row.owner }),
    });
  }
  return { owned, foreign };
}
