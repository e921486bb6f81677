import { resolve } from 'node:path';

import type { Diagnostic } from '../core/diagnostic.ts';
import { formatAnnotations, formatJson, formatText } from '../core/format.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { RenderReport } from '../render/renderer.ts';
import { isStackSpec } from '../render/unit-spec.ts';
import { isFolder, readFolder } from '../source/folder.ts';
import { AGE_KEY, AGE_KEY_USAGE, ageKeyFile, firstLockedNote } from './age-key.ts';
import { HELP, parsedArguments } from './arguments.ts';
import { environmentsOf, openPatientRenderer, renderAll, usualLimits } from './rendered.ts';

/** What the command prints to and takes its time from. */
export interface ValidateIo {
  out(text: string): void;
  err(text: string): void;
  readonly colour: boolean;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `understudy validate --help`. */
export const validateUsage = `usage: understudy validate FOLDER [options]

Checks a repository in a folder, as the agent would read it. Needs no cluster.
In a Git work tree the files are those that a commit of everything would take: tracked ones, with what you
changed, and new ones that .gitignore does not name. Elsewhere it is all files in the folder.

  --environment NAME  check for this environment only; without it for every one in environments/
  --format FORMAT     text (default), json, or github for annotations in a workflow
${AGE_KEY_USAGE}
  --no-colour         plain text
  --help              this text

Exit codes: 0 valid, 1 the folder cannot be read, 2 wrong use, 3 invalid.
`;

const FORMATS = ['text', 'json', 'github'] as const;
type Format = (typeof FORMATS)[number];

interface Wanted {
  readonly folder: string;
  readonly environment?: string;
  readonly format: Format;
  readonly colour: boolean;
  readonly keyFile: string | undefined;
}

/** Runs `understudy validate`; gives the exit code. Throws `SourceError` when the folder cannot be read. */
export async function validateCommand(
  args: readonly string[],
  io: ValidateIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = wantedOf(args, io);
  if (wanted === 'help') {
    io.out(validateUsage);
    return 0;
  }
  if (typeof wanted === 'string') return refuse(io, wanted);
  if (!(await isFolder(wanted.folder, signal))) {
    return refuse(io, `there is no folder \`${wanted.folder}\``);
  }
  const { clock } = io;
  const snapshot = await readFolder(resolve(wanted.folder), { limits: usualLimits, clock }, signal);
  const judged = await judge(snapshot, wanted, clock, signal);
  const { invalid } = judged;
  io.out(printed(judged.diagnostics, wanted));
  if (!invalid && wanted.format !== 'json') io.out(`${judged.summaries.join('\n')}\n`);
  if (judged.locked !== undefined) io.err(`note: ${judged.locked}\n`);
  return invalid ? 3 : 0;
}

function refuse(io: ValidateIo, message: string): number {
  io.err(`understudy validate: ${message}\n\n${validateUsage}`);
  return 2;
}

const OPTIONS = {
  environment: { type: 'string' },
  format: { type: 'string' },
  'no-colour': { type: 'boolean' },
  ...AGE_KEY,
  ...HELP,
} as const;

/** What is wanted, `help`, or what is wrong with the arguments. */
function wantedOf(
  args: readonly string[],
  { colour, environment }: Pick<ValidateIo, 'colour' | 'environment'>,
): Wanted | string {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return parsed;
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [folder, second] = positionals;
  if (folder === undefined) return 'name the folder to check';
  if (second !== undefined) return `one folder only, not \`${second}\` as well`;
  const format = FORMATS.find((one) => one === (values.format ?? 'text'));
  if (format === undefined) return `\`--format\` is one of ${FORMATS.join(', ')}`;
  return {
    folder,
    ...(values.environment === undefined ? {} : { environment: values.environment }),
    format,
    colour: colour && values['no-colour'] !== true,
    keyFile: ageKeyFile(values['age-key-file'], environment),
  };
}

interface Judged {
  readonly diagnostics: readonly Diagnostic[];
  readonly invalid: boolean;
  /** One line an environment. */
  readonly summaries: readonly string[];
  /** What was not looked at. */
  readonly locked?: string;
}

async function judge(
  snapshot: Snapshot,
  { environment, keyFile }: Wanted,
  clock: Clock,
  signal: AbortSignal,
): Promise<Judged> {
  const names = environmentsOf(snapshot, environment);
  const renderer = openPatientRenderer(names[0] ?? '', clock, { keyFile, closed: 'fine' });
  try {
    const { reports, ...judged } = await renderAll(renderer, snapshot, names, signal);
    const locked = firstLockedNote(reports.values());
    const summaries = [...reports].map(([name, report]) => summary(name, report));
    return { ...judged, summaries, ...(locked !== undefined && { locked }) };
  } finally {
    await renderer.close();
  }
}

function summary(environment: string, { units }: RenderReport): string {
  const stacks = units.flatMap(({ spec }) => (isStackSpec(spec) ? [spec] : []));
  const services = stacks.reduce((sum, spec) => sum + Object.keys(spec.services).length, 0);
  const counts = [plural(stacks.length, 'stack'), plural(services, 'service')];
  for (const [unit, word] of DOCUMENTS) {
    const count = units.filter(({ id }) => id.startsWith(`${unit}/`)).length;
    if (count > 0) counts.push(plural(count, word));
  }
  return `valid: ${counts.join(', ')}, environment ${environment}`;
}

/** Units that are documents, as people count them. */
const DOCUMENTS = [
  ['mysql-database', 'database'],
  ['mysql-role', 'role'],
  ['mysql-user', 'user'],
  ['ceph-pool', 'pool'],
  ['ceph-crush-rule', 'rule'],
  ['ceph-filesystem', 'file system'],
  ['ceph-subvolume-group', 'group'],
  ['ceph-subvolume', 'subvolume'],
  ['ceph-client', 'client'],
] as const;

function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}

function printed(diagnostics: readonly Diagnostic[], { format, colour }: Wanted): string {
  switch (format) {
    case 'text':
      return formatText(diagnostics, { colour });
    case 'json':
      return formatJson(diagnostics);
    case 'github':
      return formatAnnotations(diagnostics);
  }
}
