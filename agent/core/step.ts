import { followBack } from './dependants.ts';
import { Dependencies, waiting } from './dependencies.ts';
import type { Answer, Asked, Failure, Id, Kind, Operation, Rendered } from './kind.ts';
import { type Look, type Moved, type Standing, unmoved, type Wait } from './look.ts';
import { answer } from './requests.ts';
import { goBack } from './step-back.ts';
import { begin, goOn } from './step-forward.ts';
import { firstSight, keep, needPerson, takeUp, watchOf } from './step-rest.ts';
import { gateOf, stand } from './step-stand.ts';
import {
  type Attempt,
  goingBack,
  isQuarantined,
  type Request,
  settled,
  type UnitEvent,
  type UnitRecord,
  wantedFirst,
} from './unit.ts';
import { type UnitView, viewOf, waitingEvents, wakeOf } from './view.ts';
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
  /** Recorded, and not in the repository any more. */
  readonly left: readonly Id[];
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
  readonly nowMs: number;
  readonly date: string;
  /** Between looks while nothing is under way, and while something is. */
  readonly intervalMs: number;
  readonly verifyMs: number;
}

/**
 * Pure. For each unit the one step that is allowed now, after those that it depends on. Units that left the repository
 * are left alone once they settled.
 */
export function step<Spec, Observed, Call>(input: StepInput<Spec, Observed, Call>): Step<Call> {
  const look = { ...input, absent: input.kind.absent(input.observed) };
  const asked = answerAll(look, input);
  const units = new Map(asked.units);
  const watches = new Map<Id, Watch>();
  const work: UnitWork<Call>[] = [];
  const events: UnitEvent[] = [...asked.events];
  const asks: Asked[] = [];
  const views: UnitView[] = [];
  let wakeMs = input.intervalMs;

  function note(id: Id, moved: Moved<Call>): void {
    if (moved.record !== undefined) units.set(id, moved.record);
    watches.set(id, moved.watch);
    if (moved.operations.length > 0) work.push({ id, operations: moved.operations });
    events.push(...moved.events, ...waitingEvents(id, input.watches.get(id), moved.watch));
    asks.push(...(moved.health?.asks ?? []));
    wakeMs = Math.min(wakeMs, wakeOf(moved, input));
  }
  const dependencies = new Dependencies(input.desired);
  for (const unit of dependencies.order) {
    const { id } = unit;
    const wait = dependencies.waitOf(id);
    const before = { watch: input.watches.get(id), refusal: input.refusals.get(id), wait };
    const back = followBack(look, unit, units.get(id), dependencies.returnsOf(id));
    const stepped = back.moved ?? stepUnit(look, unit, units.get(id), before);
    const moved = waiting(unit, stepped, wait);
    events.push(...back.events);
    note(id, moved);
    dependencies.note(unit, moved);
    views.push(viewOf(unit, moved));
  }
  const wanted = new Set(input.desired.map(({ id }) => id));
  const left = [...asked.units.keys()].filter((id) => !wanted.has(id));
  for (const [id, record] of asked.units) {
    if (wanted.has(id) || record.phase === 'none' || record.phase === 'stuck') continue;
    note(id, leave(look, id, record, input));
  }
  return { work, units, watches, views, left, events, asks, wakeMs };
}

/** Requests are taken one after another, each from where the last one left its unit. */
function answerAll<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { requests, desired, units: before, frozen }: StepInput<Spec, Observed, Call>,
): { readonly units: ReadonlyMap<Id, UnitRecord>; readonly events: readonly UnitEvent[] } {
  const units = new Map(before);
  const events: UnitEvent[] = [];
  for (const request of frozen === undefined ? requests : []) {
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
  readonly wait: Wait | undefined;
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
  const turned = turn(record, unit.digest);
  const of = directionOf(record);
  // A refusal is of the way that was gone then, and of no other.
  const refusal = before.watch?.of === of ? before.refusal : undefined;
  const standing = { unit, record, refusal, ...wait };
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

/** Nodes that go away meanwhile are nobody's failure either. */
function withLost<Spec, Observed, Call>(
  { absent }: Look<Spec, Observed, Call>,
  watch: Watch,
  record: UnitRecord | undefined,
): Watch {
  return record?.attempt === undefined ? watch : lostNodes(watch, absent, record.attempt.absent);
}

/** Names the way that a unit is on: its watch is of this way only. */
function directionOf({ phase, attempt }: UnitRecord): string {
  if (phase === 'none' || phase === 'stuck' || attempt === undefined) return phase;
  return `${phase === 'applying' || phase === 'verifying' ? 'to' : 'back'} ${attempt.digest}`;
}

/** Whether the repository wants another digest than the one under way, or one that is in place or failed before. */
function turn(record: UnitRecord, digest: string): 'begin' | 'back' | 'stay' {
  const known = isQuarantined(record, digest) || record.releases[0]?.digest === digest;
  switch (record.phase) {
    case 'none':
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
  const { unit, record, wait } = standing;
  const difference = look.kind.diff(unit, look.observed);
  const isShut = wait !== undefined || difference.blocked.length > 0;
  if (record.phase === 'rolling-back' || record.phase === 'reverting') {
    // The way back is finished while the new digest cannot begin.
    return isShut ? goBack(look, unit.id, standing, attempt) : begin(look, standing, difference);
  }
  // Nobody knows how what was overtaken does, and what overtook it cannot begin: what was healthy is safe. Where nothing
  // was, to begin what lacks only a thing harms nobody, and to begin what another unit must be in place for might.
  if (isShut && (record.releases.length > 0 || wait !== undefined)) {
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

/** A unit that left the repository while something was under way: it is brought to rest, not removed. */
function leave<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  id: Id,
  record: UnitRecord,
  { watches, refusals }: StepInput<Spec, Observed, Call>,
): Moved<Call> {
  const { attempt, phase } = record;
  const started = watchOf(watches.get(id), directionOf(record), look.nowMs);
  const gate = gateOf<Spec>(look.frozen, undefined, record);
  if (gate !== undefined) {
    const stood = withLost(look, started, record);
    return stand(look, id, { unit: undefined, record, watch: stood }, gate);
  }
  if (attempt === undefined || phase === 'applying' || phase === 'verifying') {
    return unmoved(settled(record), started);
  }
  const watch = lostNodes(started, look.absent, attempt.absent);
  const known = watches.get(id)?.of === directionOf(record);
  const refusal = known ? refusals.get(id) : undefined;
  const standing = { unit: undefined, record, watch, refusal };
  return goBack(look, id, standing, attempt);
}
