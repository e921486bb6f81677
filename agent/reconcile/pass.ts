import type { Failure, Id, Kind, Rendered } from '../core/kind.ts';
import type { RepositorySettings } from '../core/repository.ts';
import { step, type Step } from '../core/step.ts';
import type { UnitEvent } from '../core/unit.ts';
import { called, postponed, shifted, type Watch } from '../core/watch.ts';
import { carryOut, type UnitResult } from './carry-out.ts';
import type {
  Clock,
  Known,
  Loaded,
  Prober,
  Provider,
  Recorder,
  Reporter,
  Source,
} from './ports.ts';
import { type JudgedBy, judgedBy, type Sizes, withRemovals } from './removals.ts';
import { judgeRevision } from './revision.ts';
import { nothingTold, type Told, tellStep } from './tell.ts';

/** The newest valid revision, rendered. */
export interface Desired<Spec> {
  readonly revision: string;
  readonly units: readonly Rendered<Spec>[];
  readonly settings: RepositorySettings;
  /** When we first saw it, by our monotonic clock. */
  readonly seenAtMs: number;
  /** The repository cannot be asked: this is what was fetched last. Acted upon only where it is what was seen last. */
  readonly remembered: boolean;
  /** Why it may not be what the repository wants by now; absent: it was the newest when the repository was asked last. */
  readonly behind?: string;
}

/** What is remembered between passes, in memory only: all of it can be lost. */
export interface Memory {
  readonly watches: ReadonlyMap<Id, Watch>;
  /** Calls that were refused for good: the next pass records what follows from it. */
  readonly refusals: ReadonlyMap<Id, Failure>;
  readonly told: Told;
  /** How long the lists were that the last pass read. */
  readonly sizes?: Sizes;
  /** What a step changed whose record may have been written or not: told when the record shows it. */
  readonly untold: Untold | undefined;
  /** Passes in a row that could not read or record, and when one last could. */
  readonly blind: number;
  readonly seenAtMs: number | undefined;
}

interface Untold {
  readonly events: readonly UnitEvent[];
  readonly units: Known['units'];
}

/** Before the first pass. */
export const nothingKnown: Memory = {
  watches: new Map(),
  refusals: new Map(),
  told: nothingTold,
  untold: undefined,
  blind: 0,
  seenAtMs: undefined,
};

const nothingOpen = { refusals: new Map<Id, Failure>(), untold: undefined };

/** What a pass works with. */
export interface PassPorts<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly provider: Provider<Observed, Call>;
  readonly recorder: Recorder<Observed>;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly source: Pick<Source, 'descends'>;
  /** Units at once. */
  readonly atOnce: number;
  /** Whether anything may be removed now; absent: yes, where the rules allow it. */
  readonly mayRemove?: () => boolean;
}

/** While a unit verifies, a look follows within this time (DESIGN: within 2 s). */
const VERIFY_MS = 1_000;

interface Passed {
  readonly memory: Memory;
  /** How soon looking again can matter. */
  readonly wakeMs: number;
}

/**
 * One pass: observe, decide, record, carry out. Takes seconds and waits for nothing: what takes longer is a state in the
 * record that the next pass finds, whoever makes it. Nothing is called that was not recorded before in the same pass;
 * with nothing to do nothing is written.
 */
export async function pass<Spec, Observed, Call>(
  ports: PassPorts<Spec, Observed, Call>,
  desired: Desired<Spec>,
  memory: Memory,
  signal: AbortSignal,
): Promise<Passed> {
  const { provider, recorder, prober, clock, reporter } = ports;
  const seen = await provider.observe(signal);
  if (seen.status !== 'ok') return cannotSee(reporter, desired, memory, seen.why);
  const observed = seen.value;
  const prepared = await provider.prepare(observed, signal);
  if (prepared.status !== 'ok') return cannotSee(reporter, desired, memory, prepared.why);
  if (prepared.value.made) return { memory, wakeMs: 0 };
  const loaded = recorder.load(observed);
  if (loaded.status !== 'ok') return cannotSee(reporter, desired, memory, loaded.why);

  if (desired.remembered && loaded.value.history.seen !== desired.revision) {
    const why =
      'the repository cannot be read, and what was fetched last is not what was seen last';
    return cannotSee(reporter, desired, memory, why);
  }

  const seeing = { desired, observed, loaded: loaded.value, before: memory.sizes };
  const judged = await judgedBy(ports, seeing, signal);
  const next = decide(ports, { desired, observed, loaded: loaded.value, memory }, judged);
  const { history: standing, event } = judgeRevision(
    loaded.value.history,
    {
      revision: desired.revision,
      ms: clock.nowMs() - desired.seenAtMs,
      date: clock.date(),
    },
    next.views,
    next.units,
  );
  const history = withRemovals(standing, next, judged.rewound, desired);
  const known: Known = { units: next.units, history };
  const saved = await recorder.save(observed, loaded.value, known, signal);
  if (saved.status !== 'ok') {
    // A request came in between: nothing is wrong, look again.
    if (saved.cause === 'out-of-sequence' && memory.blind === 0) {
      return { memory: { ...memory, blind: 1 }, wakeMs: 0 };
    }
    const open = saved.status === 'unknown' ? untoldOf(loaded.value, next) : {};
    const why = `the record cannot be written: ${saved.why}`;
    return cannotSee(reporter, desired, { ...memory, ...open }, why);
  }
  const notes = [...loaded.value.notes, ...saved.value.notes];
  const late = toldLate(memory.untold, loaded.value);
  const told = tellStep(next, { notes, revision: event, late }, memory.told, reporter);
  prober.ask(next.asks);

  const rest = { told, sizes: judged.sizes, blind: 0, seenAtMs: clock.nowMs(), ...nothingOpen };
  if (next.work.length === 0) {
    await recorder.collect(observed, signal);
    return { memory: { ...rest, watches: next.watches }, wakeMs: next.wakeMs };
  }
  const calling = { ...ports, caller: () => provider.caller(observed) };
  const results = await carryOut(next.work, calling, signal);
  const noted = noteResults(next.watches, results, desired.settings, clock.nowMs());
  return { memory: { ...rest, ...noted }, wakeMs: 0 };
}

