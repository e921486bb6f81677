import { z } from 'zod';

import { cephName, common, deletionPolicy, kept } from './ceph-common.ts';
import { Flag, Size, whole } from './common.ts';

/** What a monitor takes (16.2.15). */
const COPIES_MAX = 10;
/** Of a new pool, where nobody says how many. */
export const COPIES_USUAL = 3;
const PGS_MAX = 65_536;
const CHUNKS_MAX = 32;
const OBJECTS_MAX = Number.MAX_SAFE_INTEGER;
const COMPRESSION_MODES = ['none', 'passive', 'aggressive', 'force'] as const;
const COMPRESSION_ALGORITHMS = ['snappy', 'zlib', 'zstd', 'lz4'] as const;

function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `write one of ${listed(words)}` });
}

function ratio(min: number, max: number) {
  const error = `write a number from ${String(min)} to ${String(max)}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

const pgs = whole(1, PGS_MAX);

const Replicated = z
  .strictObject({
    size: whole(1, COPIES_MAX).optional(),
    minSize: whole(1, COPIES_MAX).optional(),
  })
  .refine(({ size = COPIES_USUAL, minSize = 1 }) => minSize <= size, {
    error: '`minSize` is at most `size`',
    path: ['minSize'],
  });

const ErasureCoded = z.strictObject({
  dataChunks: whole(2, CHUNKS_MAX),
  codingChunks: whole(1, CHUNKS_MAX),
  algorithm: oneOf(['jerasure', 'isa']).default('jerasure'),
  overwrites: Flag.default(false),
});

/** Named as Ceph names them: `osd pool set POOL NAME`. A closed list, because a wrong one may cost data. */
const Parameters = z.strictObject({
  compression_mode: oneOf(COMPRESSION_MODES).optional(),
  compression_algorithm: oneOf(COMPRESSION_ALGORITHMS).optional(),
  compression_required_ratio: ratio(0, 1).optional(),
  compression_min_blob_size: Size.optional(),
  compression_max_blob_size: Size.optional(),
  recovery_priority: whole(-10, 10).optional(),
  fast_read: Flag.optional(),
});

const Pool = z.strictObject({
  kind: z.literal('CephPool', { error: 'write `kind: CephPool`' }),
  name: cephName('the name of a pool'),
  ...common,
  deletionPolicy: kept('a pool'),
  application: cephName('what uses the pool, such as `rbd` or `cephfs`,'),
  replicated: Replicated.optional(),
  erasureCoded: ErasureCoded.optional(),
  failureDomain: cephName('a type of bucket such as `host`').optional(),
  deviceClass: cephName('a class of devices such as `ssd`').optional(),
  crushRoot: cephName('a bucket such as `default`').optional(),
  crushRule: cephName('the name of a rule').optional(),
  // What is not written is not compared: Ceph has its own, and administrators theirs.
  pgAutoscaleMode: oneOf(['on', 'warn', 'off']).optional(),
  pgNum: pgs.optional(),
  pgNumMin: pgs.optional(),
  pgNumMax: pgs.optional(),
  bulk: Flag.optional(),
  targetSizeRatio: ratio(0, 1_000_000).optional(),
  targetSizeBytes: Size.optional(),
  quotas: z
    .strictObject({ maxSize: Size.optional(), maxObjects: whole(0, OBJECTS_MAX).optional() })
    .prefault({}),
  parameters: Parameters.prefault({}),
  allowDataMovement: Flag.default(false),
});

const TYPES = 'write one of `replicated` and `erasureCoded`';

/** A pool. Its type, and of an erasure coded one the chunks, never change. Sizes in bytes, 0: no limit. */
export const CephPool = Pool.superRefine((pool, context) => {
  const issue = (path: readonly string[], message: string): void => {
    context.addIssue({ code: 'custom', path: [...path], message });
  };
  const { replicated, erasureCoded, pgNumMin = 1, pgNumMax = PGS_MAX } = pool;
  if ((replicated === undefined) === (erasureCoded === undefined)) {
    issue(replicated === undefined ? [] : ['erasureCoded'], TYPES);
  }
  if (pool.crushRule !== undefined) {
    for (const key of ['failureDomain', 'deviceClass', 'crushRoot'] as const) {
      if (pool[key] !== undefined) issue([key], '`crushRule` says that: leave it out');
    }
  }
  if (pool.pgNum !== undefined && (pool.pgAutoscaleMode ?? 'on') === 'on') {
    issue(['pgNum'], 'the autoscaler sets it: leave it out, or write `pgAutoscaleMode: off`');
  }
  if (pgNumMin > pgNumMax) issue(['pgNumMin'], '`pgNumMin` is at most `pgNumMax`');
  if (pool.parameters.fast_read !== undefined && replicated !== undefined) {
    issue(['parameters', 'fast_read'], '`fast_read` is for an erasure coded pool');
  }
});
export type CephPool = z.output<typeof CephPool>;

/** A rule of CRUSH. It never changes: another one has another name. */
export const CephCrushRule = z.strictObject({
  kind: z.literal('CephCrushRule', { error: 'write `kind: CephCrushRule`' }),
  name: cephName('the name of a rule'),
  ...common,
  deletionPolicy,
  type: oneOf(['replicated', 'erasure']).default('replicated'),
  root: cephName('a bucket such as `default`').default('default'),
  failureDomain: cephName('a type of bucket such as `host`').default('host'),
  deviceClass: cephName('a class of devices such as `ssd`').optional(),
  erasureProfile: cephName('the name of a profile').optional(),
});
export type CephCrushRule = z.output<typeof CephCrushRule>;
