import { approveWith } from './approve.ts';
import { digestOf } from './digest.ts';
import type { Id, Rendered } from './kind.ts';
import type { Member, Removal } from './member.ts';
import type { Look, Moved, Standing } from './look.ts';
import type { Dependant } from './needed.ts';
import { isQuarantined, pruning, type UnitRecord } from './unit.ts';

/** What it takes to see what left a unit. */
type Sight<Spec, Observed, Call> = Pick<Look<Spec, Observed, Call>, 'kind' | 'observed'>;

/**
 * Pure. What a unit had while it was healthy before, or a failed attempt made, and what it does not have any more now that
 * it is healthy: only this goes, so that what somebody else put beside it stays.
 */
export function leftParts<Spec, Observed, Call>(
  { kind, observed }: Sight<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  { releases, made, removing = [] }: UnitRecord,
): readonly Member[] {
  if (!kind.removal(unit).prune) return [];
  // What was there before us is nobody's to remove.
  const ours = releases.filter(({ revision }) => revision !== '');
  const had = new Set([
    ...removing.map(({ target }) => target),
    ...made,
    ...ours.flatMap((release) => {
      const earlier = kind.restore(unit.id, release);
      return earlier === undefined ? [] : kind.makes(earlier);
    }),
  ]);
  const has = new Set(kind.makes(unit));
  return kind
    .members(unit.id, observed)
    .filter(({ target }) => had.has(target) && !has.has(target));
}

/** Pure. Whether the unit is to lose parts with what the repository wants, and is not healthy without them yet. */
export function losesParts<Spec, Observed, Call>(
  sight: Sight<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
): boolean {
  return !isInPlace(record, unit) && leftParts(sight, unit, record).length > 0;
}

/** Pure. Whether these parts wait for a person: they left with a rewind, or are among those that did. */
export function staysRewound<Spec, Observed, Call>(
  { rewound = false }: Look<Spec, Observed, Call>,
  record: UnitRecord,
  parts: readonly Member[],
): boolean {
  const { removing = [] } = record;
  const waits = record.rewound === true && removing.some(({ id }) => isAmong(parts, id));
  return rewound || waits;
}

function isAmong(members: readonly Member[], id: string): boolean {
  return members.some((one) => one.id === id);
}

/** Parts that wait for a person, of all units together. */
export interface HeldParts {
  /** Names them and nothing else: it changes when they do. Hex. */
  readonly digest: string;
  readonly ids: readonly Id[];
}

/** Pure. What left units with a rewind and is still there. */
export function heldParts<Spec, Observed, Call>(
  sight: Sight<Spec, Observed, Call>,
  desired: readonly Rendered<Spec>[],
  units: ReadonlyMap<Id, UnitRecord>,
): HeldParts | undefined {
  const parts = desired.flatMap((unit) => {
    const record = units.get(unit.id);
    if (record?.rewound !== true) return [];
    const { left } = gone(sight, unit, record);
    return left.length === 0 ? [] : [{ id: unit.id, objects: left.map(({ id }) => id).toSorted() }];
  });
  if (parts.length === 0) return undefined;
  const removeParts = parts.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return { digest: digestOf({ removeParts }), ids: parts.map(({ id }) => id) };
}

/** Pure. A person said so: these units lose what left them, as after any other revision. */
export function releaseParts(
  units: ReadonlyMap<Id, UnitRecord>,
  { ids }: HeldParts,
): ReadonlyMap<Id, UnitRecord> {
  const next = new Map(units);
  for (const id of ids) {
    const record = next.get(id);
    if (record !== undefined) next.set(id, pruning(record, record.removing ?? []));
  }
  return next;
}

/** So long it is looked for what has to end first; then at leisure. Milliseconds. */
const SOON_MS = 60_000;

/** Pure. A unit at rest of which nothing else is due: what left it goes now. */
export function prune<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { unit, record, watch, neededBy }: Standing<Spec> & { readonly unit: Rendered<Spec> },
  moved: Moved<Call>,
): Moved<Call> {
  const { nowMs, removalsOff, windows } = look;
  const { removing = [] } = record;
  if (removing.length === 0) return moved;
  const isBusy = moved.operations.length > 0 || moved.held !== undefined;
  if (isBusy || !isInPlace(record, unit)) return moved;
  const { members, operations, left, waits } = gone(look, unit, record);
  if (left.length > 0 && record.rewound === true) return held(look, moved, left);
  const next = left.length === 0 ? pruning(record, []) : record;
  // What goes is no news that lasts.
  const others = (moved.notes ?? []).filter(
    (one) => !members.some(({ target }) => one.startsWith(`${target} `)),
  );
  if (left.length > 0 && neededBy !== undefined) return later(moved, others, neededBy);
  const shut = operations.length > 0 ? windows?.shut(unit.id)?.why : undefined;
  const notes = [
    ...others,
    ...waits,
    ...(shut === undefined ? [] : [`what left it stays: ${shut}`]),
  ];
  const ready = removalsOff === undefined && shut === undefined && nowMs >= watch.retryAtMs;
  const isEnding = left.length > 0 && waits.length === 0 && shut === undefined;
  const isSoon = isEnding && nowMs - watch.sinceMs < SOON_MS;
  const soon = isSoon ? ({ soon: true } as const) : {};
  return { ...moved, record: next, notes, ...soon, operations: ready ? operations : [] };
}

function held<Spec, Observed, Call>(
  { heldParts: digest = '', nowMs }: Look<Spec, Observed, Call>,
  moved: Moved<Call>,
  left: readonly Member[],
): Moved<Call> {
  const targets = left.slice(0, TARGETS_SHOWN).map(({ target }) => target);
  const more = left.length - targets.length;
  const what = `${targets.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
  const why = 'it left with a revision that does not descend from the one before';
  const line = `the removal of ${what} is held: ${why}; ${approveWith(digest)}`;
  // It begins when it is released.
  const watch = { ...moved.watch, sinceMs: nowMs };
  return { ...moved, watch, held: line, partsHeld: true, patient: true };
}

const TARGETS_SHOWN = 5;

/** Of what was noted, what the unit still does not have, and how far its removal is. */
function gone<Spec, Observed, Call>(
  { kind, observed }: Sight<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  { removing = [] }: UnitRecord,
): Removal<Call> & { readonly members: readonly Member[] } {
  const has = new Set(kind.makes(unit));
  const members = kind.removal(unit).prune ? removing.filter(({ target }) => !has.has(target)) : [];
  return { members, ...kind.remove(unit.id, members, observed) };
}

/** Nothing goes yet. Not held: that would keep the very unit from beginning that is waited for. */
function later<Call>(
  moved: Moved<Call>,
  notes: readonly string[],
  { id, underWay }: Dependant,
): Moved<Call> {
  if (underWay) return { ...moved, notes, soon: true };
  const why = `what left it stays until ${id}, which depends on it, is settled`;
  return { ...moved, notes: [...notes, why] };
}

/** What the repository wants is the last healthy release itself: no other one needs what left it. */
function isInPlace(record: UnitRecord, { digest }: { readonly digest: string }): boolean {
  return record.releases[0]?.digest === digest && !isQuarantined(record, digest);
}
