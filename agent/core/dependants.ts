import type { Id, Release, Rendered } from './kind.ts';
import type { Look, Moved } from './look.ts';
import { goBack } from './step-back.ts';
import { goingBack, type UnitRecord } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';
import { newWatch } from './watch.ts';

/** A unit that went back in this very step, from what this revision had brought. */
export interface Return {
  readonly id: Id;
  readonly revision: string;
}

/** Pure. From what a unit went back in this step; undefined where it did not, or not because that failed. */
export function returnOf<Spec, Call>(
  { id, digest }: Rendered<Spec>,
  { record, events }: Moved<Call>,
): Return | undefined {
  if (!events.some((one) => one.event === 'unit rolled back' && one.id === id)) return undefined;
  const failure = record?.quarantine.find((one) => one.digest === digest);
  if (record === undefined || failure === undefined) return undefined;
  // What a person took back had been healthy: the request came later than what it took back.
  const taken = record.releases.find((one) => one.digest === digest);
  const revision = failure.code === 'manual' ? taken?.revision : failure.revision;
  return revision === undefined || revision === '' ? undefined : { id, revision };
}

/** What becomes of a dependant: it goes back too, or it is told why it does not. */
interface Followed<Call> {
  readonly moved?: Moved<Call>;
  readonly events: readonly UnitEvent[];
}

/**
 * Pure. A unit goes back with one that it depends on, where the same revision brought both. Nothing of it failed, so
 * nothing is quarantined: what keeps it where it is then is the gate, as long as the other one is not in place.
 */
export function followBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord | undefined,
  returns: readonly Return[],
): Followed<Call> {
  const revision = record && broughtBy(record);
  const because = returns.find((one) => one.revision === revision);
  if (record === undefined || because === undefined) return { events: [] };
  const target = record.releases.find((one) => one.revision !== because.revision);
  const isSuspended = record.suspended !== undefined || unit.suspended === true;
  const why = isSuspended ? 'it is suspended' : whyNot(look, unit, target);
  const named = { id: unit.id, because: because.id };
  if (target === undefined || why !== undefined) {
    return { events: [{ event: 'unit not taken back', ...named, why: why ?? '' }] };
  }
  const moved = takeBack(look, unit, record, target);
  const event: UnitEvent = { event: 'unit taken back', ...named, revision: because.revision };
  return { moved: { ...moved, events: [event, ...moved.events] }, events: [] };
}

/** Pure. The revision of what runs or is tried; undefined where the unit is on its way back, or stuck. */
export function broughtBy({ phase, attempt, releases }: UnitRecord): string | undefined {
  switch (phase) {
    case 'none':
      return releases[0]?.revision;
    case 'applying':
    case 'verifying':
      return attempt?.revision;
    case 'rolling-back':
    case 'reverting':
    case 'stuck':
    case 'removing':
      return undefined;
  }
}

/** Why such a unit is not brought back. */
export const FORWARD = 'what it holds only goes forward: commit what it is to be';

/** Pure. Why a unit that is healthy cannot go back to an earlier release; undefined where it can. */
export function whyNot<Spec, Observed, Call>(
  { kind }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  target: Release | undefined,
): string | undefined {
  if (target === undefined) return 'it has no earlier healthy release';
  const { mode } = kind.rollback(unit);
  if (mode === 'hold') return '`rollback.mode` is `hold`';
  if (mode === 'forward') return FORWARD;
  const isReadable = kind.restore(unit.id, target) !== undefined;
  return isReadable ? undefined : 'this version cannot read its earlier release in the record';
}

/** Pure. The way back begins. What only the newer release has stands still, as after a failure. */
export function takeBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
  target: Release,
): Moved<Call> {
  const { kind, observed, absent, nowMs } = look;
  const [current] = record.releases;
  const runs = current === target ? undefined : current && kind.restore(unit.id, current);
  const made = new Set([...record.made, ...(runs ? kind.parts(runs) : [])]);
  const restored = kind.restore(unit.id, target);
  for (const part of restored ? kind.parts(restored) : []) made.delete(part);
  const from = { baseline: kind.baseline(unit, observed), absent };
  const back = goingBack({ ...record, made: [...made] }, from, target);
  const watch = newWatch(`back ${back.attempt.digest}`, nowMs);
  const standing = { unit, record: back, watch, refusal: undefined };
  return goBack(look, unit.id, standing, back.attempt);
}
