import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

import type { Settings } from '../schemas/settings.ts';
import { keyFile } from './age/key-file.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { compacting, type Memory } from './compacting.ts';
import { formatText } from './core/format.ts';
import { openEngine } from './engine.ts';
import { imageAnswer } from './providers/stack/image-answer.ts';
import { swarmShelf } from './providers/stack/shelf.ts';
import { logAnswer } from './providers/stack/log-answer.ts';
import { openProber } from './probes/prober.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import { Looks } from './reconcile/looks.ts';
import { run } from './reconcile/loop.ts';
import {
  type Clock,
  type Prober,
  type Renderer,
  type Reporter,
  type Source,
  SourceError,
} from './reconcile/ports.ts';
import { Wake } from './reconcile/wake.ts';
import { openRecorder } from './record/recorder.ts';
import { compactHeap, sweepHeap } from './render/heap.ts';
import { openRenderer } from './render/renderer.ts';
import type { UnitSpec } from './render/unit-spec.ts';
import { logReporter } from './report/log.ts';
import { readSettingsFile, SETTINGS_FILE } from './settings-file.ts';
import { readSettings, settingFlags } from './settings.ts';
import { openGitSource } from './source/git.ts';
import { version } from './version.ts';
import { openWorld } from './world.ts';

/** `understudy agent --help`. */
export const agentUsage = `Usage: understudy agent [OPTIONS]

Follows one branch of a Git repository and brings the Swarm to what is in it, until it is stopped.
Logs JSON lines to the standard output.

  --settings FILE     the agent's own settings; default ${SETTINGS_FILE}
  --local             allow a repository on this machine (a folder, file://)
  --SETTING VALUE     one setting, wins over the environment (UNDERSTUDY_...) and the file:
${[...settingFlags.keys()].map((name) => `                      --${name}`).join('\n')}

Exit codes: 0 stopped, 1 failed, 2 wrong use or wrong settings.
`;

/** What a command reads of the process. */
export interface Surroundings {
  readonly io: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of this process. */
  readonly pid: number;
}

/** Runs the agent until the signal; gives the exit code. */
export async function agentCommand(
  args: readonly string[],
  { io, environment, pid }: Surroundings,
  signal: AbortSignal,
): Promise<number> {
  const flags = flagsOf(args);
  if (typeof flags === 'string') {
    io.err(`understudy agent: ${flags}; understudy agent --help says more\n`);
    return 2;
  }
  const file = await readSettingsFile(flags.settings ?? SETTINGS_FILE, signal);
  if (file.status === 'unreadable' || (file.status === 'missing' && flags.settings !== undefined)) {
    io.err(`understudy agent: the settings file ${file.path} cannot be read: ${file.why}\n`);
    return 2;
  }
  const { settings, diagnostics } = readSettings({
    file,
    environment,
    flags: flags.values,
    local: flags.local,
  });
  if (settings === undefined) {
    io.err(formatText(diagnostics, { colour: io.colour }));
    return 2;
  }
  const reporter = logReporter(settings.log.level, { write: (text) => io.out(text) });
  const local = flags.local;
  return runAgent(settings, { clock: systemClock, reporter, local, pid }, signal);
}

/** What the agent has of its process. */
export interface Process {
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** A repository on this machine is fine. */
  readonly local: boolean;
  readonly pid: number;
  /** Absent: the repository of the settings is followed. `changed` is called when it may have moved. */
  readonly open?: (changed: () => void) => Promise<Source>;
  /** Absent: one of its own. */
  readonly renderer?: Renderer<UnitSpec>;
  /** Is told how long each pass took. Milliseconds. */
  readonly passed?: (ms: number) => void;
}

interface ProberParts {
  readonly swarm: Swarm;
  readonly clock: Clock;
  readonly answered: () => void;
}

function proberOf({ network }: Settings, { swarm, clock, answered }: ProberParts): Prober {
  return openProber({
    clock,
    image: (question, ended) => imageAnswer(swarm, question, ended),
    log: (question, ended) => logAnswer(swarm, question, ended),
    allow: network?.allow ?? [],
    answered,
  });
}

