import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { formatText, jsonText } from '../core/format.ts';
import { IMAGES_LOCK } from '../core/layout.ts';
import { lockText, type LockPlan, planLock } from '../core/lock-plan.ts';
import { suggest } from '../core/suggest.ts';
import type { Registries } from '../registry/registries.ts';
import { isFolder, readFolder } from '../source/folder.ts';
import { writeFiles } from './adopt-files.ts';
import { resolveAll, type Resolved } from './lock-ask.ts';
import { type LockWanted, lockUsage, lockWantedOf } from './lock-options.ts';
import { type LockRead, readForLock } from './lock-read.ts';
import type { Output } from './printer.ts';
import { type ProgressIo, withProgress } from './progress.ts';
import { usualLimits } from './rendered.ts';

/** What the command takes from the process and the machine. */
export interface LockIo extends Output, ProgressIo {
  err(text: string): void;
  /** Registries with this person's logins, or why these cannot be read. */
  registries(
    insecure: ReadonlySet<string>,
  ): Promise<Registries | { readonly status: 'failed'; readonly why: string }>;
}

/** Runs `understudy lock`; gives the exit code. Throws `SourceError` when the folder cannot be read. */
export async function lockCommand(
  args: readonly string[],
  io: LockIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = lockWantedOf(args, io.colour);
  if (wanted === 'help') {
    io.out(lockUsage);
    return 0;
  }
  if ('wrong' in wanted) return refuse(io, 2, `${wanted.wrong}; understudy lock --help says more`);
  const { clock } = io;
  if (!(await isFolder(wanted.folder, signal))) {
    return refuse(io, 2, `there is no folder \`${wanted.folder}\``);
  }
  const folder = resolve(wanted.folder);
  const snapshot = await readFolder(folder, { limits: usualLimits, clock }, signal);
  const read = await readForLock(snapshot, { environment: wanted.environment, clock }, signal);
  if ('mistakes' in read) {
    io.err(formatText(read.mistakes, wanted));
    return refuse(io, 3, 'the repository is invalid, so nothing was asked and nothing written');
  }
  const plan = planLock(read.uses, read.pins, {
    anew: wanted.anew,
    part: wanted.environment !== undefined,
  });
  const [strange] = plan.strange;
  if (strange !== undefined) return refuse(io, 2, noSuchImage(strange, read));
  if (wanted.check) return tellCheck(plan, read, wanted, io);
  return bringUp({ folder, plan, read }, wanted, io, signal);
}

function refuse(io: Output, code: number, why: string): number {
  io.err(`understudy lock: ${why}\n`);
  return code;
}

function noSuchImage(image: string, { uses }: LockRead): string {
  const meant = suggest(
    image,
    uses.map((use) => use.image),
  );
  const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
  return `no stack has the image \`${image}\` without a digest of its own${hint}`;
}

function tellCheck(
  { missing, unused }: LockPlan,
  { uses }: LockRead,
  { json }: LockWanted,
  io: Output,
): number {
  const complete = missing.length + unused.length === 0;
  if (json) {
    io.out(jsonText({ complete, missing, unused }));
    return complete ? 0 : 4;
  }
  const where = new Map(uses.map(({ image, place }) => [image, place]));
  for (const image of missing) {
    const place = where.get(image);
    io.out(
      `missing  ${image}  ${place === undefined ? '' : `${place.file}:${String(place.line)}`}\n`,
    );
  }
  for (const image of unused) io.out(`unused   ${image}\n`);
  io.out(complete ? `${IMAGES_LOCK} is complete\n` : `run \`understudy lock\`\n`);
  return complete ? 0 : 4;
}

interface Lock {
  readonly folder: string;
  readonly plan: LockPlan;
  readonly read: LockRead;
}

/** Asks, writes what was found, and tells. */
async function bringUp(
  { folder, plan, read }: Lock,
  wanted: LockWanted,
  io: LockIo,
  signal: AbortSignal,
): Promise<number> {
  const asked = new Set(plan.asked);
  const uses = read.uses.filter(({ image }) => asked.has(image));
  const registries = await io.registries(wanted.insecure);
  if ('status' in registries) return refuse(io, 1, registries.why);
  let resolved: Resolved;
  try {
    const what = `asking registries for ${String(uses.length)} of ${String(read.uses.length)} images`;
    resolved = await withProgress(io, what, () => resolveAll(uses, registries, signal));
  } catch (error) {
    if (!signal.aborted) throw error;
    return refuse(io, 1, 'stopped, nothing was written');
  }
  const next = new Map([...read.pins, ...resolved.digests]);
  for (const image of plan.unused) next.delete(image);
  const changes = changesOf(read.pins, next);
  if (changes.length > 0 || (read.text === undefined && resolved.failed.length === 0)) {
    const refused = await write(folder, read.text, lockText(read.text, next), signal);
    if (refused !== undefined) return refuse(io, 1, refused);
  }
  tell({ changes, failed: resolved.failed, size: next.size }, wanted, io);
  return resolved.failed.length === 0 ? 0 : 1;
}

/** Gives why it could not be written. Somebody else may have written it while registries were asked. */
async function write(
  folder: string,
  before: string | undefined,
  text: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const now = await readFile(join(folder, IMAGES_LOCK), 'utf8').catch(() => undefined);
    if (now !== before) return `${IMAGES_LOCK} was changed meanwhile and nothing was written`;
    await writeFiles(folder, new Map([[IMAGES_LOCK, new TextEncoder().encode(text)]]), signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return signal.aborted ? 'stopped' : error.message;
  }
}

interface Change {
  readonly image: string;
  readonly from?: string;
  readonly to?: string;
}

function changesOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((image) => ({ image, from: before.get(image), to: after.get(image) }))
    .filter(({ from, to }) => from !== to)
    .map(({ image, from, to }) => ({ image, ...(from && { from }), ...(to && { to }) }));
}

function tell(
  { changes, failed, size }: Pick<Resolved, 'failed'> & { readonly changes: readonly Change[]; readonly size: number }, // prettier-ignore
  { json, colour }: LockWanted,
  io: Output,
): void {
  if (json) return io.out(jsonText({ images: size, changes, failed }));
  for (const { image, from, to } of changes) {
    const sign = from === undefined ? '+' : to === undefined ? '-' : '~';
    io.out(`${sign} ${image}  ${to ?? from ?? ''}\n`);
  }
  if (failed.length > 0) io.err(formatText(failed, { colour }));
  const what = changes.length === 0 ? 'is as it was' : 'was written';
  io.out(`${IMAGES_LOCK} ${what}: ${String(size)} ${size === 1 ? 'image' : 'images'}\n`);
}
