import { type Freeze, frozenLine } from '../core/freeze.ts';
import { FREEZE_LABEL, freezeLabel, readFreeze } from '../record/freeze.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import type { AskIo, Desk } from './ask-ports.ts';
import { inWords } from './ask-put.ts';
import {
  type FreezeVerb,
  type FreezeWanted,
  freezeUsage,
  freezeWantedOf,
} from './freeze-options.ts';
import { createPrinter } from './printer.ts';

/** The head is written by the agents too: so often it is read again when one of them was faster. */
const TRIES = 10;
/** Before another try after a write of which nobody knows whether it was made. Milliseconds. */
const PAUSE_MS = 500;

/** How it ended. `before` and `now`: the freeze in force then. */
type Ended =
  | {
      readonly status: 'done';
      readonly before: Freeze | undefined;
      readonly now: Freeze | undefined;
    }
  | { readonly status: 'refused'; readonly code: 1 | 6; readonly why: string };

/** Runs `understudy freeze` or `understudy unfreeze`; gives the exit code. */
export async function freezeCommand(
  verb: FreezeVerb,
  args: readonly string[],
  io: AskIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = freezeWantedOf(verb, args, io.environment, io.clock.date());
  if (wanted === 'help') {
    io.out(freezeUsage[verb]);
    return 0;
  }
  if ('wrong' in wanted) {
    io.err(`understudy ${verb}: ${wanted.wrong}; understudy ${verb} --help says more\n`);
    return 2;
  }
  const label = verb === 'freeze' ? freezeLabel({ by: io.by, ...wanted }) : undefined;
  if (label?.status === 'refused') {
    io.err(`understudy ${verb}: ${label.why}\n`);
    return 2;
  }
  const desk = io.open(wanted.socket);
  try {
    const ended = await write(desk, { wanted, io, value: label?.value }, signal);
    tell(ended, wanted, io);
    return ended.status === 'done' ? 0 : ended.code;
  } catch (error) {
    if (!signal.aborted) throw error;
    const why = 'stopped; perhaps it was written already';
    tell({ status: 'refused', code: 1, why }, wanted, io);
    return 1;
  } finally {
    desk.close();
  }
}

interface Writing {
  readonly wanted: FreezeWanted;
  readonly io: AskIo;
  /** Of the label; undefined takes it away. */
  readonly value: string | undefined;
}

/** Compares and swaps the head's labels until the label is as it should be, also where an answer was lost. */
async function write(
  desk: Desk,
  { wanted, io, value }: Writing,
  signal: AbortSignal,
): Promise<Ended> {
  const inForce = (labels: Labels): Freeze | undefined => readFreeze(labels, io.clock.date());
  let before: Freeze | undefined;
  let why = '';
  for (let tries = 0; tries < TRIES; tries += 1) {
    const read = await desk.shelf(signal);
    if (read.status !== 'ok') {
      return { status: 'refused', code: 6, why: inWords(read, wanted.socket) };
    }
    if (read.value === undefined) {
      const nothing = 'no agent has run on this Swarm yet: there is no config `understudy.head`';
      return { status: 'refused', code: 6, why: nothing };
    }
    const { head } = read.value;
    if (tries === 0) before = inForce(head.labels);
    const labels = relabelled(head.labels, value);
    const done = { status: 'done', before, now: inForce(labels) } as const;
    if (head.labels[FREEZE_LABEL] === value) return done;
    const swapped = await desk.swap(head, labels, signal);
    if (swapped.status === 'ok') return done;
    ({ why } = swapped);
    const moved = swapped.status === 'refused' && swapped.cause === 'out-of-sequence';
    if (swapped.status === 'refused' && !moved) return { status: 'refused', code: 6, why };
    if (!moved) await io.clock.sleep(PAUSE_MS, signal);
  }
  const said = `could not write it after ${String(TRIES)} tries: ${why}; try again`;
  return { status: 'refused', code: 6, why: said };
}

function relabelled(labels: Labels, value: string | undefined): Labels {
  const { [FREEZE_LABEL]: _before, ...others } = labels;
  return value === undefined ? others : { ...others, [FREEZE_LABEL]: value };
}

function tell(ended: Ended, { verb, json }: FreezeWanted, io: AskIo): void {
  if (json) {
    const { status } = ended;
    const said = status === 'done' ? { frozen: shown(ended.now) } : { why: ended.why };
    io.out(`${JSON.stringify({ verb, status, ...said })}\n`);
    return;
  }
  const print = createPrinter(io, () => io.clock.nowMs());
  if (ended.status === 'refused') {
    print.error(`understudy ${verb}: ${ended.why}`);
    return;
  }
  const { before, now } = ended;
  if (now === undefined) {
    print.plain(before ? 'nothing is frozen any more; it was:' : 'nothing was frozen');
  } else {
    print.plain(frozenLine(now), 'strong');
    print.plain('no agent begins another call within a second or two; understudy unfreeze ends it');
    if (before !== undefined) print.plain('before that it was:');
  }
  if (before !== undefined) print.plain(`  ${frozenLine(before)}`, 'dim');
}

function shown(freeze: Freeze | undefined): Freeze | null {
  if (freeze === undefined) return null;
  const { leftMs: _leftMs, ...said } = freeze;
  return said;
}
