import { collect, type Collection, type SpareSince, without } from '../core/collect.ts';
import { frozenLine } from '../core/freeze.ts';
import { afterGap } from '../core/gap.ts';
import type { Failure, Id, Kind, Rendered } from '../core/kind.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';
import { type Step, step, type StepInput } from '../core/step.ts';
import type { UnitEvent } from '../core/unit-event.ts';
import type { Watch } from '../core/watch.ts';
import type { AtRest, Grounds } from './at-rest.ts';
import { carryOut } from './carry-out.ts';
import { collectSpares } from './collect.ts';
import type { Guard, Leadership } from './lease-ports.ts';
import { lookedEvents, type Looks, withLooked } from './looks.ts';
import type { Clock, Known, Prober, Provider, Recorder, Reporter, Source } from './ports.ts';
import {
  type JudgedBy,
  judgedBy,
  removalsFromMs,
  type Sizes,
  untilRemovals,
  withRemovals,
} from './removals.ts';
import {
  cannotRecord,
  cannotSee,
  collectBlobs,
  lookOnly,
  noteResults,
  toldLate,
} from './pass-ends.ts';
import { judgeRevision } from './revision.ts';
import { withStanding } from './standing.ts';
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
  /** Since when nothing needs earlier contents that are still there. */
  readonly spares?: SpareSince;
  /** How long the lists were that the last pass read. */
  readonly sizes?: Sizes;
  /** What a step changed whose record may have been written or not: told when the record shows it. */
  readonly untold: Untold | undefined;
  /** Passes in a row that could not read or record. */
  readonly blind: number;
  /** When the watches were last looked at. */
  readonly lookedAtMs: number | undefined;
}

/** What may be recorded or not. */
export interface Untold {
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
  lookedAtMs: undefined,
};

const nothingOpen = { refusals: new Map<Id, Failure>(), untold: undefined };

/** What a pass works with. */
export interface PassPorts<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly provider: Provider<Observed, Call>;
  readonly recorder: Recorder<Observed>;
  readonly prober: Prober;
  readonly lease: Pick<Leadership, 'expect' | 'reign'>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly guard: Guard;
  readonly source: Pick<Source, 'descends'>;
  readonly looks: Pick<Looks, 'answered' | 'looked'>;
  /** Of this time in which we lead. */
  readonly atRest: AtRest<Spec, Observed>;
  /** Units at once. */
  readonly atOnce: number;
}

/** While a unit verifies, a look follows within this time (DESIGN: within 2 s). */
const VERIFY_MS = 1_000;

/** How a pass ended. */
export interface Passed {
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
  const { provider, recorder, lease, clock, reporter, looks } = ports;
  const seen = await provider.observe(signal, desired);
  if (seen.status !== 'ok') return cannotSee(reporter, desired, memory, seen.why);
  const observed = seen.value;
  const loaded = looks.answered(recorder.load(observed), desired.revision);
  if (loaded.status !== 'ok') return cannotSee(reporter, desired, memory, loaded.why);

  if (desired.remembered && loaded.value.history.seen !== desired.revision) {
    const why =
      'the repository cannot be read, and what was fetched last is not what was seen last';
    return cannotSee(reporter, desired, memory, why);
  }

  const nowMs = clock.nowMs();
  const mayRemove = nowMs >= removalsFromMs(lease);
  const grounds = { desired, observed, loaded: loaded.value, mayRemove };
  if (ports.atRest.holds(grounds, memory, nowMs)) {
    lease.expect('idle');
    await collectBlobs(ports, grounds, signal);
    return { memory, wakeMs: desired.settings.intervalMs };
  }
  return bringCloser(ports, { ...grounds, memory, nowMs }, signal);
}

