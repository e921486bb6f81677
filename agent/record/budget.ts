import { gzipSync } from 'node:zlib';

import { canonicalJson } from '../core/digest.ts';
import type { Id } from '../core/kind.ts';
import type { UnitRecord } from '../core/unit.ts';
import { type Blob, INFLATED_BYTES_MAX } from './blob.ts';
import { bucketOf, type PackedBucket, packBucket, share, type Units } from './bucket.ts';

/** How large the record may become, in stored bytes. */
export interface Limits {
  /** All blobs together. */
  readonly bytesMax: number;
  /** One of them. */
  readonly blobBytesMax: number;
}

interface Packing {
  /** As they were; those in `dirty` are packed anew. */
  readonly buckets: readonly PackedBucket[];
  readonly dirty: ReadonlySet<number>;
  readonly units: Units;
  /** The root over buckets of these names. */
  readonly root: (buckets: readonly string[]) => Blob;
}

/** A record that fits, and for people what had to go for it. */
export interface Packed {
  readonly buckets: readonly PackedBucket[];
  readonly units: Units;
  readonly root: Blob;
  readonly notes: readonly string[];
}

/**
 * Pure. Packs what changed. Where that is too much, the oldest releases go until it fits: all third ones before any second
 * one, of the largest units first. The last healthy release stays, and all that is known of attempts and failures.
 */
export function pack(
  packing: Packing,
  limits: Limits,
):
  | { readonly status: 'ok'; readonly value: Packed }
  | { readonly status: 'refused'; readonly why: string } {
  const shares = share(packing.units);
  const buckets = [...packing.buckets];
  const notes: string[] = [];
  const weigh = scales();
  for (let dirty = packing.dirty; ;) {
    for (const index of dirty) {
      buckets[index] = packBucket(shares[index] ?? new Map(), buckets[index]?.rest ?? {});
    }
    const root = packing.root(buckets.map(({ name }) => name));
    const excess = excessOf(buckets, root, limits);
    if (excess === undefined) {
      const units = new Map(shares.flatMap((one) => [...one]));
      return { status: 'ok', value: { buckets, units, root, notes } };
    }
    const within = excess.bucket === undefined ? shares : [shares[excess.bucket] ?? new Map()];
    const cuts = chooseCuts(new Map(within.flatMap((one) => [...one])), excess.bytes, weigh);
    if (cuts.length === 0) return { status: 'refused', why: excess.why };
    for (const { id, unit } of cuts) {
      shares[bucketOf(id)]?.set(id, unit);
      notes.push(
        `${id} keeps ${unit.releases.length} releases only: the record would be too large`,
      );
    }
    dirty = new Set(cuts.map(({ id }) => bucketOf(id)));
  }
}

interface Excess {
  /** At least so much must go. */
  readonly bytes: number;
  /** From this bucket; absent: from any. */
  readonly bucket?: number;
  /** Where nothing more can go. */
  readonly why: string;
}

function excessOf(
  buckets: readonly PackedBucket[],
  root: Blob,
  { bytesMax, blobBytesMax }: Limits,
): Excess | undefined {
  const index = buckets.findIndex(({ bytes, blob }) => isTooLarge(bytes, blob, blobBytesMax));
  const bucket = buckets[index];
  if (bucket !== undefined) {
    // One that inflates too far loses all of its oldest releases at once: by how much they pack says nothing there.
    const bytes = bucket.bytes > blobBytesMax ? bucket.bytes - blobBytesMax : Infinity;
    return { bytes, bucket: index, why: tooLarge('a part of the record', blobBytesMax) };
  }
  const total = buckets.reduce((sum, { bytes }) => sum + bytes, root.bytes);
  if (total > bytesMax) {
    return { bytes: total - bytesMax, why: tooLarge('the record', bytesMax) };
  }
  return undefined;
}

function isTooLarge(bytes: number, blob: Blob | undefined, bytesMax: number): boolean {
  return bytes > bytesMax || (blob?.inflatedBytes ?? 0) > INFLATED_BYTES_MAX;
}

function tooLarge(what: string, bytesMax: number): string {
  const limit = `${Math.floor(bytesMax / 1024)} KiB`;
  return `${what} is larger than ${limit} even with one release of each unit: nothing can be recorded`;
}

interface Cut {
  readonly id: Id;
  readonly unit: UnitRecord;
}

/** Takes the last release off the units that have most of them, until about `bytes` are gone or all had their turn. */
function chooseCuts(
  units: Units,
  bytes: number,
  weigh: (unit: UnitRecord) => number,
): readonly Cut[] {
  const most = Math.max(2, ...[...units.values()].map(({ releases }) => releases.length));
  const candidates = [...units]
    .filter(([, { releases }]) => releases.length === most)
    .map(([id, unit]) => ({ id, unit, weight: weigh(unit) }))
    .toSorted((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
  const cuts: Cut[] = [];
  let gained = 0;
  for (const { id, unit, weight } of candidates) {
    if (gained >= bytes) break;
    const cut = { ...unit, releases: unit.releases.slice(0, -1) };
    gained += Math.max(1, weight - weigh(cut));
    cuts.push({ id, unit: cut });
  }
  return cuts;
}

/** What a unit weighs packed alone: its releases resemble each other, so this is far below their sum. */
function scales(): (unit: UnitRecord) => number {
  const weights = new Map<UnitRecord, number>();
  return (unit) => {
    const known = weights.get(unit);
    if (known !== undefined) return known;
    const weight = gzipSync(canonicalJson(unit), { level: 6 }).length;
    weights.set(unit, weight);
    return weight;
  };
}