/** Composes the agent from its parts and runs it until the signal. */
export async function runAgent(
  settings: Settings,
  of: Process,
  signal: AbortSignal,
): Promise<number> {
  const { clock, pid } = of;
  const renderer = of.renderer ?? openOwnRenderer(settings, clock);
  const reporter = compacting(of.reporter, clock, memoryWith(renderer));
  const { environment, repository, atOnce } = settings;
  const [wake, sourceWake] = [new Wake(clock), new Wake(clock)];
  const source = await openOrTell(settings, of, () => sourceWake.ring());
  if (source === undefined) return 2;
  // Its program loads while the repository is fetched.
  renderer.warm?.();
  const forgetting = { forget: (): void => undefined };
  const looks = new Looks({ wake, sourceWake, full: () => forgetting.forget() });
  const engine = openEngine(settings, { clock, reporter, pid, wake, looks }, signal);
  const { swarm, head, lease, guard } = engine;
  const world = await openWorld(settings, { ...engine, clock, changed: () => wake.ring() });
  forgetting.forget = world.forget;
  const prober = proberOf(settings, { swarm, clock, answered: () => wake.ring() });
  const { url, branch, path } = repository;
  const owner = { environment, repository: url, branch, path };
  reporter.tell({ event: 'agent started', version, environment });
  try {
    await run(
      {
        ...world,
        recorder: openRecorder(swarmShelf(swarm, head.name, lease), { ...owner, clock }),
        prober,
        lease,
        source,
        renderer,
        clock,
        reporter,
        atOnce,
        sourceWake,
        looks,
        wake,
        guard,
        passed: (ms) => {
          of.passed?.(ms);
          reporter.passed();
        },
      },
      signal,
    );
    reporter.tell({ event: 'agent stopped', why: 'asked to stop' });
    return 0;
  } finally {
    reporter.close();
    prober.close();
    world.close();
    engine.close();
    await Promise.allSettled([renderer.close(), source.close()]);
  }
}

function openOwnRenderer({ environment, age }: Settings, clock: Clock): Renderer<UnitSpec> {
  return openRenderer({ environment, clock, ...(age && { keys: keyFile(age.keyFile) }) });
}

function memoryWith(renderer: Renderer<UnitSpec>): Memory {
  const compact = (): void => {
    compactHeap();
    renderer.compact?.();
  };
  return { compact, sweep: sweepHeap };
}

/** Undefined where it cannot be opened with these settings: that was told. */
async function openOrTell(
  settings: Settings,
  of: Process,
  changed: () => void,
): Promise<Source | undefined> {
  try {
    return await openSource(settings, of, changed);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    of.reporter.tell({ event: 'agent stopped', why: error.message });
    return undefined;
  }
}

async function openSource(
  settings: Settings,
  { clock, local, open }: Process,
  changed: () => void,
): Promise<Source> {
  if (open !== undefined) return open(changed);
  const { ssh, https, ...rest } = settings.repository;
  const logins = { ...(ssh && { ssh }), ...(https && { https }) };
  const from = { ...rest, ...logins, stateDir: settings.stateDir, local };
  return openGitSource(from, { clock, changed });
}

interface Flags {
  readonly settings: string | undefined;
  readonly local: boolean;
  /** By setting: `repository.url`. */
  readonly values: Readonly<Record<string, string>>;
}

function flagsOf(args: readonly string[]): Flags | string {
  const scalars = Object.fromEntries(
    [...settingFlags.keys()].map((name) => [name, { type: 'string' as const }]),
  );
  const options: ParseArgsOptionsConfig = {
    ...scalars,
    settings: { type: 'string' },
    local: { type: 'boolean' },
  };
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const { settings, local } = values;
    const given = [...settingFlags].flatMap(([name, key]): [string, string][] => {
      const value = values[name];
      return typeof value === 'string' ? [[key, value]] : [];
    });
    return {
      settings: typeof settings === 'string' ? settings : undefined,
      local: local === true,
      values: Object.fromEntries(given),
    };
  } catch (error) {
    return error instanceof Error ? error.message : 'the options cannot be read';
  }
}
