import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createContext, runInContext } from 'node:vm';

import { type Diagnostic, placeOfFile } from '../core/diagnostic.ts';
import type { Memo, RepositoryFile } from '../core/folder-kind.ts';
import type { ImageUse } from '../core/images-lock.ts';
import type { Rendered } from '../core/kind.ts';
import type { DocumentMemo } from '../core/render-documents.ts';
import { renderRepository } from '../core/repository.ts';
import { defaultSettings } from '../core/repository-settings.ts';
import type { RepositoryOutcome } from '../core/repository.ts';
import { LineReader } from '../core/line-reader.ts';
import { cephDocuments } from '../providers/ceph/documents.ts';
import type { CephSpec } from '../providers/ceph/spec.ts';
import { mysqlDocuments } from '../providers/mysql/documents.ts';
import type { MysqlSpec } from '../providers/mysql/spec.ts';
import { stackFolders } from '../providers/stack/render.ts';
import type { StackSpec } from '../providers/stack/spec.ts';
import { Vault } from '../core/sops/vault.ts';
import { Blobs } from './blobs.ts';
import { crashLine } from './crash.ts';
import { readCron } from './cron.ts';
import { compactHeap } from './heap.ts';
import { giveUpRoot } from './privileges.ts';
import { LINE_BYTES_MAX, ToChild, WITH_KEYS, pieces } from './protocol.ts';
import type { FromChild } from './protocol.ts';
import { type UnitSpec, unitToWire } from './unit-spec.ts';
import { Unlocker } from './unlock.ts';

/**
 * The renderer's own process: no root, no credentials, no environment, no files but its program. It knows only what
 * comes through its standard input, and ends when that closes.
 */

const KEPT_BYTES_MAX = 32 * 2 ** 20;
/** What one revision may need at the same time, beside what is kept. */
const NEEDED_BYTES_MAX = 96 * 2 ** 20;
const ENVIRONMENTS_MAX = 8;
const DIAGNOSTICS_MAX = 1000;
/** A unit's references are known after its first rendering; a third round never asks for more. */
const ROUNDS_MAX = 4;

type Wire<Message> = Message extends { type: 'unit' }
  ? Omit<Message, 'spec'> & { spec?: unknown }
  : Message;

interface Job {
  readonly environment: string;
  readonly timeLimitMs: number;
  readonly files: Map<string, RepositoryFile>;
  readonly known: Set<string>;
  /** Units that were answered with as soon as they were rendered: the agent reads them meanwhile. */
  readonly sent: Set<string>;
  /** Where images stand, if that is wanted. By image and place: a unit may be rendered in more than one round. */
  readonly images?: Map<string, ImageUse>;
  round: number;
  unlocked: number;
}

const blobs = new Blobs(KEPT_BYTES_MAX);
/** What was rendered of one environment, by what it was rendered from. */
interface Kept {
  readonly stacks: Memo<StackSpec>;
  readonly documents: DocumentMemo<MysqlSpec | CephSpec>;
}
const memos = new Map<string, Kept>();
const vault = new Vault();
// Now or never: the program may lie where nobody but root can read.
const age = process.argv.includes(WITH_KEYS) ? await import('../age/age.ts') : undefined;
const unlocker = new Unlocker(vault, age);
let job: Job | undefined;

const STDOUT = 1;

/**
 * Written before it returns: a render does not end in between, and the word about which file it is at must not stand behind
 * what was rendered before. While the agent does not read, it waits. Nothing here may touch `process.stdout`, with which a
 * full pipe is an error.
 */
function say(message: Wire<FromChild>): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  try {
    for (let from = 0; from < bytes.length;) from += writeSync(STDOUT, bytes, from);
  } catch (error) {
    // The agent is gone: there is nobody left to answer.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(0);
    throw error;
  }
}

async function take(message: ToChild): Promise<void> {
  if (message.type === 'begin') {
    const { environment, timeLimitMs, images } = message;
    const wanted = images === true ? { images: new Map<string, ImageUse>() } : {};
    const rounds = { round: 0, unlocked: 0 };
    job = {
      environment,
      timeLimitMs,
      files: new Map(),
      known: new Set(),
      sent: new Set(),
      ...wanted,
      ...rounds,
    };
    return;
  }
  if (message.type === 'compact') {
    // What a render takes is kept as what came of it: a file that is needed again is asked for again.
    blobs.trim(0);
    return compactHeap();
  }
  if (job === undefined) throw new Error(`${message.type} without begin`);
  if (message.type === 'keys') {
    if (await unlocker.use(message.identities, message.locked)) memos.clear();
    return;
  }
  switch (message.type) {
    case 'entries':
      for (const [path, blob, sizeBytes] of message.entries) {
        job.files.set(path, { blob, sizeBytes, bytes: () => blobs.get(blob) });
      }
      return;
    case 'known':
      for (const digest of message.digests) job.known.add(digest);
      return;
    case 'contents':
      for (const [blob, data] of message.contents) blobs.put(blob, Buffer.from(data, 'base64'));
      return;
    case 'start':
    case 'blobs':
      await work(job);
  }
}

