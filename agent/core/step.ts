import { type Approval, answerApprovals, liveApprovals, type Unapproved } from './approve.ts';
import { followBack } from './dependants.ts';
import { waiting } from './dependencies.ts';
import { Gates } from './gates.ts';
import type { Answer, Asked, Failure, Id, Kind, Operation, Rendered } from './kind.ts';
import type { Look, Moved } from './look.ts';
import { Moves } from './moves.ts';
import { defaultRemovals, limitOf, type Removals } from './removal.ts';
import { answerAll } from './requests.ts';
import { defaultRollout, type RolloutPolicy } from './rollout.ts';
import { rollBackWith } from './rollout-back.ts';
import { type Stopped, stoppedOf } from './rollout-end.ts';
import { heldShrinks } from './shrink.ts';
import { leftOf } from './step-left.ts';
import { type HeldParts, heldParts, releaseParts } from './step-prune.ts';
import { leaveAll } from './step-remove.ts';
import { noted, stepUnit } from './step-unit.ts';
import type { Request, UnitRecord } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';
import { type UnitView, viewOf, viewOfLeft, waitingEvents, wakeOf } from './view.ts';
import type { Watch } from './watch.ts';
import { type WindowRule, Windows } from './windows.ts';

/** What one unit may do now. */
export interface UnitWork<Call> {
  readonly id: Id;
  readonly operations: readonly Operation<Call>[];
  /** What is to be taken away once these are done and settled: for plans. */
  readonly later?: readonly Operation<Call>[];
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
  /** More units left than may go at once. */
  readonly overLimit: boolean;
  /** Told once it is recorded. */
  readonly events: readonly UnitEvent[];
  readonly asks: readonly Asked[];
  /** The rest of the revision is held until another one or a person comes. */
  readonly stopped?: Stopped;
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
  /** How the units of one revision change, one after another. */
  readonly rollout?: RolloutPolicy;
  /** When units may change, and what the wall clock says now. Absent: always. */
  readonly windows?: { readonly rules: readonly WindowRule[]; readonly wallMs: number };
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
  const windows = new Windows(input.windows?.rules, input.windows?.wallMs);
  const open = new Map<string, Id[]>();
  const { look, asked, parts } = start(input, windows, (digest, id) => {
    open.set(digest, [...new Set([...(open.get(digest) ?? []), id])]);
  });
  const units = new Map(parts.units);
  const watches = new Map<Id, Watch>();
  const work: UnitWork<Call>[] = [];
  const events: UnitEvent[] = [...asked.events];
  const asks: Asked[] = [];
  const views: UnitView[] = [];
  let wakeMs = input.intervalMs;
  let undecided = false;

  function note(id: Id, moved: Moved<Call>): void {
    if (moved.record !== undefined) units.set(id, moved.record);
    watches.set(id, moved.watch);
    if (moved.gone === true) for (const all of [units, watches]) all.delete(id);
    const { operations, later } = moved;
    if (operations.length > 0) work.push({ id, operations, ...(later && { later }) });
    events.push(...moved.events, ...waitingEvents(id, input.watches.get(id), moved.watch));
    asks.push(...(moved.health?.asks ?? []), ...(moved.asks ?? []));
    undecided ||= moved.undecided === true;
    const { approval } = moved;
    if (approval !== undefined) open.set(approval, [...(open.get(approval) ?? []), id]);
    wakeMs = Math.min(wakeMs, wakeOf(moved, input));
  }
  const moves = new Moves(look, { ...input, units: parts.units });
  const { rollout: policy = defaultRollout } = input;
  const gates = new Gates({ ...input, ...asked, units: parts.units, policy, windows });
  for (const unit of gates.order) {
    const record = units.get(unit.id);
    const stepped = stepInOrder(look, unit, record, { input, gates, moves });
    events.push(...stepped.events);
    note(unit.id, stepped.moved);
    gates.note(unit, record, stepped.moved);
    views.push(viewOf(unit, stepped.moved));
  }
  const wanted = new Set(input.desired.map(({ id }) => id));
  const { busy, resting, going } = leftOf(look, parts.units, { ...input, wanted, moves });
  for (const [id, moved] of busy) {
    note(id, moved);
    views.push(...leftView(id, moved));
  }
  const others = { units, views: views.filter(({ left }) => left !== true), going };
  for (const [id, moved] of leaveAll(look, resting, { ...rulesOf(input), ...others })) {
    note(id, moved);
    views.push(...leftView(id, moved));
  }
  if (parts.held !== undefined) open.set(parts.held.digest, [...parts.held.ids]);
  const answered = approvalsAfter(input, undecided ? withReleased(look.approvals, open) : open);
  events.push(...answered.events);
  if (answered.news) wakeMs = 0;
  const overLimit = isOverLimit(resting.length + going, units.size, input);
  const { approved: released, refused: unapproved } = answered;
  const stopped = stoppedOf(gates.rollout, views);
  wakeMs = Math.min(wakeMs, gates.wakeMs);
  const told = { events, views, unapproved, asks, overLimit, ...(stopped && { stopped }) };
  return { work, units, watches, approved: released, ...told, wakeMs };
}

