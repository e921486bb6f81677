import type { Freeze } from '../core/freeze.ts';
import type { CallOutcome, Failure, Id } from '../core/kind.ts';
import { SWARM_CALL_MS } from '../core/lease.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';
import type { Step } from '../core/step.ts';
import type { UnitEvent } from '../core/unit-event.ts';
import { called, postponed, type Watch } from '../core/watch.ts';
import type { Grounds } from './at-rest.ts';
import type { UnitResult } from './carry-out.ts';
import type { Decided, Desired, Memory, Passed, PassPorts, Sight, Untold } from './pass.ts';
import type { Known, Reporter } from './ports.ts';
import { tellStep } from './tell.ts';

/** Pure. What was recorded after all, although nobody answered. */
export function toldLate(untold: Untold | undefined, { units }: Known): readonly UnitEvent[] {
  if (untold === undefined) return [];
  const { events, units: wanted } = untold;
  return events.filter(({ id }) => units.get(id) === wanted.get(id));
}

/** Pure. What the calls' outcomes mean for their units; a unit whose calls were all ok is looked at by the next pass. */
export function noteResults(
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

/** The pass ends: what was decided may be recorded or not, and the next one reads again. */
export function cannotRecord<Spec, Call>(
  reporter: Reporter,
  desired: Desired<Spec>,
  memory: Memory,
  {
    saved,
    next,
    units,
  }: {
    readonly saved: Exclude<CallOutcome<unknown>, { status: 'ok' }>;
    readonly next: Step<Call>;
    readonly units: Known['units'];
  },
): Passed {
  // A request came in between: nothing is wrong, look again.
  if (saved.cause === 'out-of-sequence' && memory.blind === 0) {
    return { memory: { ...memory, blind: 1 }, wakeMs: 0 };
  }
  const changed = next.events.filter(({ id }) => units.get(id) !== next.units.get(id));
  const untold = { events: changed, units: next.units };
  const open = { ...memory, ...(saved.status === 'unknown' && { untold }) };
  return cannotSee(reporter, desired, open, `the record cannot be written: ${saved.why}`);
}

/** The pass ends with nothing decided; why is told once. */
export function cannotSee<Spec>(
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

/** While everything is frozen nothing is called, recorded or taken: what is under way and what people ask for stays. */
export function lookOnly<Spec, Observed, Call>(
  { prober, reporter }: PassPorts<Spec, Observed, Call>,
  { loaded, memory, nowMs }: Sight<Spec, Observed>,
  { next, spare }: Decided<Call>,
  freeze: Freeze,
): Passed {
  const beside = { notes: loaded.notes, revision: undefined, late: [], freeze };
  const told = tellStep(next, beside, memory.told, reporter);
  prober.ask(next.asks);
  const { watches } = next;
  return {
    memory: { ...memory, watches, told, spares: spare.since, blind: 0, lookedAtMs: nowMs },
    wakeMs: Math.min(next.wakeMs, freeze.leftMs ?? Infinity),
  };
}

/** Earlier blobs of the record go in a pass that calls nothing. */
export async function collectBlobs<Spec, Observed, Call>(
  { recorder, guard }: PassPorts<Spec, Observed, Call>,
  { observed, mayRemove }: Grounds<Spec, Observed>,
  signal: AbortSignal,
): Promise<void> {
  if (mayRemove && guard.refusal(SWARM_CALL_MS) === undefined)
    await recorder.collect(observed, signal);
}
