import { type Approval, answerApprovals, liveApprovals, type Unapproved } from './approve.ts';
import { followBack } from './dependants.ts';
import { Dependencies, waiting } from './dependencies.ts';
import type { Answer, Asked, Failure, Id, Kind, Operation, Rendered } from './kind.ts';
import type { Look, Moved, Wait } from './look.ts';
import { defaultRemovals, type Removals } from './removal.ts';
import { answerAll } from './requests.ts';
import { goBack } from './step-back.ts';
import { goOn } from './step-forward.ts';
import { leftOf } from './step-left.ts';
import { comeBack, leaveAll } from './step-remove.ts';
import { directionOf, firstSight, keep, needPerson, takeUp, watchOf } from './step-rest.ts';
import { gateOf, stand, withLost } from './step-stand.ts';
import { supersede, turn, turnBack } from './step-turn.ts';
import {
  isQuarantined,
  type Request,
  type UnitEvent,
  type UnitRecord,
  wantedFirst,
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
  /** Why nothing at all may be called now. Then nothing is recorded either, and no request is taken. */
  readonly frozen?: string;
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

/**
 * Pure. For each unit the one step that is allowed now, after those that it depends on. Units that left the repository
 * are removed where the rules allow it.
 */
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
  const dependencies = new Dependencies(input.desired);
  for (const unit of dependencies.order) {
    const { id } = unit;
    const wait = dependencies.waitOf(id);
    const outage = dependencies.outageOf(id);
    const before = { watch: input.watches.get(id), refusal: input.refusals.get(id), wait, outage };
    const back = followBack(look, unit, units.get(id), dependencies.returnsOf(id));
    const stepped = back.moved ?? stepUnit(look, unit, units.get(id), before);
    const moved = noted(look, unit, waiting(unit, stepped, wait));
    events.push(...back.events);
    note(id, moved);
    dependencies.note(unit, moved);
    views.push(viewOf(unit, moved));
  }
  const wanted = new Set(input.desired.map(({ id }) => id));
  const { busy, resting } = leftOf(look, asked.units, { ...input, wanted });
  for (const [id, moved] of busy) {
    note(id, moved);
    views.push(...leftView(id, moved));
  }
  const others = { units, views: views.filter(({ left }) => left !== true), going: busy.size };
  for (const [id, moved] of leaveAll(look, resting, { ...rulesOf(input), ...others })) {
    note(id, moved);
    views.push(...leftView(id, moved));
  }
  const answered = approvalsAfter(input, open);
  events.push(...answered.events);
  if (answered.news) wakeMs = 0;
  const { approved: released, refused: unapproved } = answered;
  return { work, units, watches, views, approved: released, unapproved, events, asks, wakeMs };
}

/** With the last of it gone the revision may have ended. */
function leftView<Call>(id: Id, moved: Moved<Call>): readonly UnitView[] {
  return moved.gone === true ? [] : [viewOfLeft(id, moved)];
}

/** While everything is frozen nothing is released, and what was released stays so. */
function approvalsAfter<Spec, Observed, Call>(
  { approved = [], requests, frozen }: StepInput<Spec, Observed, Call>,
  open: ReadonlyMap<string, readonly Id[]>,
): ReturnType<typeof answerApprovals> {
  if (frozen !== undefined) return { approved, events: [], refused: [], news: false };
  return answerApprovals(approved, open, requests);
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

interface Before {
  readonly watch: Watch | undefined;
  readonly refusal: Failure | undefined;
  readonly wait: Wait | undefined;
  readonly outage: Wait | undefined;
}

function stepUnit<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  known: UnitRecord | undefined,
  before: Before,
): Moved<Call> {
  const at = (of: string): Watch => watchOf(before.watch, of, look.nowMs);
  const gate = gateOf(look.frozen, unit, known);
  if (gate !== undefined) {
    const watch = withLost(look, at(known === undefined ? 'none' : directionOf(known)), known);
    return stand(look, unit.id, { unit, record: known, watch }, gate);
  }
  const wait = before.wait === undefined ? {} : { wait: before.wait };
  if (known === undefined) return firstSight(look, unit, { watch: at('none'), ...wait });
  const record = wantedFirst(known, unit.digest);
  const { attempt, phase } = record;
  if (phase === 'removing') return returned(look, unit, { record, ...wait });
  const turned = turn(record, unit.digest);
  const of = directionOf(record);
  // A refusal is of the way that was gone then, and of no other.
  const refusal = before.watch?.of === of ? before.refusal : undefined;
  const outage = before.outage === undefined ? {} : { outage: before.outage };
  const standing = { unit, record, refusal, ...wait, ...outage };
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

/** Whether it may go without a person is noted as long as its file says so. */
function noted<Spec, Observed, Call>(
  { kind, frozen }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  moved: Moved<Call>,
): Moved<Call> {
  const { record } = moved;
  if (record === undefined || frozen !== undefined) return moved;
  return { ...moved, record: withRemoval(record, kind.removal(unit).hold) };
}

/** A unit that comes back while it is removed: what it lost is made anew, and it is looked at as after any change. */
function returned<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  from: { readonly record: UnitRecord; readonly wait?: Wait },
): Moved<Call> {
  const record = comeBack(look, { id: unit.id, record: from.record });
  const watch = watchOf(undefined, 'none', look.nowMs);
  const standing = { ...from, unit, record, watch, refusal: undefined };
  return isQuarantined(record, unit.digest) ? keep(look, standing) : takeUp(look, standing);
}
