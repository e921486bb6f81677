import { z } from 'zod';

import type { Row } from './connect.ts';
import { FENCE } from './ledger.ts';
import { readRows } from './rows.ts';
import { literal, sql, whole } from './sql.ts';
import type { Sql } from './sql.ts';

/** An agent in one of the times in which it leads. */
export interface Writer {
  /** Grows with every change of who leads. */
  readonly term: number;
  /** The process, by a name that no other one has. */
  readonly holder: string;
}

/** Who wrote last, as the server keeps it. */
export interface FenceRow extends Writer {
  /** The session that writes, and the server that it is on: each counts for itself. */
  readonly connection: number;
  readonly server: string;
}

/** All that one question says about who may write, from the session that asks. */
export interface FenceSeen {
  readonly own: number;
  readonly here: string;
  /** The session that has the named lock on this server. */
  readonly lockedBy?: number;
  readonly row?: FenceRow;
}

/** `ours`: this session may write. `open`: it may take the fence. `named`: the row names it, and the lock is not its own yet. */
export type FenceVerdict =
  { readonly is: 'ours' | 'open' | 'named' } | { readonly is: 'closed'; readonly why: string };

const LOCK = literal('understudy');
const HERE = sql`CONCAT(@@hostname, ':', @@port)`;
/** How long the lock is waited for: the session that had it was ended, and ends what it does first. Seconds. */
const LOCK_WAIT = whole(2);

/** Row and lock at one moment. */
export const FENCE_LOOK: Sql = sql`SELECT CONNECTION_ID() AS own, ${HERE} AS here, IS_USED_LOCK(${LOCK}) AS locked_by, f.term AS term, f.holder AS holder, f.server AS there, f.connection AS session_id FROM (SELECT 1 AS one) AS base LEFT JOIN ${FENCE} AS f ON f.one = base.one`;
/** The row with which all begins: nobody's. */
export const FENCE_BEGIN: Sql = sql`INSERT INTO ${FENCE} (one, term, holder, server, connection) VALUES (1, 0, '', '', 0) ON DUPLICATE KEY UPDATE one = 1`;
export const FENCE_LOCK: Sql = sql`SELECT GET_LOCK(${LOCK}, ${LOCK_WAIT}) AS locked`;

/** Pure. Puts this session into the row, if that is still what was seen. */
export function raise(seen: FenceRow, { term, holder }: Writer): Sql {
  return sql`UPDATE ${FENCE} SET term = ${whole(term)}, holder = ${literal(holder)}, server = ${HERE}, connection = CONNECTION_ID() WHERE one = 1 AND term = ${whole(seen.term)} AND holder = ${literal(seen.holder)} AND connection = ${whole(seen.connection)}`;
}

/** Pure. Ends a session, and what it does. */
export function endSession(connection: number): Sql {
  return sql`KILL ${whole(connection)}`;
}

/** Pure. */
export function judgeFence(seen: FenceSeen, { term, holder }: Writer): FenceVerdict {
  const { own, here, lockedBy, row } = seen;
  if (row === undefined || row.term < term) return { is: 'open' };
  if (row.term > term) {
    return { is: 'closed', why: `an agent of term ${row.term} writes there, and ours is ${term}` };
  }
  if (row.holder !== holder) {
    return { is: 'closed', why: `another agent writes there, with the term ${term} that is ours` };
  }
  if (row.connection !== own || row.server !== here) return { is: 'open' };
  return { is: lockedBy === own ? 'ours' : 'named' };
}

/** Pure. Whether nobody but this session can have written, or be writing, before it takes the fence. */
export function isAlone({ own, here, lockedBy, row }: FenceSeen): boolean {
  if (row === undefined || row.term === 0) return lockedBy === undefined || lockedBy === own;
  return row.connection === own && row.server === here && lockedBy === own;
}

const Whole = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
const FenceRows = z.tuple([
  z.looseObject({
    own: Whole,
    here: z.string(),
    locked_by: Whole.nullable(),
    term: Whole.nullable(),
    holder: z.string().nullable(),
    there: z.string().nullable(),
    session_id: Whole.nullable(),
  }),
]);

/** Pure. Throws `UnreadableRows`. */
export function readFence(rows: readonly Row[]): FenceSeen {
  const [{ own, here, locked_by, term, holder, there, session_id }] = readRows(FenceRows, rows);
  const hasRow = term !== null && holder !== null && there !== null && session_id !== null;
  return {
    own,
    here,
    ...(locked_by !== null && { lockedBy: locked_by }),
    ...(hasRow && { row: { term, holder, server: there, connection: session_id } }),
  };
}
