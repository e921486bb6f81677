import type { Id, Kind, Rendered } from './kind.ts';
import type { Leftover, Spare } from './member.ts';
import { type Step, type StepInput, whyNoRemovals } from './step.ts';
import { isInPlace, type UnitRecord } from './unit.ts';
import type { UnitView } from './view.ts';
import { Windows } from './windows.ts';

/**
 * So long it must have been seen that nothing needs an object, by this process: somebody who follows an older state of things may
 * still come for it. As of the record's own blobs.
 */
const SPARE_MS = 10 * 60 * 1000;
/** So many go in one pass: it takes seconds. */
const COLLECTED_MAX = 64;

/** Since when nothing is seen to need an object, by its id. Milliseconds of our own monotonic clock; in memory only. */
export type SpareSince = ReadonlyMap<string, number>;

/** What goes by itself: what a unit had, or what is left of one that left the repository. */
export type Collected<Call> = Pick<Spare<Call>, 'id' | 'operation'> &
  Partial<Pick<Leftover<Call>, 'unit'> & Pick<Spare<Call>, 'need'>>;

/** What is collected in one pass. */
export interface Collection<Call> {
  /** May go now. */
  readonly due: readonly Collected<Call>[];
  readonly since: SpareSince;
}

/**
 * Pure. Earlier contents of units that nothing needs any more, and what is left of units that left and whose time is over. Needed is what the kind sees in use, what the repository wants
 * now, and what any release of any unit names. Nothing goes while anything else is to be called, and of a unit only while it
 * is in place as the repository wants it and free to move.
 */
export function collect<Spec, Observed, Call>(
  next: Step<Call>,
  input: StepInput<Spec, Observed, Call>,
  before: SpareSince,
): Collection<Call> {
  const { nowMs } = input;
  const spares = [...sparesOf(next, input), ...leftoversOf(next, input)];
  const since = new Map(spares.map(({ id }) => [id, before.get(id) ?? nowMs]));
  if (isOff(next, input)) return { due: [], since };
  const old = spares.filter(({ id }) => nowMs - (since.get(id) ?? nowMs) >= SPARE_MS);
  return { due: inTheirWindows(old, input).slice(0, COLLECTED_MAX), since };
}

function sparesOf<Spec, Observed, Call>(
  next: Step<Call>,
  { kind, desired, observed }: StepInput<Spec, Observed, Call>,
): readonly (Collected<Call> & { readonly owner: Id })[] {
  const views = new Map(next.views.map((view) => [view.id, view]));
  const settled = desired.filter((unit) => isAtRest(unit, views.get(unit.id), next, kind));
  const candidates = settled.flatMap((unit) =>
    kind.spares(unit, observed).map((one) => ({ ...one, owner: unit.id })),
  );
  const named = candidates.length === 0 ? undefined : needed(kind, desired, next.units);
  return candidates.filter(({ need }) => named?.has(need.toLowerCase()) === false);
}

/** Nothing of a unit that is in the repository again or in the record still, and nothing while another one changes. */
function leftoversOf<Spec, Observed, Call>(
  { units, views }: Step<Call>,
  { kind, desired, observed, units: before }: StepInput<Spec, Observed, Call>,
): readonly (Collected<Call> & { readonly owner: Id })[] {
  const all = kind.leftovers?.(observed) ?? [];
  if (all.length === 0 || views.some(({ pending }) => pending)) return [];
  const wanted = new Set(desired.map(({ id }) => id));
  return all
    .filter(({ unit }) => !wanted.has(unit) && !units.has(unit) && !before.has(unit))
    .map((one) => ({ ...one, owner: one.unit }));
}

/** Pure. Without these: they were asked for just now, and whatever came of it they are looked at anew. */
export function without<Call>(since: SpareSince, asked: readonly Collected<Call>[]): SpareSince {
  const ids = new Set(asked.map(({ id }) => id));
  return new Map([...since].filter(([id]) => !ids.has(id)));
}

/** Nothing of it is under way, held, waited for, or on its way out; and it was seen healthy as it is. */
function isAtRest<Spec, Observed, Call>(
  unit: Rendered<Spec>,
  view: UnitView | undefined,
  { units }: Step<Call>,
  kind: Kind<Spec, Observed, Call>,
): boolean {
  const record = units.get(unit.id);
  if (view === undefined || record === undefined || !isInPlace(record, unit.digest)) return false;
  const isHeld = view.held !== undefined || view.blocked.length > 0 || view.pending;
  if (isHeld || view.gate !== undefined) return false;
  return kind.removal(unit).prune && !isMoving(record, units) && record.removing === undefined;
}

function isMoving({ movedFrom, movedTo }: UnitRecord, units: ReadonlyMap<Id, UnitRecord>): boolean {
  return movedTo !== undefined || (movedFrom !== undefined && units.has(movedFrom));
}

/**
 * All that is named by what the repository wants and by every release of every unit, also of those that left it. Undefined where
 * a release cannot be read: nobody knows what it names.
 */
function needed<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  desired: readonly Rendered<Spec>[],
  units: ReadonlyMap<Id, UnitRecord>,
): ReadonlySet<string> | undefined {
  const named = new Set<string>();
  const note = ({ needs }: Rendered<Spec>): void => {
    for (const need of needs) named.add(need.toLowerCase());
  };
  for (const unit of desired) note(unit);
  for (const [id, { releases }] of units) {
    for (const release of releases) {
      const restored = kind.restore(id, release);
      if (restored === undefined) return undefined;
      note(restored);
    }
  }
  return named;
}

function isOff<Spec, Observed, Call>(
  next: Step<Call>,
  input: StepInput<Spec, Observed, Call>,
): boolean {
  if (input.frozen !== undefined || next.work.length > 0) return true;
  return whyNoRemovals(input) !== undefined || input.removals?.rewound === true;
}

function inTheirWindows<Spec, Observed, Call, One extends { readonly owner: Id }>(
  spares: readonly One[],
  { windows }: StepInput<Spec, Observed, Call>,
): readonly One[] {
  if (spares.length === 0) return spares;
  const open = new Windows(windows?.rules, windows?.wallMs);
  return spares.filter(({ owner }) => open.shut(owner) === undefined);
}