async function work(current: Job): Promise<void> {
  const { timeLimitMs } = current;
  if (blobs.bytes > KEPT_BYTES_MAX + NEEDED_BYTES_MAX) return refuse('the files are too large');
  const outcome = limited(() => render(current), timeLimitMs);
  if (outcome.status === 'rendered') return answer(outcome, current);
  if (outcome.blobs.length === 0) {
    current.unlocked += 1;
    if (current.unlocked > ROUNDS_MAX) return refuse('there are too many encrypted files');
    await unlocker.unlock();
    return work(current);
  }
  current.round += 1;
  if (current.round > ROUNDS_MAX) return refuse('the files ask for ever more files');
  for (const some of pieces(outcome.blobs)) say({ type: 'need', blobs: [...some] });
  // An empty list ends the question.
  return say({ type: 'need', blobs: [] });
}

function refuse(message: string): void {
  const place = placeOfFile('understudy.yaml');
  const mistake: Diagnostic = { severity: 'error', code: 'too-large', message, place };
  const work = { rendered: 0, kept: 0 };
  const nothing = { units: [], diagnostics: [mistake], settings: defaultSettings, work };
  return answer({ status: 'rendered', ...nothing }, { known: new Set(), sent: new Set() });
}

function render({ files, environment, images, known, sent }: Job): RepositoryOutcome<UnitSpec> {
  const kept = memos.get(environment) ?? { stacks: new Map(), documents: new Map() };
  memos.delete(environment);
  memos.set(environment, kept);
  const [oldest] = memos.keys();
  if (memos.size > ENVIRONMENTS_MAX && oldest !== undefined) memos.delete(oldest);
  return renderRepository(files, environment, {
    kind: stackFolders,
    memo: kept.stacks,
    documents: { folders: [mysqlDocuments, cephDocuments], memo: kept.documents },
    vault,
    readCron,
    begin: (file) => say({ type: 'at', file }),
    ended: (unit) => {
      sent.add(unit.id);
      say(unitMessage(unit, known));
    },
    ...(images && { image: (use) => void images.set(JSON.stringify(use), use) }),
  });
}

/** The agent has its own deadline; this one ends a loop whose agent is no longer there to end it. */
function limited<Value>(run: () => Value, timeout: number): Value {
  const result: { value?: Value } = {};
  const keep = (): void => {
    result.value = run();
  };
  runInContext('keep()', createContext({ keep }), { timeout });
  if (result.value === undefined) throw new Error('nothing was rendered');
  return result.value;
}

function unitMessage(
  { spec, dependsOn, needs, gives, ...unit }: Rendered<UnitSpec>,
  known: ReadonlySet<string>,
): Wire<FromChild> {
  const lists = { dependsOn: [...dependsOn], needs: [...needs], gives: [...gives] };
  const message = { type: 'unit' as const, ...unit, ...lists };
  return known.has(unit.digest) ? message : { ...message, spec: unitToWire(spec) };
}

function answer(
  outcome: RepositoryOutcome<UnitSpec> & { status: 'rendered' },
  { known, sent, images }: Pick<Job, 'known' | 'sent' | 'images'>,
): void {
  job = undefined;
  for (const unit of outcome.units) if (!sent.has(unit.id)) say(unitMessage(unit, known));
  for (const some of pieces([...(images?.values() ?? [])])) {
    say({ type: 'images', images: [...some] });
  }
  for (const some of pieces(bounded(outcome.diagnostics))) {
    say({ type: 'diagnostics', diagnostics: [...some] });
  }
  blobs.trim();
  say({ type: 'done', settings: outcome.settings, work: outcome.work });
}

function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length <= DIAGNOSTICS_MAX) return diagnostics;
  const errorsFirst = diagnostics.toSorted((one, other) => rank(one) - rank(other));
  const more = diagnostics.length - DIAGNOSTICS_MAX;
  const message = `there are ${String(more)} more mistakes`;
  return [
    ...errorsFirst.slice(0, DIAGNOSTICS_MAX),
    { severity: 'error', code: 'too-large', message },
  ];
}

function rank({ severity }: Diagnostic): number {
  return severity === 'error' ? 0 : 1;
}

// Node would print the message, which may quote a file of the repository.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${crashLine(error)}\n`, () => process.exit(1));
});
// While it may still write there.
flushCompileCache();
// Only now: the program may lie where nobody but root can read, and nothing of a repository was read yet.
giveUpRoot();

const lines = new LineReader(LINE_BYTES_MAX);
say({ type: 'ready' });
for await (const chunk of process.stdin) {
  if (!(chunk instanceof Uint8Array)) throw new Error('the input is not bytes');
  const complete = lines.push(chunk);
  if (complete === undefined) throw new Error('a line is too long');
  for (const line of complete) await take(ToChild.parse(JSON.parse(line)));
}
process.exit(0);
