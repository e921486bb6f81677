import { join } from 'node:path';

import { formatText, jsonText } from '../core/format.ts';
import { suggest } from '../core/suggest.ts';
import { visible } from '../core/visible.ts';
import { isFolder } from '../source/folder.ts';
import { existing, writeFiles } from './adopt-files.ts';
import { adoptUsage, type AdoptWanted, adoptWantedOf } from './adopt-options.ts';
import type { Adopted, AdoptIo, Adoption } from './adopt-ports.ts';
import { inWords } from './ask-put.ts';
import { operationLines } from './plan-words.ts';
import { createPrinter, type Output } from './printer.ts';

interface Refused {
  readonly code: 1 | 6;
  readonly why: string;
}

/** Runs `understudy adopt`; gives the exit code. */
export async function adoptCommand(
  args: readonly string[],
  io: AdoptIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = adoptWantedOf(args, io.environment, io.colour);
  if (wanted === 'help') {
    io.out(adoptUsage);
    return 0;
  }
  if ('wrong' in wanted) return wrongUse(io, wanted.wrong);
  const { into } = wanted;
  if (into !== undefined && !(await isFolder(into, signal))) {
    return wrongUse(io, `there is no folder \`${into}\``);
  }
  const read = await readStack(wanted, io, signal);
  if ('why' in read) return refuse(io, wanted, read);
  const refused = await write(wanted, read, signal);
  if (refused !== undefined) return refuse(io, wanted, refused);
  if (wanted.json) io.out(`${jsonText(inJson(wanted, read))}\n`);
  else tell(wanted, read, io);
  return isDone(read) ? 0 : 1;
}

function wrongUse(io: Output, why: string): number {
  io.err(`understudy adopt: ${why}; understudy adopt --help says more\n`);
  return 2;
}

function refuse(io: Output, { json, colour }: AdoptWanted, { code, why }: Refused): number {
  if (json) io.out(`${JSON.stringify({ error: why })}\n`);
  else createPrinter({ ...io, colour }, () => 0).error(`understudy adopt: ${why}`);
  return code;
}

async function readStack(
  { stack, socket }: AdoptWanted,
  io: AdoptIo,
  signal: AbortSignal,
): Promise<Adopted | Refused> {
  const desk = io.open(socket);
  try {
    const found = await desk.adopt(stack, signal);
    if (found.status !== 'ok') return { code: 6, why: inWords(found, socket) };
    return 'adopted' in found.value ? found.value.adopted : unknown(stack, found.value);
  } catch (error) {
    if (!signal.aborted) throw error;
    return { code: 1, why: 'stopped' };
  } finally {
    desk.close();
  }
}

function unknown(
  stack: string,
  { stacks }: Exclude<Adoption, { readonly adopted: Adopted }>,
): Refused {
  const meant = suggest(stack, stacks);
  const known = stacks.length === 0 ? 'there is none' : `there is ${stacks.join(', ')}`;
  const hint = meant === undefined ? known : `did you mean \`${meant}\`?`;
  return { code: 1, why: `no service of this Swarm belongs to a stack \`${stack}\`: ${hint}` };
}

/** Contents first and the Compose file last: without it the folder is no stack. */
async function write(
  { stack, into, force }: AdoptWanted,
  { files }: Adopted,
  signal: AbortSignal,
): Promise<Refused | undefined> {
  if (into === undefined) return undefined;
  const folder = join(into, 'stacks', stack);
  try {
    const there = force ? [] : await existing([...files.keys()].map((path) => join(folder, path)));
    if (there.length > 0) {
      const many = there.length === 1 ? 'exists' : 'exist';
      const why = `${there.join(', ')} ${many} and nothing was written: \`--force\` writes over`;
      return { code: 1, why };
    }
    const placed = [...files].map(([path, bytes]) => [`stacks/${stack}/${path}`, bytes] as const);
    await writeFiles(into, new Map(placed), signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { code: 1, why: signal.aborted ? 'stopped' : error.message };
  }
}

function isDone({ mistakes, changes, blocked }: Adopted): boolean {
  return mistakes.length === 0 && changes.length === 0 && blocked.length === 0;
}

function inJson({ stack, into }: AdoptWanted, adopted: Adopted): object {
  const { files, policy, notes, mistakes, changes, blocked } = adopted;
  return {
    stack,
    empty: isDone(adopted),
    files: [...files].map(([path, bytes]) => ({
      path: `stacks/${stack}/${path}`,
      bytes: bytes.length,
      // What was written somewhere can be read there.
      ...(into === undefined && { base64: Buffer.from(bytes).toString('base64') }),
    })),
    policy: policy.join('\n'),
    notes,
    mistakes,
    changes,
    blocked,
  };
}

function tell(wanted: AdoptWanted, adopted: Adopted, io: Output): void {
  const { stack, into, colour } = wanted;
  const { files, policy, notes, mistakes } = adopted;
  // With the file on the output, nothing else may stand there.
  const output =
    into === undefined ? { ...io, colour, out: (text: string) => io.err(text) } : { ...io, colour };
  const print = createPrinter(output, () => 0);
  if (into === undefined) {
    io.out(new TextDecoder().decode(files.get('compose.yaml')));
    const others = files.size - 1;
    if (others > 0) print.plain(`\`--into FOLDER\` also writes ${counted(others)} for its configs`);
  } else {
    for (const path of files.keys()) {
      print.plain(`wrote ${visible(join(into, 'stacks', stack, path))}`);
    }
  }
  for (const note of notes) print.plain(`note: ${visible(note)}`);
  if (policy.length > 0) print.plain('its environment must allow, in environments/NAME.yaml:');
  for (const line of policy) print.plain(`  ${line}`);
  if (mistakes.length > 0) output.out(formatText(mistakes, { colour }));
  tellLeft(stack, adopted, print);
}

function counted(files: number): string {
  return files === 1 ? 'one file' : `${String(files)} files`;
}

function tellLeft(stack: string, adopted: Adopted, print: ReturnType<typeof createPrinter>): void {
  if (isDone(adopted)) {
    print.plain(`stack ${stack} is what this file says: there is nothing to do about it`, 'good');
    return;
  }
  const { mistakes, changes, blocked } = adopted;
  if (mistakes.length > 0) {
    print.plain('the file is not valid as it is, so it was not compared with what runs', 'bad');
    return;
  }
  print.plain('the file cannot say all of what runs; an agent that has it would do this:', 'bad');
  for (const { sign, depth, text } of changes.flatMap(operationLines)) {
    print.plain(`${'  '.repeat(depth)}${sign} ${text}`);
  }
  for (const { why } of blocked) print.plain(`    ${visible(why)}`);
}
