import { z } from 'zod';

import type { Id } from '../../../core/kind.ts';
import { type PurgeLimits, READ_BACK } from '../../../core/purge.ts';
import { purgeOwner } from '../../../core/taken.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import type { Failed, NotOk } from '../answers.ts';
import { claimants, linesIn } from '../claim.ts';
import type { Answer, Connection } from '../connect.ts';
import { readRows, UnreadableRows } from '../rows.ts';
import { literal, sql, type Sql } from '../sql.ts';
import { dropDatabase, giveLinesBack, removeLines, takeLines } from './drop.ts';

/** Of what is asked beside the deletion. Milliseconds. */
export const STATEMENT_MS = 10_000;

/** What has begun is brought to its end: half of it is worse than either. */
const NEVER = new AbortController().signal;

/** What goes, and where. */
export interface Doom {
  readonly name: string;
  readonly isThere: boolean;
  /** Its lines in the ledger, as they were seen: one at least. */
  readonly ids: readonly Id[];
  readonly environment: string;
  /** To the host that takes writes. It is closed in the end. */
  readonly connection: Connection;
  /** Says one statement to whichever host takes writes now, over a session of its own. */
  readonly askWriter: (statement: Sql) => Promise<Answer>;
  readonly clock: Clock;
}

/**
 * Takes the lines, drops, removes the lines: whoever dies in between leaves lines that the agents do not touch, and the next one who
 * purges goes on. Undefined: all of it is done. Closes the session. Rejects with the signal's reason before anything was written.
 */
export async function carryOut(
  doom: Doom,
  { deadlineMs, signal }: PurgeLimits,
): Promise<NotOk | undefined> {
  const { name, ids, environment, connection } = doom;
  try {
    const kept = await take(doom, signal);
    if (kept !== undefined) return kept;
    if (doom.isThere) {
      const dropped = await connection.query(dropDatabase(name), deadlineMs, NEVER);
      if (dropped.status !== 'ok') {
        connection.close();
        return await afterFailure(doom, dropped);
      }
    }
    const removed = await connection.query(removeLines(ids, environment), STATEMENT_MS, NEVER);
    return removed.status === 'ok' ? undefined : lineLeft(removed.why);
  } finally {
    connection.close();
  }
}

/** All lines of it, under whatever id, or none: what an agent wrote since the look stays. */
async function take(doom: Doom, signal: AbortSignal): Promise<NotOk | undefined> {
  const { ids, environment, connection } = doom;
  const taken = await connection.query(takeLines(ids, environment), STATEMENT_MS, signal);
  if (taken.status === 'unknown') {
    // It may be carried out after the lines are given back as well.
    await giveBack(doom);
    return refused(`nothing was deleted: ${taken.why}; ${stillTaken(environment)}`);
  }
  if (taken.status !== 'ok') return refused(`nothing was deleted: ${taken.why}`);
  const why = await otherLines(doom);
  return why === undefined ? undefined : await kept(doom, why);
}

/** Why it stays, by the lines that name it after they were taken; undefined: all are the purge's. */
async function otherLines({ ids, environment, connection }: Doom): Promise<string | undefined> {
  const owners = new Map<Id, string | null>();
  for (const id of ids) {
    const answer = await connection.query(claimants(id), STATEMENT_MS, NEVER);
    if (answer.status !== 'ok') return `nothing was deleted: ${answer.why}`;
    const lines = readable(() => linesIn(answer.value, id));
    if (lines === undefined) return 'nothing was deleted: the answer is not understood';
    for (const line of lines) owners.set(line.id, line.owner);
  }
  const mine = purgeOwner(environment);
  const isAll = ids.every((id) => owners.get(id) === mine);
  if (isAll && [...owners.values()].every((owner) => owner === mine)) return undefined;
  return 'an agent wrote to the ledger of its server meanwhile: its document may be back';
}

/** It is not dropped: the agents get their lines again. */
async function kept(doom: Doom, why: string): Promise<NotOk> {
  const given = await giveBack(doom);
  if (given.status === 'ok') return refused(why);
  return refused(`${why}; ${stillTaken(doom.environment)}: ${given.why}`);
}

async function giveBack({ ids, environment, connection, askWriter }: Doom): Promise<Answer> {
  const statement = giveLinesBack(ids, environment);
  if (connection.isClosed()) return await askWriter(statement);
  return await connection.query(statement, STATEMENT_MS, NEVER);
}

/** What became of it is read: also an error may be the end of something that went well. */
async function afterFailure(doom: Doom, failed: Failed): Promise<NotOk | undefined> {
  const { ids, environment, askWriter, clock } = doom;
  const end = clock.nowMs() + READ_BACK.forMs;
  for (;;) {
    const state = await stateOf(doom);
    if (state === 'gone') {
      const removed = await askWriter(removeLines(ids, environment));
      return removed.status === 'ok' ? undefined : lineLeft(removed.why);
    }
    // Where the server answered, nothing of it is under way any more.
    if (state === 'there' && failed.number !== undefined) {
      return await kept(doom, `it is there still, perhaps not all of it: ${failed.why}`);
    }
    if (clock.nowMs() >= end) return unclear(failed, state);
    await clock.sleep(READ_BACK.everyMs, NEVER);
  }
}

type State = 'there' | 'gone' | 'unreached';

async function stateOf({ name, askWriter }: Doom): Promise<State> {
  const question = sql`SELECT COUNT(*) AS many FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(name)}`;
  const answer = await askWriter(question);
  const many = answer.status === 'ok' ? readable(() => countIn(answer.value)) : undefined;
  if (many === undefined) return 'unreached';
  return many > 0 ? 'there' : 'gone';
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

/** Undefined: the server's answer is not understood. What has begun does not end by that. */
function readable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRows) return undefined;
    throw error;
  }
}

function stillTaken(environment: string): string {
  return `its lines in the ledger may still be those of \`${purgeOwner(environment)}\`, so that agents leave it alone (docs/mysql.md says how they are given back)`;
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