function decide<Spec, Observed, Call>(
  { kind, prober, clock, mayRemove }: PassPorts<Spec, Observed, Call>,
  {
    desired,
    observed,
    loaded,
    memory,
  }: {
    readonly desired: Desired<Spec>;
    readonly observed: Observed;
    readonly loaded: Loaded;
    readonly memory: Memory;
  },
  { removals }: JudgedBy,
): Step<Call> {
  const nowMs = clock.nowMs();
  return step({
    kind,
    desired: desired.units,
    revision: desired.revision,
    observed,
    units: loaded.units,
    requests: loaded.requests,
    approved: loaded.history.approved ?? [],
    removals,
    mayRemove: mayRemove?.() ?? true,
    watches: afterBlindness(memory, nowMs),
    refusals: memory.refusals,
    answers: prober.answers(),
    nowMs,
    date: clock.date(),
    intervalMs: desired.settings.intervalMs,
    verifyMs: VERIFY_MS,
  });
}

/** Pure. What a step changed of which nobody knows whether it is recorded. */
function untoldOf<Call>({ units }: Known, next: Step<Call>): Pick<Memory, 'untold'> {
  const events = next.events.filter(({ id }) => units.get(id) !== next.units.get(id));
  return { untold: { events, units: next.units } };
}

/** Pure. What was recorded after all, although nobody answered. */
function toldLate(untold: Untold | undefined, { units }: Known): readonly UnitEvent[] {
  if (untold === undefined) return [];
  const { events, units: wanted } = untold;
  return events.filter(({ id }) => units.get(id) === wanted.get(id));
}

/** Pure. What the calls' outcomes mean for their units; a unit whose calls were all ok is looked at by the next pass. */
function noteResults(
  before: ReadonlyMap<Id, Watch>,
  results: readonly UnitResult[],
  settings: RepositorySettings,
  nowMs: number,
): Pick<Memory, 'watches' | 'refusals'> {
  const watches = new Map(before);
  const refusals = new Map<Id, Failure>();
  const firstWaitMs = Math.min(1_000, settings.retryIntervalMs);
  for (const { id, outcome } of results) {
    const watch = before.get(id);
    if (watch === undefined) continue;
    if (outcome.status === 'ok') {
      watches.set(id, called(watch, nowMs));
      continue;
    }
    const { target, why } = outcome;
    if (outcome.status === 'again') {
      const trouble = { why: `${target}: ${why}`, refused: outcome.refused };
      watches.set(id, postponed(watch, trouble, firstWaitMs, nowMs));
      continue;
    }
    refusals.set(id, { code: 'refused', why: `the engine refused ${target}`, evidence: why });
  }
  return { watches, refusals };
}

/** What happened while nothing could be read is nobody's failure. */
function afterBlindness(memory: Memory, nowMs: number): ReadonlyMap<Id, Watch> {
  if (memory.blind === 0 || memory.seenAtMs === undefined) return memory.watches;
  const blindMs = nowMs - memory.seenAtMs;
  return new Map([...memory.watches].map(([id, watch]) => [id, shifted(watch, blindMs)]));
}

function cannotSee<Spec>(
  reporter: Reporter,
  { settings }: Desired<Spec>,
  memory: Memory,
  why: string,
): Passed {
  if (memory.told.waiting !== why) reporter.tell({ event: 'waiting', of: 'swarm', why });
  const wakeMs = Math.min(1_000 * 2 ** Math.min(memory.blind, 10), settings.retryIntervalMs);
  return {
    memory: { ...memory, blind: memory.blind + 1, told: { ...memory.told, waiting: why } },
    wakeMs,
  };
}
