import { createHash } from 'node:crypto';

import { z } from 'zod';

import type { Row } from './connect.ts';
import { FENCES } from './ledger.ts';
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

const HERE = sql`CONCAT(@@hostname, ':', @@port)`;
/** How long the lock is waited for: the session that had it was ended, and ends what it does first. Seconds. */
const LOCK_WAIT = whole(2);

/** What is asked and written of one fence. Who shares a server has one each: terms of two Swarms say nothing of each other. */
export interface Fence {
  /** Row and lock at one moment. */
  readonly look: Sql;
  /** The row with which all begins: nobody's. */
  readonly begin: Sql;
  readonly lock: Sql;
}

/** Pure. `owner`: whose fence it is; absent: of whoever is alone on the server. */
export function fenceOf(owner = ''): Fence {
  const whose = literal(owner);
  const lock = literal(lockName(owner));
  return {
    look: sql`SELECT CONNECTION_ID() AS own, ${HERE} AS here, IS_USED_LOCK(${lock}) AS locked_by, f.term AS term, f.holder AS holder, f.server AS there, f.connection AS session_id FROM (SELECT 1 AS one) AS base LEFT JOIN ${FENCES} AS f ON f.owner = ${whose}`,
    begin: sql`INSERT INTO ${FENCES} (owner, term, holder, server, connection) VALUES (${whose}, 0, '', '', 0) ON DUPLICATE KEY UPDATE owner = owner`,
    lock: sql`SELECT GET_LOCK(${lock}, ${LOCK_WAIT}) AS locked`,
  };
}

/** Pure. The lock of a fence, as the server names it: 64 characters at most, and no two that differ by capitals. */
export function lockName(owner = ''): string {
  if (owner === '') return 'understudy';
  return `understudy:${createHash('sha256').update(owner).digest('hex').slice(0, 32)}`;
}

/** Pure. Puts this session into the row, if that is still what was seen. */
export function raise(seen: FenceRow, { term, holder }: Writer, owner = ''): Sql {
  return sql`UPDATE ${FENCES} SET term = ${whole(term)}, holder = ${literal(holder)}, server = ${HERE}, connection = CONNECTION_ID() WHERE owner = ${literal(owner)} AND term = ${whole(seen.term)} AND holder = ${literal(seen.holder)} AND connection = ${whole(seen.connection)}`;
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
    const why = `an agent of term ${row.term} writes there, and ours is ${term}: where no agent of that Swarm is left, delete its row in \`understudy\`.\`fences\``;
    return { is: 'closed', why };
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
