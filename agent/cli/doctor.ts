import { type Finding, type Severity, sortedFindings } from '../core/finding.ts';
import { inWords } from './ask-put.ts';
import { doctorUsage, type DoctorWanted, doctorWantedOf } from './doctor-options.ts';
import type { DoctorIo, PlaceDesk } from './doctor-ports.ts';
import { createPrinter, type Printer, type Tone } from './printer.ts';

/** A person who waits longer than this is told so. */
const PATIENCE_MS = 2_000;

/** What helps where there is no leader: nothing else can be read then. */
const NO_LEADER = `a Swarm without a leader: bring managers back until more than half of them are there (docker info on each
says which it knows). What runs goes on meanwhile. Only where they are lost for good, on one that is left:
docker swarm init --force-new-cluster`;

/** Runs `understudy doctor`; gives the exit code. */
export async function doctorCommand(
  args: readonly string[],
  io: DoctorIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = doctorWantedOf(args, io.environment);
  if (wanted === 'help') {
    io.out(doctorUsage);
    return 0;
  }
  if ('wrong' in wanted) {
    io.err(`understudy doctor: ${wanted.wrong}; understudy doctor --help says more\n`);
    return 2;
  }
  try {
    const swarm = wanted.swarm ? await swarmSeen(wanted, io, signal) : NOTHING;
    const mysql = await placesSeen(
      { path: wanted.mysql, what: 'servers', open: (path) => io.openMysql(path) },
      io,
      signal,
    );
    const ceph = await placesSeen(
      { path: wanted.ceph, what: 'clusters', open: (path) => io.openCeph(path) },
      io,
      signal,
    );
    for (const seen of [swarm, mysql, ceph]) {
      if ('why' in seen) return refuse(6, seen.why, { wanted, io, hint: seen.hint });
    }
    return tell(joined(swarm, mysql, ceph), wanted, io);
  } catch (error) {
    if (!signal.aborted) throw error;
    return refuse(1, 'stopped', { wanted, io, hint: '' });
  }
}

/** Absent `swarmId`: the Swarm was not looked at. */
interface Found {
  readonly swarmId?: string;
  readonly findings: readonly Finding[];
}

type Seen = Found | { readonly why: string; readonly hint: string };

const NOTHING: Found = { findings: [] };

async function swarmSeen(wanted: DoctorWanted, io: DoctorIo, signal: AbortSignal): Promise<Seen> {
  const desk = io.open(wanted.socket);
  const cancel = io.clock.after(PATIENCE_MS, () => io.err('the Swarm takes its time to answer\n'));
  try {
    const seen = await desk.examine(wanted.stuckMs, signal);
    if (seen.status === 'ok') return seen.value;
    const hint = seen.cause === 'no-leader' ? NO_LEADER : '';
    return { why: inWords(seen, wanted.socket), hint };
  } finally {
    cancel();
    desk.close();
  }
}

interface Place {
  readonly path: string | undefined;
  /** `servers` */
  readonly what: string;
  readonly open: (path: string) => PlaceDesk;
}

async function placesSeen(
  { path, what, open }: Place,
  io: DoctorIo,
  signal: AbortSignal,
): Promise<Seen> {
  if (path === undefined) return NOTHING;
  const cancel = io.clock.after(PATIENCE_MS, () => io.err(`the ${what} take their time\n`));
  try {
    const seen = await open(path).examine(signal);
    return seen.status === 'ok' ? seen : { why: seen.why, hint: '' };
  } finally {
    cancel();
  }
}

/** Of what could be looked at; what could not was told. */
function joined(...all: readonly Seen[]): Found {
  const found = all.filter((one): one is Found => 'findings' in one);
  const swarmId = found.find((one) => one.swarmId !== undefined)?.swarmId;
  const findings = sortedFindings(found.flatMap((one) => one.findings));
  return { findings, ...(swarmId !== undefined && { swarmId }) };
}

function refuse(
  code: 1 | 6,
  why: string,
  said: { readonly wanted: DoctorWanted; readonly io: DoctorIo; readonly hint: string },
): number {
  const { wanted, io, hint } = said;
  if (wanted.json) {
    io.out(`${JSON.stringify({ error: why })}\n`);
    return code;
  }
  const print = createPrinter(io, () => 0);
  print.error(`understudy doctor: ${why}`);
  if (hint !== '') print.error(hint);
  return code;
}

function tell({ swarmId, findings }: Found, { json }: DoctorWanted, io: DoctorIo): number {
  const counts = countsOf(findings);
  const code = counts.critical + counts.warning > 0 ? 1 : 0;
  if (json) {
    io.out(`${JSON.stringify({ swarm: swarmId, counts, findings })}\n`);
    return code;
  }
  const print = createPrinter(io, () => 0);
  for (const finding of findings) show(finding, print);
  const { critical, warning, note } = counts;
  const summary =
    findings.length === 0
      ? 'nothing to do'
      : `${String(critical)} critical, ${String(warning)} ${warning === 1 ? 'warning' : 'warnings'}, ${String(note)} ${note === 1 ? 'note' : 'notes'}`;
  print.plain(summary, code === 0 ? 'good' : 'strong');
  return code;
}

function countsOf(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const count = (severity: Severity): number =>
    findings.filter((one) => one.severity === severity).length;
  return { critical: count('critical'), warning: count('warning'), note: count('note') };
}

const TONES: Readonly<Record<Severity, Tone>> = {
  critical: 'bad',
  warning: 'strong',
  note: 'plain',
};

function show(finding: Finding, print: Printer): void {
  const { severity, code, what, where, why, advice, command } = finding;
  print.plain(`${severity}[${code}]: ${where}: ${what}`, TONES[severity]);
  print.plain(`  why  ${why}`);
  print.plain(`  do   ${advice}`);
  if (command !== undefined) print.plain(`       ${command}`);
  print.plain('');
}
