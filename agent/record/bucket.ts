import { createHash } from 'node:crypto';
import { z } from 'zod';

import type { Id } from '../core/kind.ts';
import type { UnitRecord } from '../core/unit.ts';
import { type Blob, packBlob } from './blob.ts';
import { type Parsed, parseVersioned, SCHEMA, UnitId } from './shapes.ts';
import { Unit } from './unit-shape.ts';

/** So few that a small record is a handful of objects, so many that one changed unit rewrites little. */
export const BUCKETS = 16;

export type Units = ReadonlyMap<Id, UnitRecord>;

/** A share of the units, stored together. */
export interface Bucket {
  /** Of its blob; empty where there are no units. */
  readonly name: string;
  readonly bytes: number;
  readonly units: Units;
  /** What a later version wrote beside the units. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** Named by the root, but not to be had. */
  readonly lost: boolean;
}

export const emptyBucket: Bucket = {
  name: '',
  bytes: 0,
  units: new Map(),
  rest: {},
  lost: false,
};

/** A bucket that was written anew; without a blob where no units are left. */
export interface PackedBucket extends Bucket {
  readonly blob?: Blob;
}

const BucketContent = z.looseObject({
  schema: z.literal(SCHEMA),
  units: z.record(UnitId, Unit),
});

/** Pure. The bucket of a unit: the first hex digit of the SHA-256 of its id. */
export function bucketOf(id: Id): number {
  return Number.parseInt(createHash('sha256').update(id).digest('hex').slice(0, 1), 16);
}

/** Pure. The units of each bucket, in maps that are the caller's own. */
export function share(units: Units): Map<Id, UnitRecord>[] {
  const shares = Array.from({ length: BUCKETS }, () => new Map<Id, UnitRecord>());
  for (const [id, unit] of units) shares[bucketOf(id)]?.set(id, unit);
  return shares;
}

/** Pure. */
export function packBucket(units: Units, rest: Bucket['rest']): PackedBucket {
  if (units.size === 0) return emptyBucket;
  const content = { ...rest, schema: SCHEMA, units: Object.fromEntries(units) };
  const blob = packBlob('b', content);
  return { name: blob.name, bytes: blob.bytes, units, rest, lost: false, blob };
}

/** Pure. A bucket that holds a unit of another one is damaged: that unit would be there twice. */
export function parseBucket(json: unknown, index: number): Parsed<Pick<Bucket, 'units' | 'rest'>> {
  const parsed = parseVersioned(json, BucketContent);
  if (parsed.status !== 'ok') return parsed;
  const { schema: _schema, units, ...rest } = parsed.value;
  const own = new Map<Id, UnitRecord>();
  for (const [id, unit] of Object.entries(units)) {
    const known = UnitId.safeParse(id);
    if (!known.success || bucketOf(known.data) !== index) return { status: 'damaged' };
    own.set(known.data, unit);
  }
  return { status: 'ok', value: { units: own, rest } };
}

/** Pure. Whether both hold the same objects under the same ids. */
export function sameUnits(a: Units, b: Units): boolean {
  return a.size === b.size && [...a].every(([id, unit]) => b.get(id) === unit);
}
