import type { Health, HealthTimes, Rendered } from './kind.ts';
import type { Look, Moved, Wait } from './look.ts';
import type { Attempt, UnitRecord } from './unit.ts';
import { judge, type Judgement, type Watch } from './watch.ts';

/**
 * Pure. Why a unit is no ground to judge those by that depend on it: it is under way, or not well. Undefined where it is
 * well, and where nothing of it is to run.
 */
export function outageOf<Spec, Call>(
  { id }: Rendered<Spec>,
  { record, health, operations, gate, wait }: Moved<Call>,
): Wait | undefined {
  const because = (why: string): Wait => ({ why: `${id}, which it depends on, ${why}` });
  const isUnwell = health !== undefined && health.status !== 'converged';
  switch (gate === undefined ? record?.phase : undefined) {
    case 'applying':
    case 'verifying':
      // One that only stands there waits for another one, and that one counts.
      return wait === undefined
        ? because(record?.phase === 'applying' ? 'is being applied' : 'is verifying')
        : undefined;
    case 'rolling-back':
    case 'reverting':
      return because('goes back to its last healthy release');
    case 'stuck':
      return isUnwell ? { ...because('is stuck and not well'), ended: 'failed' } : undefined;
    case 'removing':
    case 'none':
    case undefined:
      if (operations.length > 0) return because('is put right');
      return isUnwell ? because('is not well') : undefined;
  }
}

/** What is judged, and why nothing bad counts now. */
export interface Judged {
  readonly record: UnitRecord;
  readonly watch: Watch;
  readonly outage?: Wait;
}

/** Pure. A health that is not good says nothing of the unit itself while what it depends on is not well. */
export function excused(health: Health, outage: Wait | undefined): Health {
  if (outage === undefined) return health;
  if (health.status !== 'failing' && health.status !== 'progressing') return health;
  const { summary, asks } = health;
  return { status: 'outside', why: outage.why, summary, ...(asks && { asks }) };
}

/**
 * Pure. What failed while another unit was not well is not judged after that either: it counts as what ran before the
 * attempt. The same record where nothing of that kind was.
 */
export function pastOutage<Spec, Observed, Call, Found extends Judged>(
  { kind, observed }: Look<Spec, Observed, Call>,
  of: Rendered<Spec>,
  judged: Found,
  attempt: Attempt,
): { readonly judged: Found; readonly attempt: Attempt } {
  const { record, watch, outage } = judged;
  if (outage !== undefined)
    return { judged: { ...judged, watch: { ...watch, outage: true } }, attempt };
  if (watch.outage === undefined) return { judged, attempt };
  const { outage: _over, ...rest } = watch;
  const next = { ...attempt, baseline: kind.baseline(of, observed) };
  return {
    judged: { ...judged, watch: rest, record: { ...record, attempt: next } },
    attempt: next,
  };
}

/** Pure. Where only a person can end the outage, no revision waits for the unit that suffers from it. */
export function waitingFor<Call>(outage: Wait | undefined, moved: Moved<Call>): Moved<Call> {
  const { record, operations, health } = moved;
  if (outage?.ended === undefined || record?.attempt === undefined) return moved;
  const isIdle = operations.length === 0 && health?.status === 'outside';
  return { ...moved, wait: outage, ...(isIdle && { patient: true }) };
}

/** Pure. As `judge`; while another unit is not well only good news counts, and a moment of it is no end of the outage. */
export function judgeExcused(
  { watch: before, outage }: Judged,
  health: Health,
  times: HealthTimes,
  nowMs: number,
): Judgement {
  const judged = judge(before, health, times, nowMs);
  if (outage === undefined || health.status !== 'converged' || judged.verdict === 'healthy') {
    return judged;
  }
  const { why } = outage;
  const stood = judge(before, { status: 'outside', why, summary: '' }, times, nowMs).watch;
  const waits = before.outside && stood.outside;
  const progressAtMs = Math.max(judged.watch.progressAtMs, stood.progressAtMs);
  return {
    watch: { ...judged.watch, progressAtMs, ...(waits && { outside: waits }) },
    verdict: 'open',
  };
}