/** What every unit is looked at with, once people were answered. */
function start<Spec, Observed, Call>(
  input: StepInput<Spec, Observed, Call>,
  windows: Windows,
  open: (digest: string, id: Id) => void,
) {
  const { kind, observed, approved = [], desired, units } = input;
  const approvals = liveApprovals(approved);
  const wanted = new Set(desired.map(({ id }) => id));
  const seen: Look<Spec, Observed, Call> = {
    ...input,
    kind: heldShrinks(kind, { approvals, open }),
    windows,
    absent: kind.absent(observed),
    approvals,
    removalsOff: whyNoRemovals(input),
    rewound: input.removals?.rewound ?? false,
    leaving: units.keys().some((id) => !wanted.has(id)),
  };
  const asked = answerAll(seen, input);
  const parts = partsOf(seen, asked.units, input);
  const look = parts.held === undefined ? seen : { ...seen, heldParts: parts.held.digest };
  return { look, asked, parts };
}

/** What left units and waits for a person, or is released now: then it is recorded so before any of it goes. */
function partsOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  units: ReadonlyMap<Id, UnitRecord>,
  { desired, frozen }: StepInput<Spec, Observed, Call>,
): { readonly units: ReadonlyMap<Id, UnitRecord>; readonly held?: HeldParts } {
  const held = heldParts(look, desired, units);
  if (held === undefined) return { units };
  const isReleased = frozen === undefined && look.approvals.has(held.digest);
  return isReleased ? { units: releaseParts(units, held) } : { units, held };
}

/** What is looked at beside one unit. */
interface Beside<Spec, Observed, Call> {
  readonly input: StepInput<Spec, Observed, Call>;
  readonly gates: Gates<Spec>;
  readonly moves: Moves<Spec, Observed, Call>;
}

/** One unit, after those that it depends on: it goes back with others, or does what it may do by itself. */
function stepInOrder<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord | undefined,
  { input, gates, moves }: Beside<Spec, Observed, Call>,
): { readonly moved: Moved<Call>; readonly events: readonly UnitEvent[] } {
  const { id } = unit;
  const wait = gates.waitOf(unit, record);
  const [watch, refusal] = [input.watches.get(id), input.refusals.get(id)];
  const before = { watch, refusal, wait, neededBy: gates.neededBy(id), outage: gates.outageOf(id) };
  const back = followBack(look, unit, record, gates.returnsOf(id));
  const stepped =
    back.moved ??
    rollBackWith(look, unit, record, gates.rollout) ??
    stepUnit(look, unit, record, before);
  const followed = moves.follow(unit, record, waiting(unit, stepped, wait));
  return { moved: noted(look, unit, followed), events: back.events };
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

/** While it is not known what differs nobody knows what a person has released of it either: all of that stays. */
function withReleased(
  approvals: ReadonlySet<string>,
  open: ReadonlyMap<string, readonly Id[]>,
): ReadonlyMap<string, readonly Id[]> {
  const released = [...approvals].map((digest): [string, readonly Id[]] => [digest, []]);
  return new Map([...released, ...open]);
}

function isOverLimit<Spec, Observed, Call>(
  count: number,
  recorded: number,
  { removals }: StepInput<Spec, Observed, Call>,
): boolean {
  return removals !== undefined && count > limitOf(removals.policy, recorded);
}

/** Pure. Why nothing at all may be removed by this step. */
export function whyNoRemovals<Spec, Observed, Call>({
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
