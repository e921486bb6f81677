import { edgesOf, inOrder } from './edges.ts';
import type { FieldDiff, Id, Kind, Operation, Rendered } from './kind.ts';
import { makesPlace, plannedMoves, takesPlace } from './plan-moves.ts';

/** One thing that would be done, for people. */
export type PlannedOperation = Pick<Operation<unknown>, 'target' | 'verb' | 'effect' | 'fields'>;

/** What would become of one unit. */
export interface PlannedUnit {
  readonly id: Id;
  /** `keep`: nothing would be done, and there is something to say. */
  readonly change: 'add' | 'change' | 'remove' | 'keep';
  /** Units of one wave may begin together; each waits for those of earlier waves that it depends on. From 1. */
  readonly wave: number;
  readonly operations: readonly PlannedOperation[];
  /** Why it would not be done now. */
  readonly held?: string;
  /** What the engine cannot be brought to; a unit with any of these does not begin. */
  readonly blocked: readonly string[];
  readonly notes: readonly string[];
}

/** What would become of one environment. */
export interface Plan {
  readonly environment: string;
  readonly units: readonly PlannedUnit[];
  /** Units of which nothing differs. */
  readonly unchanged: number;
  readonly notes: readonly string[];
}

/** How one kind says what differs. */
export interface PlanWords<Spec, Call> {
  /** What differs of two versions of a unit beside the objects that it makes. */
  beside(before: Rendered<Spec>, after: Rendered<Spec>): readonly FieldDiff[];
  /** The operation for people. `unit`: what it is done for, where that is known. */
  operation(operation: Operation<Call>, unit: Rendered<Spec> | undefined): PlannedOperation;
  /** What becomes of a unit that left, where that is not that it goes. */
  left?(unit: Rendered<Spec>): readonly string[];
}

/** Two revisions of one environment, and the Swarm as the earlier one leaves it. */
export interface Revisions<Spec, Observed> {
  readonly environment: string;
  readonly before: readonly Rendered<Spec>[];
  readonly after: readonly Rendered<Spec>[];
  readonly observed: Observed;
}

/** Pure. What the later revision changes on a Swarm that holds the earlier one, whoever runs there. */
export function comparePlan<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  words: PlanWords<Spec, Call>,
  { environment, before, after, observed }: Revisions<Spec, Observed>,
): Plan {
  const had = new Map(before.map((unit) => [unit.id, unit]));
  const has = new Set(after.map(({ id }) => id));
  const moves = plannedMoves(after, had);
  const kept = after.map((unit) => {
    const earlier = had.get(unit.id);
    const difference = kind.diff(unit, observed);
    const beside = earlier === undefined ? [] : besideOf(words, earlier, unit);
    const pruned = earlier === undefined ? [] : prunedOf(kind, earlier, unit);
    const operations = [
      ...difference.operations.map((one) => words.operation(one, unit)),
      ...pruned,
      ...beside,
    ];
    const blocked = difference.blocked.map(({ why }) => why);
    const change = earlier === undefined ? ('add' as const) : ('change' as const);
    const notes = [
      ...(difference.notes ?? []),
      ...stateNotes(unit),
      ...noteOf(moves.from.get(unit.id), takesPlace),
    ];
    return { id: unit.id, change, operations, blocked, notes };
  });
  const removed = before
    .filter(({ id }) => !has.has(id))
    .map((unit) => ({
      id: unit.id,
      change: 'remove' as const,
      operations: removalOf(kind.members(unit.id, observed)),
      blocked: [],
      notes: [
        ...(kind.removal(unit).hold
          ? ['its `stack.yaml` said `removal: hold`: it waits for a person']
          : []),
        ...(words.left?.(unit) ?? []),
        ...noteOf(moves.to.get(unit.id), (to) => makesPlace(to, 'is stopped first')),
      ],
    }));
  return { environment, ...inWaves(after, [...kept, ...removed]), notes: [] };
}

/** A unit before its wave is known. */
export type Unplaced = Omit<PlannedUnit, 'wave'>;

