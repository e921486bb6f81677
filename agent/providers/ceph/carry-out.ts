import { z } from 'zod';

import type { Guard } from '../../reconcile/lease-ports.ts';
import { type Failed, heldBack, isAbsent, lacksCaps, type NotOk } from './answers.ts';
import { valueIn } from './asking.ts';
import type { Check, Step } from './call.ts';
import { capsFor, type Command, commandProblem, daemonOf, isOfFilesystem } from './commands.ts';
import { type Ceph, type CephCommand, DEADLINE_MS } from './driver.ts';

/** Where commands go, and who says whether they may. */
export interface Line {
  readonly ceph: Ceph;
  readonly guard: Guard;
  readonly signal: AbortSignal;
}

const EPERM = 1;

/** Undefined: it went well. */
export type Ended = NotOk | undefined;

/**
 * Carries steps out in their order, and ends with the first that does not go well. All of them are checked before the first is sent,
 * and each again right before it. The lease is asked for each, right before its bytes go.
 */
export async function carryOut(steps: readonly Step[], line: Line): Promise<Ended> {
  const wrong = steps.map(problemOf).find((why) => why !== undefined);
  if (wrong !== undefined) return { status: 'refused', why: wrong, retry: 'never' };
  for (const step of steps) {
    const ended = 'check' in step ? await ask(step, line) : await send(step, line);
    if (ended !== undefined) return ended;
  }
  return undefined;
}

function problemOf(step: Step): string | undefined {
  return 'check' in step ? undefined : commandProblem(step);
}

async function send(command: Command, line: Line): Promise<Ended> {
  const why = commandProblem(command);
  if (why !== undefined) return { status: 'refused', why, retry: 'never' };
  const answer = await guarded({ to: daemonOf(command), words: command }, line);
  if (answer.status === 'ok') return undefined;
  const isGuarded = answer.errno === EPERM && isOfFilesystem(command);
  return failedWith(answer, command.prefix, capsFor(command), isGuarded);
}

async function guarded(
  command: CephCommand,
  { ceph, guard, signal }: Line,
): ReturnType<Ceph['call']> {
  // What was carried out before is an outcome, and no reason to throw.
  if (signal.aborted) return heldBack('stopped before it was sent');
  // Nothing is begun in vain; what counts is what it says right before the bytes go.
  const why = guard.refusal(DEADLINE_MS[command.to]);
  if (why !== undefined) return heldBack(why);
  try {
    return await ceph.call({ ...command, guard }, signal);
  } catch (error) {
    if (signal.aborted) return heldBack('stopped before it was sent');
    throw error;
  }
}

function failedWith(answer: Failed, prefix: string, caps: string, isGuarded = false): NotOk {
  const lacks = lacksCaps(answer) || isGuarded ? `: ${caps} is missing` : '';
  const why = `\`${prefix}\`: ${answer.why}${lacks}`;
  const cause = answer.cause === undefined ? {} : { cause: answer.cause };
  if (answer.status === 'unknown') return { status: 'unknown', why, ...cause };
  return { status: 'refused', why, retry: answer.retry, ...cause };
}

async function ask(check: Check, line: Line): Promise<Ended> {
  return check.check === 'absent' ? await askAbsent(check, line) : await askPool(check, line);
}

async function askAbsent(
  { words }: Extract<Check, { check: 'absent' }>,
  line: Line,
): Promise<Ended> {
  const isInFilesystem = 'vol_name' in words;
  const answer = await guarded({ to: isInFilesystem ? 'mgr' : 'mon', words }, line);
  if (answer.status === 'ok') return changedMeanwhile('somebody made it since it was looked at');
  if (isAbsent(answer)) return undefined;
  const ofMonitor = words.prefix === 'auth get' ? READ_KEY : READ;
  const caps = isInFilesystem ? "mgr 'allow module volumes r'" : ofMonitor;
  return unsent(failedWith(answer, words.prefix, caps));
}

const READ_KEY = 'mon \'allow command "auth get"\'';
const READ = "mon 'allow r'";

/** What a monitor says of a pool, as far as it was asked for when the pool was made. */
const PoolAnswer = z.looseObject({
  size: z.int(),
  crush_rule: z.string(),
  erasure_code_profile: z.string().optional(),
});

async function askPool(
  { pool, rule, size, profile, otherwise }: Extract<Check, { check: 'pool' }>,
  line: Line,
): Promise<Ended> {
  const words = { prefix: 'osd pool get', pool, var: 'all' };
  const answer = await guarded({ to: 'mon', words }, line);
  if (answer.status !== 'ok') {
    return unsent(failedWith(answer, words.prefix, READ));
  }
  const read = valueIn(answer.value, PoolAnswer);
  if ('at' in read) {
    const why = `what Ceph says of the pool \`${pool}\` is not understood${read.at}`;
    return { status: 'refused', why, retry: 'never' };
  }
  const { size: is, crush_rule: by, erasure_code_profile: coded } = read.value;
  const isOurs = by === rule && coded === profile && (size === undefined || is === size);
  if (isOurs) return undefined;
  const kept = await send(otherwise, line);
  if (kept !== undefined) return kept;
  return changedMeanwhile(`somebody made a pool \`${pool}\` since it was looked at, another one`);
}

/** A question changes nothing: without its answer nothing more was sent. */
function unsent(failed: NotOk): NotOk {
  if (failed.status === 'refused') return failed;
  return { ...failed, status: 'refused', retry: 'after-replan', cause: 'unreachable' };
}

function changedMeanwhile(why: string): NotOk {
  return { status: 'refused', why, retry: 'after-replan', cause: 'out-of-sequence' };
}
