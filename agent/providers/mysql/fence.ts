import { MYSQL_CALL_MS } from '../../core/lease.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Failed, isAbsent, lacksPrivilege, type NotOk } from './answers.ts';
import type { Answer, Connection, Statement } from './connect.ts';
import {
  endSession,
  fenceOf,
  type FenceSeen,
  isAlone,
  judgeFence,
  lockName,
  raise,
  readFence,
  type Writer,
} from './fence-row.ts';
import { OWN_GRANT, ownTables } from './ledger.ts';
import { UnreadableRows } from './rows.ts';

// Who writes to a server holds its named lock with the session that writes, and stands in the fence row with its term. The lock
// ends with the session and with nothing else, so whoever gets it knows that no statement of the one before is under way; and
// a session that was ended sends nothing more, however late its process wakes up. The row says who comes after whom, and goes
// along to another server, where the lock does not. On Galera the lock is one node's: statements there may be carried out twice.

/** What is asked right before a statement; what is left for that is more than the server waits for a lock. Milliseconds. */
const CHECK_MS = 1_000;
/** Making tables, row and lock takes five. Each more is somebody else's doing at the same moment. */
const ROUNDS_MAX = 9;

const STOPPED = 'stopped before it was sent';

/** A session, and what limits what it sends. */
export interface Line {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly signal: AbortSignal;
  /** Whose fence it is; absent: of whoever is alone on the server. */
  readonly owner?: string;
}

/** Whether nobody else can have written since this session read. */
export interface Taken {
  readonly alone: boolean;
}

/** Makes this session the one that writes; ends the one before. `held-back`: another agent came after us. Never `unknown`. */
export async function takeFence(
  line: Line,
  writer: Writer,
): Promise<{ readonly status: 'ok'; readonly value: Taken } | NotOk> {
  const end = line.clock.nowMs() + MYSQL_CALL_MS;
  let alone = true;
  let raised = false;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const looked = await lookAtFence(line, end);
    if (looked.status === 'absent') {
      const made = await sendAll(line, ownTables, end);
      if (made !== undefined) return made;
      continue;
    }
    if (looked.status !== 'ok') return looked;
    const { value: seen } = looked;
    const verdict = judgeFence(seen, writer);
    if (verdict.is === 'closed') return heldBack(verdict.why);
    if (verdict.is === 'ours') return { status: 'ok', value: { alone } };
    const isNamed = verdict.is === 'named';
    // A row that names us although we did not just write it there is of a try that did not get the lock.
    if (!(raised && isNamed) && !isAlone(seen)) alone = false;
    raised ||= !isNamed && seen.row !== undefined;
    const stepped = await step(line, { seen, writer, isNamed }, end);
    if (stepped !== undefined) return stepped;
  }
  return heldBack(`another session keeps the lock \`${lockName(line.owner)}\``);
}

/**
 * Sends one statement if this session still is the one that writes. `held-back`: it is not, or the guard says so; nothing was sent
 * then.
 */
export async function sendFenced(
  line: Line,
  writer: Writer,
  statement: Statement,
): Promise<{ readonly status: 'ok' } | Failed> {
  const { clock, connection, signal } = line;
  const end = clock.nowMs() + MYSQL_CALL_MS;
  const why = line.guard.refusal(MYSQL_CALL_MS);
  if (why !== undefined) return heldBack(why);
  const looked = await lookAtFence(line, clock.nowMs() + CHECK_MS);
  if (looked.status === 'absent') return heldBack('the fence row is gone');
  if (looked.status !== 'ok') return looked;
  const verdict = judgeFence(looked.value, writer);
  if (verdict.is === 'closed') return heldBack(verdict.why);
  if (verdict.is !== 'ours') return heldBack('another session writes there');
  const leftMs = end - clock.nowMs();
  // The process may have slept since the guard was asked.
  if (leftMs < MYSQL_CALL_MS - CHECK_MS) return heldBack('the look at the fence took too long');
  if (signal.aborted) return heldBack(STOPPED);
  const answer = await connection.query(statement, leftMs, signal);
  return answer.status === 'ok' ? { status: 'ok' } : answer;
}

/** One step towards the fence; what it is good for, the next look says. */
async function step(
  line: Line,
  next: { readonly seen: FenceSeen; readonly writer: Writer; readonly isNamed: boolean },
  end: number,
): Promise<NotOk | undefined> {
  const { seen, writer, isNamed } = next;
  const { row, lockedBy } = seen;
  if (row === undefined) return await sendAll(line, [fenceOf(line.owner).begin], end);
  if (!isNamed) return await sendAll(line, [raise(row, writer, line.owner)], end);
  // Only who stands in the row ends anybody: an earlier term that wakes up late does not.
  if (lockedBy !== undefined) {
    const kept = await endOther(line, lockedBy, end);
    if (kept !== undefined) return kept;
  }
  return await sendAll(line, [fenceOf(line.owner).lock], end);
}

/** Ended by itself meanwhile is as good. */
async function endOther(line: Line, connection: number, end: number): Promise<NotOk | undefined> {
  const answer = await send(line, endSession(connection), end);
  if (answer.status === 'ok') return undefined;
  if (lacksPrivilege(answer)) {
    const lock = lockName(line.owner);
    const why = `another account keeps the lock \`${lock}\`, and ours may not end its session`;
    return heldBack(why);
  }
  return answer.status === 'refused' && answer.number !== undefined ? undefined : unsent(answer);
}

type Looked =
  { readonly status: 'ok'; readonly value: FenceSeen } | { readonly status: 'absent' } | NotOk;

async function lookAtFence(line: Line, end: number): Promise<Looked> {
  const answer = await send(line, fenceOf(line.owner).look, end);
  if (answer.status !== 'ok') return isAbsent(answer) ? { status: 'absent' } : unsent(answer);
  try {
    return { status: 'ok', value: readFence(answer.value) };
  } catch (error) {
    if (!(error instanceof UnreadableRows)) throw error;
    return { status: 'refused', why: error.message, retry: 'never' };
  }
}

async function sendAll(
  line: Line,
  statements: readonly Statement[],
  end: number,
): Promise<NotOk | undefined> {
  for (const statement of statements) {
    const answer = await send(line, statement, end);
    if (answer.status !== 'ok') return unsent(answer);
  }
  return undefined;
}

async function send(line: Line, statement: Statement, end: number): Promise<Answer> {
  // Statements before this one may be carried out: that is an outcome, and no reason to throw.
  if (line.signal.aborted) return heldBack(STOPPED);
  const leftMs = end - line.clock.nowMs();
  const why = leftMs <= 0 ? 'there is no time left' : line.guard.refusal(leftMs);
  if (why !== undefined) return heldBack(why);
  return await line.connection.query(statement, leftMs, line.signal);
}

/** Pure. Nothing of what was asked for was sent yet, whatever became of what goes before it; no commit is at fault. */
function unsent(answer: Failed): NotOk {
  const lacks = lacksPrivilege(answer);
  const why = lacks ? `${answer.why}: ${OWN_GRANT} is missing` : answer.why;
  const cause = answer.cause ?? (answer.status === 'unknown' ? 'unreachable' : 'held-back');
  return { status: 'refused', why, retry: 'after-replan', cause };
}

function heldBack(why: string): NotOk & { readonly status: 'refused' } {
  return { status: 'refused', why, retry: 'after-replan', cause: 'held-back' };
}
