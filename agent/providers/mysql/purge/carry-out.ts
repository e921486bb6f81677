import { z } from 'zod';

import type { PurgeGround } from '../../../core/purge.ts';
import type { Failed, NotOk } from '../answers.ts';
import type { Answer, Connection } from '../connect.ts';
import { findWriter } from '../find-writer.ts';
import { readRows } from '../rows.ts';
import { literal, sql, type Sql } from '../sql.ts';
import { dropDatabase, giveLinesBack, removeLines, takeLines, takenLines } from './drop.ts';
import { type DatabasePlace, linesOf } from './judge.ts';
import type { Looked, Reach } from './look.ts';

/** Of what is asked beside the deletion. Milliseconds. */
const STATEMENT_MS = 10_000;
/** How often it is looked whether a deletion of which no answer came is done, and how long that takes at most. Milliseconds. */
const LOOK_EVERY_MS = 1_000;
const LOOK_MS = 15_000;

/** What has begun is brought to its end: half of it is worse than either. */
const NEVER = new AbortController().signal;

interface Ground {
  readonly look: Looked;
  readonly reach: Reach;
  readonly ground: PurgeGround;
}

interface Limits {
  /** For the deletion alone. Milliseconds. */
  readonly deadlineMs: number;
  /** Counts until the deletion is sent. */
  readonly signal: AbortSignal;
}

/**
 * Takes the lines, drops, removes the lines: whoever dies in between leaves lines that the agents do not touch, and the next one who
 * purges goes on. Undefined: all of it is done. Closes the session.
 */
export async function carryOut(
  place: DatabasePlace,
  on: Ground,
  { deadlineMs, signal }: Limits,
): Promise<NotOk | undefined> {
  const { look, ground } = on;
  const { connection } = look;
  const ids = linesOf(place, look.seen);
  const lines = { ids, environment: ground.environment };
  const kept = await take(connection, lines, signal);
  if (kept !== undefined) return closed(connection, kept);
  if (look.seen.databases.has(place.name)) {
    const dropped = await connection.query(dropDatabase(place.name), deadlineMs, NEVER);
    if (dropped.status !== 'ok') {
      connection.close();
      return await afterFailure(place, on, dropped);
    }
  }
  const removed = await connection.query(removeLines(ids, ground.environment), STATEMENT_MS, NEVER);
  return closed(connection, removed.status === 'ok' ? undefined : lineLeft(removed.why));
}

interface Lines {
  readonly ids: ReturnType<typeof linesOf>;
  readonly environment: string;
}

/** All of them, or none: what an agent wrote since the look stays. */
async function take(
  connection: Connection,
  { ids, environment }: Lines,
  signal: AbortSignal,
): Promise<NotOk | undefined> {
  const taken = await connection.query(takeLines(ids, environment), STATEMENT_MS, signal);
  if (taken.status !== 'ok') return untouched(taken);
  const counted = await connection.query(takenLines(ids, environment), STATEMENT_MS, NEVER);
  if (counted.status !== 'ok') return untouched(counted);
  if (countIn(counted.value) === ids.length) return undefined;
  await connection.query(giveLinesBack(ids, environment), STATEMENT_MS, NEVER);
  return refused('an agent wrote to the ledger of its server meanwhile: its document may be back');
}

/** What became of it is read: also an error may be the end of something that went well. */
async function afterFailure(
  place: DatabasePlace,
  { look, reach, ground }: Ground,
  failed: Failed,
): Promise<NotOk | undefined> {
  const ids = linesOf(place, look.seen);
  const end = reach.clock.nowMs() + LOOK_MS;
  for (;;) {
    const state = await stateOf(place, reach);
    if (state === 'gone') return await onWriter(reach, removeLines(ids, ground.environment));
    // Where the server answered, nothing of it is under way any more.
    if (state === 'there' && failed.number !== undefined) {
      await onWriter(reach, giveLinesBack(ids, ground.environment));
      return refused(`it is there still, perhaps not all of it: ${failed.why}`);
    }
    if (reach.clock.nowMs() >= end) return unclear(failed, state);
    await reach.clock.sleep(LOOK_EVERY_MS, NEVER);
  }
}

type State = 'there' | 'gone' | 'unreached';

async function stateOf({ name }: DatabasePlace, reach: Reach): Promise<State> {
  const question = sql`SELECT COUNT(*) AS many FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(name)}`;
  const answer = await askWriter(reach, question);
  if (answer.status !== 'ok') return 'unreached';
  return countIn(answer.value) > 0 ? 'there' : 'gone';
}

/** Takes the lines away, or gives them back. */
async function onWriter(reach: Reach, statement: Sql): Promise<NotOk | undefined> {
  const answer = await askWriter(reach, statement);
  return answer.status === 'ok' ? undefined : lineLeft(answer.why);
}

async function askWriter({ logins, clock }: Reach, statement: Sql): Promise<Answer> {
  const found = await findWriter(logins, { clock }, NEVER);
  if (found.status !== 'ok') return found;
  const { connection } = found.value;
  const answer = await connection.query(statement, STATEMENT_MS, NEVER);
  connection.close();
  return answer;
}

function unclear({ why }: NotOk, state: Exclude<State, 'gone'>): NotOk {
  const seen = state === 'there' ? 'it is still there' : 'its server is not reached';
  return {
    status: 'unknown',
    why: `whether it goes is not known: ${why}; ${seen}. Agents leave it alone meanwhile; the same command goes on with it`,
  };
}

const Counts = z.tuple([
  z.looseObject({ many: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]) }),
]);

function countIn(rows: unknown): number {
  return readRows(Counts, rows)[0].many;
}

/** Nothing was dropped; a line may be taken, which the next one who purges takes over. */
function untouched({ why }: NotOk): NotOk {
  return refused(`nothing was deleted: ${why}`);
}

function lineLeft(why: string): NotOk {
  return {
    status: 'unknown',
    why: `it is gone, and the note of it on its server may still be there: ${why}; the same command takes it away`,
  };
}

function refused(why: string): NotOk {
  return { status: 'refused', why, retry: 'after-replan' };
}

function closed(connection: Connection, outcome: NotOk | undefined): NotOk | undefined {
  connection.close();
  return outcome;
}
