import type { Id, Kind, Rendered } from '../core/kind.ts';
import { step } from '../core/step.ts';
import { called, failed, postponed, shifted, type UnitState } from '../core/unit.ts';
import { carryOut, type UnitResult } from './carry-out.ts';
import type { Clock, Provider, Reporter, RepositorySettings } from './ports.ts';
import { nothingTold, type Told, tellStep } from './tell.ts';

/** The newest valid revision, rendered. */
export interface Desired<Spec> {
  readonly revision: string;
  readonly units: readonly Rendered<Spec>[];
  readonly settings: RepositorySettings;
  /** When we first saw it, by our monotonic clock. */
  readonly seenAtMs: number;
}

/** What is remembered between passes. */
export interface Memory {
  readonly states: ReadonlyMap<Id, UnitState>;
  readonly told: Told;
  /** Passes in a row that could not read the Swarm, and when one last could. */
  readonly blind: number;
  readonly seenAtMs: number | undefined;
}

/** Before the first pass. */
export const nothingKnown: Memory = {
  states: new Map(),
  told: nothingTold,
  blind: 0,
  seenAtMs: undefined,
};

/** What a pass works with. */
export interface PassPorts<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly provider: Provider<Observed, Call>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Units at once. */
  readonly atOnce: number;
}

/** While a unit verifies, a look follows within this time (DESIGN: within 2 s). */
const VERIFY_MS = 1_000;

/**
 * One pass: observe, decide, carry out. Takes seconds and waits for nothing: what takes longer is a state that the
 * next pass finds. Returns what to remember and how soon looking again can matter; with nothing to do it writes nothing.
 */
export async function pass<Spec, Observed, Call>(
  ports: PassPorts<Spec, Observed, Call>,
  desired: Desired<Spec>,
  memory: Memory,
  signal: AbortSignal,
): Promise<{ readonly memory: Memory; readonly wakeMs: number }> {
  const observed = await ports.provider.observe(signal);
  if (observed.status !== 'ok') return cannotSee(ports, desired, memory, observed.why);
  const prepared = await ports.provider.prepare(observed.value, signal);
  if (prepared.status !== 'ok') return cannotSee(ports, desired, memory, prepared.why);
  if (prepared.value.made) return { memory, wakeMs: 0 };

  const nowMs = ports.clock.nowMs();
  const next = step({
    kind: ports.kind,
    desired: desired.units,
    observed: observed.value,
    states: afterBlindness(memory, nowMs),
    nowMs,
    intervalMs: desired.settings.intervalMs,
    verifyMs: VERIFY_MS,
  });
  const told = tellStep(next, desired, memory.told, ports);
  const seen = { told, blind: 0, seenAtMs: nowMs };
  if (next.work.length === 0) {
    return { memory: { ...seen, states: next.states }, wakeMs: next.wakeMs };
  }

  const caller = (): ReturnType<typeof ports.provider.caller> =>
    ports.provider.caller(observed.value);
  const results = await carryOut(next.work, { ...ports, caller }, signal);
  const states = noteResults(next.states, results, desired.settings, ports.clock.nowMs());
  return { memory: { ...seen, states }, wakeMs: 0 };
}

/** Pure. What the calls' outcomes mean for their units; a unit whose calls were all ok is looked at by the next pass. */
function noteResults(
  states: ReadonlyMap<Id, UnitState>,
  results: readonly UnitResult[],
  settings: RepositorySettings,
  nowMs: number,
): ReadonlyMap<Id, UnitState> {
  const noted = new Map(states);
  for (const { id, outcome } of results) {
    const state = states.get(id);
    if (state === undefined) continue;
    noted.set(id, noteOne(state, outcome, Math.min(1_000, settings.retryIntervalMs), nowMs));
  }
  return noted;
}

function noteOne(
  state: UnitState,
  outcome: UnitResult['outcome'],
  firstWaitMs: number,
  nowMs: number,
): UnitState {
  switch (outcome.status) {
    case 'ok':
      return called(state, nowMs);
    case 'again':
      return postponed(state, `${outcome.target}: ${outcome.why}`, firstWaitMs, nowMs);
    case 'refused': {
      const why = `the engine refused ${outcome.target}`;
      return failed(state, { code: 'refused', why, evidence: outcome.why });
    }
  }
}

/** What happened while nothing could be read is nobody's failure. */
function afterBlindness(memory: Memory, nowMs: number): ReadonlyMap<Id, UnitState> {
  if (memory.blind === 0 || memory.seenAtMs === undefined) return memory.states;
  const blindMs = nowMs - memory.seenAtMs;
  return new Map([...memory.states].map(([id, state]) => [id, shifted(state, blindMs)]));
}

function cannotSee<Spec, Observed, Call>(
  { reporter }: PassPorts<Spec, Observed, Call>,
  { settings }: Desired<Spec>,
  memory: Memory,
  why: string,
): { readonly memory: Memory; readonly wakeMs: number } {
  if (memory.told.waiting !== why) reporter.tell({ event: 'waiting', of: 'swarm', why });
  const wakeMs = Math.min(1_000 * 2 ** Math.min(memory.blind, 10), settings.retryIntervalMs);
  return {
    memory: { ...memory, blind: memory.blind + 1, told: { ...memory.told, waiting: why } },
    wakeMs,
  };
}
