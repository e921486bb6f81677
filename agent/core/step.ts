import { answerApprovals, type Approval, liveApprovals, type Unapproved } from './approve.ts';
import type { Answer, Asked, Failure, Id, Kind, Operation, Rendered } from './kind.ts';
import type { Look, Moved, Standing } from './look.ts';
import { defaultRemovals, type Removals } from './removal.ts';
import { answer } from './requests.ts';
import { goBack } from './step-back.ts';
import { begin, goOn } from './step-forward.ts';
import { leftOf } from './step-left.ts';
import { comeBack, leaveAll } from './step-remove.ts';
import { directionOf, firstSight, keep, needPerson, takeUp, watchOf } from './step-rest.ts';
import {
  type Attempt,
  goingBack,
  isQuarantined,
  type Request,
  type UnitEvent,
  type UnitRecord,
  withRemoval,
} from './unit.ts';
import { type UnitView, viewOf, viewOfLeft, waitingEvents, wakeOf } from './view.ts';
import { lostNodes, type Watch } from './watch.ts';

/** What one unit may do now. */
export interface UnitWork<Call> {
  readonly id: Id;
  readonly operations: readonly Operation<Call>[];
}

/** The outcome of one look at everything. */
export interface Step<Call> {
  readonly work: readonly UnitWork<Call>[];
  /** To be recorded before anything is called. A unit that did not change is the same object. */
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly views: readonly UnitView[];
  /** What people released, the newest first. The same object where nothing in it changed. */
  readonly approved: readonly Approval[];
  readonly unapproved: readonly Unapproved[];
  /** Told once it is recorded. */
  readonly events: readonly UnitEvent[];
  readonly asks: readonly Asked[];
  /** How soon looking again can matter, at the latest. */
  readonly wakeMs: number;
}

/** What a step is decided from. */
export interface StepInput<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly desired: readonly Rendered<Spec>[];
  readonly revision: string;
  readonly observed: Observed;
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly watches: ReadonlyMap<Id, Watch>;
  /** Units of which a call of the last round was refused for good. */
  readonly refusals: ReadonlyMap<Id, Failure>;
  readonly answers: ReadonlyMap<string, Answer>;
  readonly requests: readonly Request[];
  /** What people released before. */
  readonly approved?: readonly Approval[];
  /** By what removals are judged. Absent: nothing is removed. */
  readonly removals?: Removals;
  /** False: nothing is removed, whatever else says so. */
  readonly mayRemove?: boolean;
  readonly nowMs: number;
  readonly date: string;
  /** Between looks while nothing is under way, and while something is. */
  readonly intervalMs: number;
  readonly verifyMs: number;
}

/** Pure. For each unit the one step that is allowed now. Units that left the repository are removed where the rules allow it. */
export function step<Spec, Observed, Call>(input: StepInput<Spec, Observed, Call>): Step<Call> {
  const { kind, observed, approved = [] } = input;
  const look: Look<Spec, Observed, Call> = {
    ...input,
    absent: kind.absent(observed),
    approvals: liveApprovals(approved),
    removalsOff: whyNoRemovals(input),
  };
  const asked = answerAll(look, input);
  const units = new Map(asked.units);
  const watches = new Map<Id, Watch>();
  const work: UnitWork<Call>[] = [];
  const events: UnitEvent[] = [...asked.events];
  const asks: Asked[] = [];
  const views: UnitView[] = [];
  const open = new Map<string, Id[]>();
  let wakeMs = input.intervalMs;

  function note(id: Id, moved: Moved<Call>): void {
    if (moved.record !== undefined) units.set(id, moved.record);
    watches.set(id, moved.watch);
    if (moved.gone === true) for (const all of [units, watches]) all.delete(id);
    if (moved.operations.length > 0) work.push({ id, operations: moved.operations });
    events.push(...moved.events, ...waitingEvents(id, input.watches.get(id), moved.watch));
    asks.push(...(moved.health?.asks ?? []));
    const { approval } = moved;
    if (approval !== undefined) open.set(approval, [...(open.get(approval) ?? []), id]);
    wakeMs = Math.min(wakeMs, wakeOf(moved, input));
  }
  // With the last of it gone the revision may have ended.
  function seeLeft(id: Id, moved: Moved<Call>): void {
    if (moved.gone !== true) views.push(viewOfLeft(id, moved));
  }
  for (const unit of input.desired) {
    const { id } = unit;
    const before = { watch: input.watches.get(id), refusal: input.refusals.get(id) };
    const { record, ...moved } = stepUnit(look, unit, units.get(id), before);
    const noted = record && withRemoval(record, kind.removal(unit).hold);
    note(id, { ...moved, record: noted });
    views.push(viewOf(unit, { ...moved, record: noted }));
  }
  const wanted = new Set(input.desired.map(({ id }) => id));
  const { busy, resting } = leftOf(look, asked.units, { ...input, wanted });
  for (const [id, moved] of busy) {
    note(id, moved);
    if (moved.record?.phase === 'removing') seeLeft(id, moved);
  }
  const others = { units, views: views.filter(({ left }) => left !== true), going: busy.size };
  for (const [id, moved] of leaveAll(look, resting, { ...rulesOf(input), ...others })) {
    note(id, moved);
    seeLeft(id, moved);
  }
  const answered = answerApprovals(approved, open, input.requests);
  events.push(...answered.events);
  if (answered.news) wakeMs = 0;
  const { approved: released, refused: unapproved } = answered;
  return { work, units, watches, views, approved: released, unapproved, events, asks, wakeMs };
}

