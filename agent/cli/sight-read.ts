import { suggest } from '../core/suggest.ts';
import { type OwnedRecord, readRecord } from '../record/read.ts';
import { inWords } from './ask-put.ts';
import { createPrinter } from './printer.ts';
import { type SightVerb, sightUsage, type SightWanted, sightWantedOf } from './sight-options.ts';
import type { Sight, SightIo } from './sight-ports.ts';

/** What was read, at one moment. */
export interface SightRead {
  readonly sight: Sight;
  readonly record: OwnedRecord;
}

type Refused = { readonly status: 'refused'; readonly code: 1 | 6; readonly why: string };

/** What a command shows of what was read. */
export interface Shown {
  /** Pure. The stable shape of `--json`. */
  json(read: SightRead, wanted: SightWanted): object;
  text(read: SightRead, wanted: SightWanted, io: SightIo): void;
}

/** Runs a command that only looks; gives the exit code. */
export async function sightCommand(
  verb: SightVerb,
  args: readonly string[],
  { io, shown }: { readonly io: SightIo; readonly shown: Shown },
  signal: AbortSignal,
): Promise<number> {
  const wanted = sightWantedOf(verb, args, io.environment, io.colour);
  if (wanted === 'help') {
    io.out(sightUsage[verb]);
    return 0;
  }
  if ('wrong' in wanted) {
    io.err(`understudy ${verb}: ${wanted.wrong}; understudy ${verb} --help says more\n`);
    return 2;
  }
  const read = await readAll(io, wanted, signal);
  if (read.status === 'refused') {
    if (wanted.json) io.out(`${JSON.stringify({ error: read.why })}\n`);
    else createPrinter(io, () => 0).error(`understudy ${verb}: ${read.why}`);
    return read.code;
  }
  if (wanted.json) io.out(`${JSON.stringify(shown.json(read, wanted))}\n`);
  else shown.text(read, wanted, { ...io, colour: wanted.colour });
  return 0;
}

async function readAll(
  io: SightIo,
  wanted: SightWanted,
  signal: AbortSignal,
): Promise<(SightRead & { readonly status: 'ok' }) | Refused> {
  const desk = io.open(wanted.socket);
  try {
    const sight = await desk.sight(signal);
    if (sight.status !== 'ok') return refused(6, inWords(sight, wanted.socket));
    const { shelf } = sight.value;
    if (shelf === undefined) {
      return refused(6, 'no agent has run on this Swarm yet: there is no config `understudy.head`');
    }
    const record = readRecord(shelf);
    if (record.status !== 'ok') return refused(1, record.why);
    const why = unknownUnit(record.value, wanted);
    if (why !== undefined) return refused(1, why);
    return { status: 'ok', sight: sight.value, record: record.value };
  } catch (error) {
    if (!signal.aborted) throw error;
    return refused(1, 'stopped');
  } finally {
    desk.close();
  }
}

function refused(code: 1 | 6, why: string): Refused {
  return { status: 'refused', code, why };
}

function unknownUnit(
  { units, history, notes }: OwnedRecord,
  wanted: SightWanted,
): string | undefined {
  const known = new Set([...units.keys(), ...(history.standing ?? []).map(({ id }) => id)]);
  const id = wanted.units.find((one) => !known.has(one));
  if (id === undefined) return undefined;
  if (known.size === 0) return ['nothing is recorded of any unit yet', ...notes].join('; ');
  const meant = suggest(id, known);
  const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
  return [`\`${id}\` is not in the record${hint}`, ...notes].join('; ');
}