/** Pure. The units that have anything to say, in the order in which they may begin. */
export function inWaves<Spec>(
  desired: readonly Rendered<Spec>[],
  units: readonly Unplaced[],
): Pick<Plan, 'units' | 'unchanged'> {
  const changed = new Set(units.filter(isDifferent).map(({ id }) => id));
  const edges = edgesOf(desired);
  const waves = new Map<Id, number>();
  for (const id of inOrder(edges)) {
    const before = (edges.get(id) ?? []).map(
      (on) => (waves.get(on) ?? 1) + Number(changed.has(on)),
    );
    waves.set(id, Math.max(1, ...before));
  }
  const last = Math.max(0, ...[...changed].map((id) => waves.get(id) ?? 0)) + 1;
  const placed = units
    .map((unit): PlannedUnit => {
      const wave = unit.change === 'remove' ? last : (waves.get(unit.id) ?? 1);
      return isDifferent(unit) ? { ...unit, wave } : { ...unit, change: 'keep', wave };
    })
    .filter((unit) => isDifferent(unit) || unit.notes.length > 0 || unit.held !== undefined);
  const sorted = placed.toSorted((one, other) => rank(one) - rank(other) || byId(one, other));
  return { units: sorted, unchanged: desired.length - placed.filter(isToChange).length };
}

/** Pure. Whether a unit that is wanted is not as it is wanted, or nobody can tell because it is held. */
export function isToChange(unit: PlannedUnit): boolean {
  return unit.change !== 'remove' && (isDifferent(unit) || unit.held !== undefined);
}

/** Pure. Whether anything would be done, now or once nothing holds it. */
export function isDifferent({
  operations,
  blocked,
}: Pick<PlannedUnit, 'operations' | 'blocked'>): boolean {
  return operations.length > 0 || blocked.length > 0;
}

/** How much of everything a plan holds. */
export interface Counts {
  /** Units. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly held: number;
  /** Things whose running tasks are replaced. */
  readonly restarts: number;
  /** Things that are gone afterwards. */
  readonly destructive: number;
}

/** Pure. */
export function countsOf({ units }: Pick<Plan, 'units'>): Counts {
  const of = (change: PlannedUnit['change']): number =>
    units.filter((one) => one.change === change).length;
  const operations = units.flatMap((one) => one.operations);
  return {
    added: of('add'),
    changed: of('change'),
    removed: of('remove'),
    held: units.filter(({ held, blocked }) => held !== undefined || blocked.length > 0).length,
    restarts: operations.filter(({ effect }) => effect === 'restart' || effect === 'replace')
      .length,
    destructive: operations.filter(({ effect }) => effect === 'destructive').length,
  };
}

/** Pure. Everything of a unit goes. */
export function removalOf(
  members: readonly { readonly target: string }[],
): readonly PlannedOperation[] {
  return members.map(({ target }) => gone(target));
}

function gone(target: string): PlannedOperation {
  return { target, verb: 'remove', effect: 'destructive', fields: [] };
}

/** What left the file of a unit that is there still. */
function prunedOf<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  before: Rendered<Spec>,
  after: Rendered<Spec>,
): readonly PlannedOperation[] {
  if (!kind.removal(after).prune) return [];
  const makes = new Set(kind.makes(after));
  return kind.makes(before).flatMap((target) => (makes.has(target) ? [] : gone(target)));
}

function besideOf<Spec, Call>(
  words: PlanWords<Spec, Call>,
  before: Rendered<Spec>,
  after: Rendered<Spec>,
): readonly PlannedOperation[] {
  const fields = words.beside(before, after);
  return fields.length === 0
    ? []
    : [{ target: 'settings', verb: 'update', effect: 'none', fields }];
}

function stateNotes<Spec>({ suspended }: Rendered<Spec>): readonly string[] {
  return suspended === true ? ['the repository suspends it: nothing is called for it'] : [];
}

function noteOf(other: Id | undefined, inWords: (other: Id) => string): readonly string[] {
  return other === undefined ? [] : [inWords(other)];
}

function rank({ change, wave }: PlannedUnit): number {
  return change === 'keep' ? Infinity : wave;
}

function byId({ id: one }: PlannedUnit, { id: other }: PlannedUnit): number {
  return one < other ? -1 : Number(one > other);
}