function whyNoRemovals<Spec, Observed, Call>({
  removals,
  mayRemove = true,
  desired,
}: StepInput<Spec, Observed, Call>): string | undefined {
  if (removals === undefined || !mayRemove) return 'nothing is removed for now';
  return desired.length === 0 ? 'the repository holds nothing at all' : removals.off;
}

function rulesOf<Spec, Observed, Call>({
  removals = { policy: defaultRemovals, rewound: false },
  approved = [],
}: StepInput<Spec, Observed, Call>) {
  return { removals, approved };
}

/** Requests are taken one after another, each from where the last one left its unit. */
function answerAll<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { requests, desired, units: before }: StepInput<Spec, Observed, Call>,
): { readonly units: ReadonlyMap<Id, UnitRecord>; readonly events: readonly UnitEvent[] } {
  const units = new Map(before);
  const events: UnitEvent[] = [];
  for (const request of requests) {
    if (request.verb === 'approve') continue;
    const unit = desired.find(({ id }) => id === request.id);
    const { record, event } = answer(look, unit, units.get(request.id), request);
    if (record !== undefined) units.set(request.id, record);
    events.push(event);
  }
  return { units, events };
}

type InRepository<Spec> = Standing<Spec> & { readonly unit: Rendered<Spec> };

interface Before {
  readonly watch: Watch | undefined;
  readonly refusal: Failure | undefined;
}

function stepUnit<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord | undefined,
  before: Before,
): Moved<Call> {
  const at = (of: string): Watch => watchOf(before.watch, of, look.nowMs);
  if (record === undefined) return firstSight(look, unit, at('none'));
  const { attempt, phase } = record;
  if (phase === 'removing') return returned(look, unit, record);
  const turned = turn(record, unit.digest);
  const of = directionOf(record);
  // A refusal is of the way that was gone then, and of no other.
  const refusal = before.watch?.of === of ? before.refusal : undefined;
  const standing = { unit, record, refusal };
  if (phase === 'none' || phase === 'stuck' || attempt === undefined) {
    const resting = { ...standing, watch: at(of) };
    if (turned === 'begin') return takeUp(look, resting);
    return phase === 'none' ? keep(look, resting) : needPerson(look, resting);
  }
  const forward = phase === 'applying' || phase === 'verifying';
  const watch = lostNodes(at(of), look.absent, attempt.absent);
  if (turned === 'begin') return supersede(look, { ...standing, watch }, attempt);
  if (turned === 'stay' && forward) return goOn(look, { ...standing, watch }, attempt);
  if (turned === 'stay') return goBack(look, unit.id, { ...standing, watch }, attempt);
  return turnBack(look, { ...standing, watch }, attempt);
}

/** A unit that comes back while it is removed: what it lost is made anew, and it is looked at as after any change. */
function returned<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  before: UnitRecord,
): Moved<Call> {
  const record = comeBack(look, { id: unit.id, record: before });
  const watch = watchOf(undefined, 'none', look.nowMs);
  const standing = { unit, record, watch, refusal: undefined };
  return isQuarantined(record, unit.digest) ? keep(look, standing) : takeUp(look, standing);
}

/** Whether the repository wants another digest than the one under way, or one that is in place or failed before. */
function turn(record: UnitRecord, digest: string): 'begin' | 'back' | 'stay' {
  const known = isQuarantined(record, digest) || record.releases[0]?.digest === digest;
  switch (record.phase) {
    case 'none':
    case 'removing':
    case 'rolling-back':
    case 'reverting':
      return known ? 'stay' : 'begin';
    case 'stuck':
      return isQuarantined(record, digest) || record.stuck?.digest === digest ? 'stay' : 'begin';
    case 'applying':
    case 'verifying':
      if (record.attempt?.digest === digest) return 'stay';
      return known ? 'back' : 'begin';
  }
}

/** A newer digest takes the place of what is under way: the old one is neither healthy nor quarantined. */
function supersede<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: InRepository<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record } = standing;
  const difference = look.kind.diff(unit, look.observed);
  if (record.phase === 'rolling-back' || record.phase === 'reverting') {
    // The way back is finished while the new digest cannot begin.
    return difference.blocked.length > 0
      ? goBack(look, unit.id, standing, attempt)
      : begin(look, standing, difference);
  }
  // Nobody knows how what was overtaken does, and what overtook it cannot begin: what was healthy is safe.
  if (difference.blocked.length > 0 && record.releases.length > 0) {
    return turnBack(look, standing, attempt);
  }
  return withSuperseded(begin(look, standing, difference), unit.id, attempt);
}

/** The repository went back to what is known while something else was under way: nothing new is quarantined. */
function turnBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: InRepository<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record } = standing;
  const baseline = look.kind.baseline(unit, look.observed);
  const back = goingBack(record, { baseline, absent: look.absent });
  const watch = watchOf(undefined, `back ${back.attempt.digest}`, look.nowMs);
  const moved = goBack(
    look,
    unit.id,
    { unit, record: back, watch, refusal: undefined },
    back.attempt,
  );
  return withSuperseded(moved, unit.id, attempt);
}

function withSuperseded<Call>(moved: Moved<Call>, id: Id, { revision }: Attempt): Moved<Call> {
  return { ...moved, events: [{ event: 'unit superseded', id, revision }, ...moved.events] };
}
