import type { CallOutcome } from '../core/kind.ts';
import type { Doomed, PurgeGround, Purger, PurgeTarget } from '../core/purge.ts';
import { createPrinter, type Printer } from './printer.ts';
import { readGround } from './purge-ground.ts';
import { openPurger } from './purge-login.ts';
import { purgeUsage, type PurgeWanted, purgeWantedOf } from './purge-options.ts';
import type { PurgeIo } from './purge-ports.ts';
import { doomedLines, type PurgeEnd, purgeJson } from './purge-words.ts';

/** Runs `understudy purge`; gives the exit code. */
export async function purgeCommand(
  args: readonly string[],
  io: PurgeIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = purgeWantedOf(args, io.environment);
  if (wanted === 'help') {
    io.out(purgeUsage);
    return 0;
  }
  if ('wrong' in wanted) return misused(wanted.wrong, io);
  const found = await findTarget(wanted, io);
  if ('status' in found) return tell(found, undefined, { wanted, io });
  const task = { wanted, io, target: found, print: printerOf(wanted, io) };
  try {
    return tell(await purge(task, signal), found.what, task);
  } catch (error) {
    if (!signal.aborted) throw error;
    return tell(failed(1, 'stopped: nothing was deleted'), found.what, task);
  }
}

interface Task {
  readonly wanted: PurgeWanted;
  readonly io: PurgeIo;
  readonly target: PurgeTarget;
  /** Silent with `--json`. */
  readonly print: Printer;
}

async function findTarget(
  { id, where, yes }: PurgeWanted,
  io: PurgeIo,
): Promise<PurgeTarget | PurgeEnd> {
  const [kind = ''] = id.split('/');
  const known = io.kinds.get(kind);
  if (known === undefined) {
    const names = [...io.kinds.keys()].map((one) => `\`${one}/…\``).join(', ');
    return failed(
      2,
      `nothing of the kind \`${kind}\` is deleted by this command: it is for ${names}`,
    );
  }
  const found = await known.find(id, where);
  if (found.status !== 'found') return failed(found.status === 'wrong' ? 2 : 1, found.why);
  const { name, what } = found.target;
  return yes === undefined || yes === name
    ? found.target
    : failed(2, `\`--yes-delete\` names \`${yes}\`, and ${what} is \`${name}\``);
}

async function purge(task: Task, signal: AbortSignal): Promise<PurgeEnd> {
  const { wanted, io, target, print } = task;
  if (io.terminal === undefined && wanted.yes === undefined && !wanted.dryRun) {
    return failed(
      2,
      `there is no terminal to type the name on: \`--yes-delete ${target.name}\` takes its place`,
    );
  }
  const known = await groundOf(task, signal);
  if ('status' in known) return known;
  const opened = await openPurger(task, signal);
  if ('why' in opened) return failed(opened.code, opened.why);
  const { purger } = opened;
  const seen = await purger.look(known.ground, signal);
  if (seen.status !== 'ok') return unreached(seen);
  const doomed = seen.value;
  for (const line of doomedLines(target.what, doomed, known.from)) print.plain(line);
  const { refusals } = doomed;
  if (refusals.length > 0) return { ...failed(1, refusals.join('; ')), doomed };
  if (wanted.dryRun) return { status: 'shown', code: 0, doomed };
  if (doomed.isThere && !(await isTyped(task, signal))) {
    return { ...failed(1, 'the name was not typed: nothing was deleted'), doomed };
  }
  // To type a name takes as long as somebody likes.
  const now = await groundOf(task, signal);
  if ('status' in now) return { ...now, doomed };
  return await carryOut({ purger, ground: now.ground, doomed }, task, signal);
}

interface Known {
  readonly ground: PurgeGround;
  readonly from: readonly string[];
}

/** What the repository has now, where nothing in it speaks against it. */
async function groundOf(
  { wanted, io, target }: Task,
  signal: AbortSignal,
): Promise<Known | PurgeEnd> {
  const read = await readGround(wanted, io, signal);
  if (read.status === 'unread') return failed(read.code, read.why);
  const { ground, from } = read;
  const kept = target.kept(ground);
  if (kept === undefined) return { ground, from };
  return failed(
    1,
    `${kept}: take it out first; where it is out, \`understudy get\` says why it has not left yet`,
  );
}

interface Shown {
  readonly purger: Purger;
  readonly ground: PurgeGround;
  readonly doomed: Doomed;
}

async function carryOut(
  { purger, ground, doomed }: Shown,
  { wanted }: Task,
  signal: AbortSignal,
): Promise<PurgeEnd> {
  try {
    const order = { ground, shown: doomed, deadlineMs: wanted.timeoutMs };
    const outcome = await purger.purge(order, signal);
    if (outcome.status === 'ok') return { status: 'gone', code: 0, doomed: outcome.value };
    const { status, why } = outcome;
    // Only before anything was written it is not reached.
    const code = status === 'refused' ? unreached(outcome).code : 1;
    return { status, code, why, doomed };
  } catch (error) {
    if (!signal.aborted) throw error;
    const why = 'stopped: whether it goes is not known; the same command goes on with it';
    return { status: 'unknown', code: 1, why, doomed };
  }
}

async function isTyped({ wanted, io, target }: Task, signal: AbortSignal): Promise<boolean> {
  if (wanted.yes !== undefined) return wanted.yes === target.name;
  const typed = await io.terminal?.ask(`type \`${target.name}\` to delete it for good: `, signal);
  return typed === target.name;
}

function unreached({
  why,
  ...failure
}: Exclude<CallOutcome<never>, { readonly status: 'ok' }>): PurgeEnd {
  const isOut = failure.cause === 'no-leader' || failure.cause === 'unreachable';
  return failed(isOut ? 6 : 1, why);
}

function failed(code: Exclude<PurgeEnd['code'], 0>, why: string): PurgeEnd {
  return { status: 'refused', code, why };
}

function printerOf({ json }: PurgeWanted, io: PurgeIo): Printer {
  return createPrinter(json ? { ...io, out: () => undefined } : io, () => 0);
}

function tell(
  end: PurgeEnd,
  what: string | undefined,
  { wanted, io }: Pick<Task, 'wanted' | 'io'>,
): number {
  if (wanted.json) {
    io.out(`${JSON.stringify(purgeJson(wanted.id, what, end))}\n`);
    return end.code;
  }
  if (end.code === 2) return misused(end.why ?? '', io);
  const print = createPrinter(io, () => 0);
  if (end.status === 'gone') print.plain(`${what ?? wanted.id} is gone`, 'good');
  if (end.status === 'shown') print.plain('nothing speaks against it; nothing was deleted');
  if (end.why !== undefined) print.error(`understudy purge: ${what ?? wanted.id}: ${end.why}`);
  return end.code;
}

function misused(why: string, io: PurgeIo): number {
  io.err(`understudy purge: ${why}; understudy purge --help says more\n`);
  return 2;
}
