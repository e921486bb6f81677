import type { Known, Shelf } from '../reconcile/ports.ts';
import { type Blob, packBlob } from './blob.ts';
import { sameUnits, share, type Units } from './bucket.ts';
import { type Limits, pack } from './budget.ts';
import type { Reading } from './reading.ts';
import { cutHistory, isOf, nextRoot, type Owner, sameHistory } from './root.ts';
import { UnitId } from './shapes.ts';
import { Unit } from './unit-shape.ts';

/** What to write for the next record, and how it reads once that is done. */
export interface Draft {
  /** Missing on the shelf; the root is the last one. */
  readonly puts: readonly Blob[];
  readonly reading: Reading;
  readonly notes: readonly string[];
}

/** What a draft is made with. */
export interface Desk {
  readonly shelf: Shelf | undefined;
  readonly owner: Owner;
  readonly limits: Limits;
}

/**
 * Pure. The blobs that lead from `before` to `next`: of the units that are not the same objects, and those that left the
 * shelf while they are still named. Undefined where there are none.
 */
export function draft(
  before: Reading,
  next: Known,
  desk: Desk,
):
  | { readonly status: 'ok'; readonly value: Draft | undefined }
  | { readonly status: 'refused'; readonly why: string } {
  const dirty = dirtyBuckets(before, next.units, desk.shelf);
  const history = sameHistory(before.history, next.history)
    ? before.history
    : cutHistory(next.history);
  const rootIsThere = before.root === undefined || has(desk.shelf, before.name);
  const isOurs = before.root === undefined || isOf(before.root, desk.owner);
  if (dirty.size === 0 && history === before.history && rootIsThere && isOurs) {
    return { status: 'ok', value: undefined };
  }
  // A bucket that cannot be read would keep anything from being collected: what is known now takes its place.
  for (const [index, { lost }] of before.buckets.entries()) if (lost) dirty.add(index);
  const why = inconsistent(before.units, next.units);
  if (why !== undefined) return { status: 'refused', why };

  const rootOver = (names: readonly string[]) => nextRoot(before.root, desk.owner, history, names);
  const packed = pack(
    {
      buckets: before.buckets,
      dirty,
      units: next.units,
      root: (names) => packBlob('r', rootOver(names)),
    },
    desk.limits,
  );
  if (packed.status === 'refused') return packed;
  const { buckets, units, root, notes } = packed.value;
  const blobs = [...buckets.flatMap(({ blob }) => blob ?? []), root];
  const reading: Reading = {
    name: root.name,
    ids: '',
    complete: true,
    root: rootOver(buckets.map(({ name }) => name)),
    // Without the data of the blobs, which nobody needs once they are on the shelf.
    buckets: buckets.map(({ blob: _blob, ...bucket }) => bucket),
    units,
    history,
    notes: [],
  };
  const puts = blobs.filter(({ name }) => !has(desk.shelf, name));
  return { status: 'ok', value: { puts, reading, notes } };
}

function dirtyBuckets(before: Reading, units: Units, shelf: Shelf | undefined): Set<number> {
  const isSame = sameUnits(before.units, units);
  const shares = isSame ? before.buckets.map((bucket) => bucket.units) : share(units);
  const dirty = before.buckets.flatMap(({ name, lost, units: known }, index) => {
    const gone = name !== '' && !lost && !has(shelf, name);
    return gone || !sameUnits(known, shares[index] ?? new Map()) ? [index] : [];
  });
  return new Set(dirty);
}

function has(shelf: Shelf | undefined, name: string): boolean {
  return shelf?.blobs.has(name) ?? false;
}

/** A unit that could not be read back would be lost with its whole bucket. */
function inconsistent(before: Units, units: Units): string | undefined {
  for (const [id, unit] of units) {
    if (before.get(id) === unit) continue;
    if (!UnitId.safeParse(id).success || !Unit.safeParse(unit).success) {
      return `what is known of ${id} (phase ${unit.phase}) contradicts itself: this is a mistake in understudy`;
    }
  }
  return undefined;
}
