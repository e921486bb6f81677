import type { Blocked, Health, Id, Rendered } from './kind.ts';
import type { Moved } from './look.ts';
import { isQuarantined, type Phase, type UnitEvent } from './unit.ts';
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
  const { record, watch, held, blocked = [], notes = [], health } = moved;
  const phase = record?.phase ?? 'none';
  const quarantined = record !== undefined && isQuarantined(record, digest);
  const trouble = watch.tries >= TRIES_TOLD ? watch.trouble : undefined;
  const why = held ?? trouble;
  return {
    id,
    digest,
    phase,
    pending: isPending(phase, quarantined, digest, moved),
    quarantined,
    ...(why !== undefined && { held: why }),
    blocked,
    notes,
    ...(health && { health }),
  };
}

function isPending<Call>(
  phase: Phase,
  quarantined: boolean,
  digest: string,
  { record, health }: Moved<Call>,
): boolean {
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

/** Pure. A unit that left the repository: a revision that removes it has not ended before it is gone. */
export function viewOfLeft<Call>(id: Id, { record, watch, held }: Moved<Call>): UnitView {
  const phase = record?.phase ?? 'none';
  const trouble = watch.tries >= TRIES_TOLD ? watch.trouble : undefined;
  const why = held ?? trouble;
  return {
    id,
    digest: '',
    phase,
    pending: phase === 'removing',
    quarantined: false,
    ...(why !== undefined && { held: why }),
    blocked: [],
    notes: [],
    left: true,
  };
}

/** What a unit waits for may come at any time; nobody tells when. Milliseconds. */
const HELD_MS = 5_000;

/** Pure. How soon another look at the unit can matter. */
export function wakeOf<Call>(
  { record, watch, operations, held, health, patient, soon, blocked = [] }: Moved<Call>,
  pace: { readonly nowMs: number; readonly intervalMs: number; readonly verifyMs: number },
): number {
  if (operations.length > 0) return 0;
  if (patient === true) return pace.intervalMs;
  // What is stuck waits for a person or a commit, and both wake us.
  const stuck = record?.phase === 'stuck' && blocked.length === 0;
  if (held !== undefined && !stuck) return Math.min(pace.intervalMs, HELD_MS);
  if (soon === true) return Math.max(pace.verifyMs, watch.retryAtMs - pace.nowMs);
  switch (record?.phase) {
    case 'verifying':
    case 'reverting':
      return pace.verifyMs;
    case 'applying':
    case 'rolling-back':
      // With a health that is open it is not the next call that is waited for.
      return health === undefined || health.status === 'failing'
        ? Math.max(0, watch.retryAtMs - pace.nowMs)
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