/** Decides, records, and carries out: everything comes one step closer to what is wanted. */
async function bringCloser<Spec, Observed, Call>(
  ports: PassPorts<Spec, Observed, Call>,
  sight: Sight<Spec, Observed>,
  signal: AbortSignal,
): Promise<Passed> {
  const { recorder, prober, lease, clock, reporter, looks } = ports;
  const { desired, observed, loaded, memory, nowMs } = sight;
  const seeing = { desired, observed, loaded, before: memory.sizes };
  const judged = await judgedBy(ports, seeing, signal);
  const { next, spare } = decide(ports, sight, judged);
  const { freeze } = loaded;
  const isBusy = next.work.length > 0;
  const calls = isBusy || spare.due.length > 0;
  const isWorking = freeze === undefined && (isBusy || isMoving(next.units));
  lease.expect(isWorking ? 'working' : 'idle');
  if (freeze !== undefined) return lookOnly(ports, sight, { next, spare }, freeze);
  const { revision, seenAtMs } = desired;
  const { history: standing, event } = judgeRevision(
    loaded.history,
    { revision, ms: nowMs - seenAtMs, date: clock.date() },
    next.views,
    next.units,
  );
  const looked = looks.looked(loaded, revision);
  const ended = withRemovals(standing, next, judged, { kind: ports.kind, observed, desired });
  const history = withLooked(withStanding(ended, next.views), looked);
  const known = { units: next.units, history, calls };
  const saved = await recorder.save(observed, loaded, known, signal);
  if (saved.status !== 'ok') {
    // Another one leads by now: what we saw and decided counts no more.
    if (saved.cause === 'held-back') return { memory, wakeMs: desired.settings.intervalMs };
    return cannotRecord(reporter, desired, memory, { saved, next, units: loaded.units });
  }
  const notes = [...loaded.notes, ...saved.value.notes];
  const late = toldLate(memory.untold, loaded);
  const told = tellStep(next, { notes, revision: event, late }, memory.told, reporter);
  for (const one of lookedEvents(looked)) reporter.tell(one);
  prober.ask(next.asks);

  const spares = without(spare.since, spare.due);
  const rest = { told, spares, sizes: judged.sizes, blind: 0, lookedAtMs: nowMs, ...nothingOpen };
  if (!calls) {
    await collectBlobs(ports, sight, signal);
    ports.atRest.note(sight, { next, spare, rewound: judged.rewound }, nowMs);
    const wakeMs = Math.min(next.wakeMs, untilRemovals(lease, next.units, desired, nowMs));
    return { memory: { ...rest, watches: next.watches }, wakeMs };
  }
  return act(ports, { desired, observed, next, spare, rest }, signal);
}

/** What is called in one pass, and what is remembered of it beside. */
interface Acts<Spec, Observed, Call> extends Decided<Call> {
  readonly desired: Desired<Spec>;
  readonly observed: Observed;
  readonly rest: Omit<Memory, 'watches'>;
}

/** The calls of a pass that is recorded: the work of units, or, last of all, what is collected. Another pass follows at once. */
async function act<Spec, Observed, Call>(
  ports: PassPorts<Spec, Observed, Call>,
  { desired, observed, next, spare, rest }: Acts<Spec, Observed, Call>,
  signal: AbortSignal,
): Promise<Passed> {
  const calling = { ...ports, caller: () => ports.provider.caller(observed) };
  if (next.work.length === 0) {
    await collectSpares(spare.due, calling, signal);
    return { memory: { ...rest, watches: next.watches }, wakeMs: 0 };
  }
  const results = await carryOut(next.work, calling, signal);
  const noted = noteResults(next.watches, results, desired.settings, ports.clock.nowMs());
  return { memory: { ...rest, ...noted }, wakeMs: 0 };
}

/** Pure. Whether anything is under way that must not wait long for another leader; what is removed may. */
function isMoving(units: Known['units']): boolean {
  return units.values().some(({ attempt }) => attempt !== undefined);
}

/** What one pass decides from. */
export interface Sight<Spec, Observed> extends Grounds<Spec, Observed> {
  readonly memory: Memory;
  readonly nowMs: number;
}

/** What is done now, and what is collected where that is nothing. */
export interface Decided<Call> {
  readonly next: Step<Call>;
  readonly spare: Collection<Call>;
}

function decide<Spec, Observed, Call>(
  { kind, prober, clock }: PassPorts<Spec, Observed, Call>,
  { desired, observed, loaded, mayRemove, memory, nowMs }: Sight<Spec, Observed>,
  { removals }: JudgedBy,
): Decided<Call> {
  const { watches, lookedAtMs: fromMs = nowMs, blind, spares = new Map<string, number>() } = memory;
  const { freeze } = loaded;
  const input: StepInput<Spec, Observed, Call> = {
    kind,
    desired: desired.units,
    revision: desired.revision,
    observed,
    units: loaded.units,
    requests: loaded.requests,
    ...(freeze && { frozen: frozenLine(freeze) }),
    approved: loaded.history.approved ?? [],
    removals,
    mayRemove,
    watches: afterGap(watches, { fromMs, nowMs, blind: blind > 0 }),
    refusals: memory.refusals,
    answers: prober.answers(),
    ...changeRules(desired.settings, clock),
    nowMs,
    date: clock.date(),
    intervalMs: desired.settings.intervalMs,
    verifyMs: VERIFY_MS,
  };
  const next = step(input);
  return { next, spare: collect(next, input, spares) };
}

/** Whether a window is open is one of the two decisions that read the wall clock: people wrote it in that clock. */
export function changeRules({ rollout, windows = [] }: RepositorySettings, clock: Clock) {
  return {
    ...(rollout && { rollout }),
    windows: { rules: windows, wallMs: clock.instant().wallMs },
  };
}
