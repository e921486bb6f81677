import type { Diagnostic } from '../core/diagnostic.ts';
import type { ImageUse } from '../core/images-lock.ts';
import type { Id, Rendered } from '../core/kind.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';
import type { Secret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from '../reconcile/ports.ts';
import { batches } from './batches.ts';
import { Budget, wallMsOf } from './budget.ts';
import { ChildFailure } from './process.ts';
import type { RenderProcess } from './process.ts';
import { processorMs } from './processor-time.ts';
import { CONTENTS_A_LINE, pieces } from './protocol.ts';
import type { Reply } from './protocol.ts';
import { belongs, type UnitSpec } from './unit-spec.ts';

/** How long the child's program may take to load, at the least. Milliseconds. */
const START_MS = 30_000;

/** What opens encrypted files. */
export interface Keys {
  /** `AGE-SECRET-KEY-1…`, one each. */
  readonly identities: readonly Secret[];
  /** Nobody needs to have the key of an encrypted file: it is checked as far as that goes without. */
  readonly locked: boolean;
}

/** One render as a question. */
export interface Question {
  readonly environment: string;
  readonly snapshot: Snapshot;
  /** What opens encrypted files. */
  readonly keys: Keys;
  /** Units of earlier answers by digest. */
  readonly known: ReadonlyMap<string, Rendered<UnitSpec>>;
  /** Where images stand is wanted too: of a child that has rendered none of it before. */
  readonly images?: true;
  /** Filled in on the way: the file that the child was busy with last. */
  readonly at: { file: string };
  readonly watcher?: RenderWatcher | undefined;
}

/** Who watches a render. What is thrown there ends it. */
export interface RenderWatcher {
  /** The child has got what it asked for. */
  given?(): void;
  /** The child has rendered this one. All of them together may still be refused. */
  unit?(unit: Rendered<UnitSpec>): void;
}

/** What the child made of it. */
export interface Answer {
  readonly units: readonly Rendered<UnitSpec>[];
  readonly diagnostics: readonly Diagnostic[];
  /** Empty where they were not asked for. */
  readonly images: readonly ImageUse[];
  readonly settings: RepositorySettings;
  readonly work: { readonly rendered: number; readonly kept: number };
}

/** How long the child may take, see `Budget`. */
export interface Patience {
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/**
 * Asks the child for one render. Throws `ChildFailure`, the source's error when blobs cannot be read, or the
 * signal's reason; after any of them the child is out of step and must not be used again.
 */
export async function converse(
  child: RenderProcess,
  question: Question,
  patience: Patience,
  signal: AbortSignal,
): Promise<Answer> {
  const late = (deadlineMs: number, used: () => Promise<number | undefined>): Budget =>
    new Budget({
      clock: patience.clock,
      deadlineMs,
      used,
      spent: () => {
        const message = `it took longer than ${String(deadlineMs)} ms`;
        child.fail(new ChildFailure(message, child.began ? 'late' : 'start'));
      },
    });
  const starting = late(Math.max(START_MS, patience.deadlineMs), async () => undefined);
  const abort = (): void => child.fail(aborted(signal));
  signal.addEventListener('abort', abort);
  starting.run();
  try {
    // Its program is loaded before it reads anything: on a busy machine that alone may take seconds.
    await child.begun;
    starting.stop();
    const budget = late(patience.deadlineMs, await usedFromNow(child));
    budget.run();
    try {
      // Longer than the budget can be: that one has to be the first.
      await ask(child, question, 2 * wallMsOf(patience.deadlineMs));
      return await listen(child, question, budget, signal);
    } finally {
      budget.stop();
    }
  } finally {
    starting.stop();
    signal.removeEventListener('abort', abort);
  }
}

/** What the child uses of the processors from now on. */
async function usedFromNow(child: RenderProcess): Promise<() => Promise<number | undefined>> {
  const before = (await processorMs(child.pid)) ?? 0;
  return async () => {
    const now = await processorMs(child.pid);
    return now === undefined ? undefined : now - before;
  };
}

function aborted({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

async function ask(child: RenderProcess, question: Question, timeLimitMs: number): Promise<void> {
  const { environment, snapshot, known, images, keys } = question;
  await child.send({ type: 'begin', environment, timeLimitMs, ...(images && { images }) });
  const identities = keys.identities.map((identity) => identity.reveal());
  await child.send({ type: 'keys', identities, locked: keys.locked });
  for (const some of pieces(snapshot.entries)) {
    await child.send({
      type: 'entries',
      entries: some.map(({ path, blob, sizeBytes }) => [path, blob, sizeBytes]),
    });
  }
  for (const some of pieces([...known.keys()])) {
    await child.send({ type: 'known', digests: [...some] });
  }
  await child.send({ type: 'start' });
}

async function listen(
  child: RenderProcess,
  question: Question,
  budget: Budget,
  signal: AbortSignal,
): Promise<Answer> {
  const units = new Map<Id, Rendered<UnitSpec>>();
  const diagnostics: Diagnostic[] = [];
  const images: ImageUse[] = [];
  let needed: string[] = [];
  for (;;) {
    const message = await child.next();
    switch (message.type) {
      case 'at':
        question.at.file = message.file;
        break;
      case 'need':
        if (message.blobs.length > 0) needed.push(...message.blobs);
        else {
          await give(child, { ...question, needed, budget }, signal);
          question.watcher?.given?.();
          needed = [];
        }
        break;
      case 'unit': {
        const unit = unitOf(message, question.known);
        units.set(unit.id, unit);
        question.watcher?.unit?.(unit);
        break;
      }
      case 'diagnostics':
        diagnostics.push(...message.diagnostics);
        break;
      case 'images':
        images.push(...message.images);
        break;
      case 'done': {
        const { settings, work } = message;
        // They come as they were rendered, in one order and those that were kept in another.
        const sorted = [...units.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
        return { units: sorted, diagnostics, images, settings, work };
      }
    }
  }
}

interface Gift {
  readonly snapshot: Snapshot;
  readonly needed: readonly string[];
  readonly budget: Budget;
}

/** The source has deadlines of its own; only what the child takes counts here. */
async function give(
  child: RenderProcess,
  { snapshot, needed, budget }: Gift,
  signal: AbortSignal,
): Promise<void> {
  for (const some of batches(needed, snapshot)) {
    budget.stop();
    const contents = await snapshot.read(some, signal);
    budget.run();
    for (const line of inLines(some, contents)) {
      await child.send({ type: 'contents', contents: line });
    }
  }
  await child.send({ type: 'blobs' });
}

/** Several to a line: two thousand small files one by one take the child as long as a hundred stacks. */
function* inLines(
  blobs: readonly string[],
  contents: ReadonlyMap<string, Uint8Array>,
): Generator<[blob: string, data: string][]> {
  let line: [string, string][] = [];
  let characters = 0;
  for (const blob of blobs) {
    const content = contents.get(blob);
    if (content === undefined) throw new Error(`the source did not give blob ${blob}`);
    const data = Buffer.from(content.buffer, content.byteOffset, content.length);
    const text = data.toString('base64');
    if (line.length > 0 && characters + text.length > CONTENTS_A_LINE) {
      yield line;
      [line, characters] = [[], 0];
    }
    line.push([blob, text]);
    characters += text.length;
  }
  if (line.length > 0) yield line;
}

function unitOf(
  message: Reply & { type: 'unit' },
  known: ReadonlyMap<string, Rendered<UnitSpec>>,
): Rendered<UnitSpec> {
  const { type: _type, spec: sent, ...unit } = message;
  const spec = sent ?? known.get(unit.digest)?.spec;
  if (spec === undefined) throw new ChildFailure('its answer lacks a unit', 'content');
  if (!belongs(unit.id, spec)) throw new ChildFailure('its answer mixes up units', 'content');
  return { ...unit, spec };
}
