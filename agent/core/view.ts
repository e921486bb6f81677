import type { Blocked, Health, Id, Rendered } from './kind.ts';
import type { Moved, Wait } from './look.ts';
import { isQuarantined, type Phase } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';
import type { Watch } from './watch.ts';

/** What one look at a unit gave, for people. */
export interface UnitView {
  readonly id: Id;
  readonly digest: string;
  readonly phase: Phase;
  /** Something is under way, or is due and held. */
  readonly pending: boolean;
  /** What the repository wants failed before and is not tried. */
  readonly quarantined: boolean;
  /** Why a step that is due is not done. */
  readonly held?: string;
  /** That is only what left the unit: it is itself in place. */
  readonly partsHeld?: true;
  /** It waits for a unit that failed or was taken back by hand: nothing of it is under way. */
  readonly waits?: Wait['ended'];
  /** What keeps it from beginning, where that is no other unit: see `Wait`. */
  readonly heldBy?: Wait['gate'];
  /** It is not to move, by somebody's will. */
  readonly gate?: 'suspended' | 'frozen';
  /** Something is under way or due, and it is suspended: its revision does not wait for it. */
  readonly leftOut?: true;
  readonly blocked: readonly Blocked[];
  /** What differs and is left as it is. */
  readonly notes: readonly string[];
  readonly health?: Health;
  /** The repository does not have it any more. */
  readonly left?: true;
}

/** After so many tries it is no hiccup, and people are told what the unit waits for. */
const TRIES_TOLD = 4;

/** Pure. */
export function viewOf<Spec, Call>({ id, digest }: Rendered<Spec>, moved: Moved<Call>): UnitView {
  const { record, watch, held, partsHeld, gate, wait, blocked = [], notes = [], health } = moved;
  const phase = record?.phase ?? 'none';
  const quarantined = record !== undefined && isQuarantined(record, digest);
  const trouble = watch.tries >= TRIES_TOLD ? watch.trouble : undefined;
  const why = held ?? trouble;
  const pending = isPending(phase, quarantined, digest, moved);
  const leftOut = pending && gate === 'suspended';
  return {
    id,
    digest,
    phase,
    pending: pending && !leftOut,
    quarantined,
    ...(gate !== undefined && { gate }),
    ...(leftOut && { leftOut }),
    ...(why !== undefined && { held: why }),
    ...(partsHeld === true && { partsHeld }),
    ...(wait?.ended !== undefined && { waits: wait.ended }),
    ...(wait?.gate !== undefined && { heldBy: wait.gate }),
    blocked,
    notes,
    ...(health && { health }),
  };
}

function isPending<Call>(
  phase: Phase,
  quarantined: boolean,
  digest: string,
  { record, health, wait }: Moved<Call>,
): boolean {
  if (wait?.ended !== undefined) return false;
  // It made place for another one and is to run again.
  if (record?.movedTo !== undefined) return true;
  switch (phase) {
    case 'stuck':
      return false;
    case 'removing':
      return true;
    case 'none':
      // What was there before us and waits to be taken over is no revision's matter.
      if (record === undefined) return health === undefined;
      return !quarantined && record.releases[0]?.digest !== digest;
    case 'applying':
    case 'verifying':
    case 'rolling-back':
    case 'reverting':
      return true;
  }
}

/**
 * Pure. A unit that left the repository: a revision that removes it has not ended before it is gone, unless it is suspended.
 */
export function viewOfLeft<Call>(id: Id, moved: Moved<Call>): UnitView {
  const { record, watch, held, gate } = moved;
  const phase = record?.phase ?? 'none';
  const trouble = watch.tries >= TRIES_TOLD ? watch.trouble : undefined;
  const why = held ?? trouble;
  return {
    id,
    digest: '',
    phase,
    pending: isGoing(moved) && gate !== 'suspended',
    quarantined: false,
    ...(gate !== undefined && { gate }),
    ...(gate === 'suspended' && { leftOut: true }),
    ...(why !== undefined && { held: why }),
    blocked: [],
    notes: [],
    left: true,
  };
}

/** It is taken away, comes back, comes to rest, or stands still for another one, unless that is a person's matter now. */
function isGoing<Call>({ record, patient, soon }: Moved<Call>): boolean {
  if (record?.phase === 'removing' || record?.attempt !== undefined) return true;
  return patient !== true && (soon === true || record?.movedTo !== undefined);
}

/** What a unit waits for may come at any time; nobody tells when. Milliseconds. */
const HELD_MS = 5_000;
/** While something is under way a look follows within this time: the clocks count no longer gaps. */
const UNDER_WAY_MS = 2_000;
const RESTING: ReadonlySet<Phase> = new Set(['none', 'stuck', 'removing']);

/** Pure. How soon another look at the unit can matter. */
export function wakeOf<Call>(
  { record, watch, operations, held, gate, patient, soon, wait, health, blocked = [] }: Moved<Call>,
  pace: { readonly nowMs: number; readonly intervalMs: number; readonly verifyMs: number },
): number {
  if (operations.length > 0) return 0;
  // What ends it is a commit, a request or a label of the head, and all of them wake us.
  if (gate !== undefined || patient === true) return pace.intervalMs;
  // No clock is kept of what is removed.
  const isUnderWay = record !== undefined && !RESTING.has(record.phase);
  // What is stuck waits for a person or a commit, and both wake us.
  const stuck = record?.phase === 'stuck' && blocked.length === 0;
  // What it waits for is a unit itself, and is looked at when that can matter.
  const waits = wait !== undefined && held === wait.why;
  if (held !== undefined && !stuck && !waits) {
    return Math.min(pace.intervalMs, isUnderWay ? UNDER_WAY_MS : HELD_MS);
  }
  if (soon === true) return Math.max(pace.verifyMs, watch.retryAtMs - pace.nowMs);
  switch (record?.phase) {
    case 'verifying':
    case 'reverting':
      return pace.verifyMs;
    case 'applying':
    case 'rolling-back':
      // With a health that is open it is not the next call that is waited for.
      return health === undefined || health.status === 'failing'
        ? Math.min(UNDER_WAY_MS, Math.max(0, watch.retryAtMs - pace.nowMs))
        : pace.verifyMs;
    case 'removing':
      return Math.max(pace.verifyMs, watch.retryAtMs - pace.nowMs);
    case 'none':
    case 'stuck':
    case undefined: {
      const waitMs = watch.retryAtMs - pace.nowMs;
      return waitMs > 0 ? Math.min(pace.intervalMs, waitMs) : pace.intervalMs;
    }
  }
}

/** Pure. What is to be told of causes outside: once when one begins, once when it lasts, once when it is over. */
export function waitingEvents(
  id: Id,
  before: Watch | undefined,
  after: Watch,
): readonly UnitEvent[] {
  const was = before?.of === after.of ? before.outside : undefined;
  const is = after.outside;
  if (is === undefined) return was === undefined ? [] : [{ event: 'unit going on', id }];
  const news = was === undefined || was.why !== is.why || was.long !== is.long;
  return news ? [{ event: 'unit waiting', id, why: is.why, long: is.long }] : [];
}
