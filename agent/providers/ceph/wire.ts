import { z } from 'zod';

import type {
  CephSpec,
  ClientSpec,
  FilesystemSpec,
  GroupSpec,
  PoolSpec,
  RuleSpec,
  SubvolumeSpec,
} from './spec.ts';

const name = z.string().min(1);
const count = z.number().int().nonnegative();
const ratio = z.number().nonnegative();
const deletionPolicy = z.enum(['Orphan', 'Delete']);
const kept = z.literal('Orphan');

const common = { name, adopt: z.boolean(), cluster: name.exactOptional() };

const pool: z.ZodType<PoolSpec> = z.strictObject({
  kind: z.literal('CephPool'),
  ...common,
  deletionPolicy: kept,
  application: name,
  replicated: z
    .strictObject({ size: count.min(1).optional(), minSize: count.min(1).optional() })
    .optional(),
  erasureCoded: z
    .strictObject({
      dataChunks: count.min(2),
      codingChunks: count.min(1),
      algorithm: z.enum(['jerasure', 'isa']),
      overwrites: z.boolean(),
    })
    .optional(),
  failureDomain: name.optional(),
  deviceClass: name.optional(),
  crushRoot: name.optional(),
  crushRule: name.optional(),
  pgAutoscaleMode: z.enum(['on', 'warn', 'off']).optional(),
  pgNum: count.min(1).optional(),
  pgNumMin: count.min(1).optional(),
  pgNumMax: count.min(1).optional(),
  bulk: z.boolean().optional(),
  targetSizeRatio: ratio.optional(),
  targetSizeBytes: count.optional(),
  quotas: z.strictObject({ maxSize: count.optional(), maxObjects: count.optional() }),
  parameters: z.strictObject({
    compression_mode: z.enum(['none', 'passive', 'aggressive', 'force']).optional(),
    compression_algorithm: z.enum(['snappy', 'zlib', 'zstd', 'lz4']).optional(),
    compression_required_ratio: ratio.optional(),
    compression_min_blob_size: count.optional(),
    compression_max_blob_size: count.optional(),
    recovery_priority: z.number().int().optional(),
    fast_read: z.boolean().optional(),
  }),
  allowDataMovement: z.boolean(),
});

const rule: z.ZodType<RuleSpec> = z.strictObject({
  kind: z.literal('CephCrushRule'),
  ...common,
  deletionPolicy,
  type: z.enum(['replicated', 'erasure']),
  root: name,
  failureDomain: name,
  deviceClass: name.optional(),
  erasureProfile: name.optional(),
});

const filesystem: z.ZodType<FilesystemSpec> = z.strictObject({
  kind: z.literal('CephFilesystem'),
  ...common,
  deletionPolicy: kept,
  metadataPool: name,
  dataPools: z.array(name).min(1),
  activeCount: count.min(1).optional(),
  standbyCountWanted: count.optional(),
  allowStandbyReplay: z.boolean().optional(),
  maxFileSize: count.optional(),
});

const folder = {
  ...common,
  deletionPolicy: kept,
  filesystem: name,
  mode: count,
  uid: count,
  gid: count,
  dataPool: name.optional(),
};

const group: z.ZodType<GroupSpec> = z.strictObject({
  kind: z.literal('CephSubvolumeGroup'),
  ...folder,
  quota: count.optional(),
});

const subvolume: z.ZodType<SubvolumeSpec> = z.strictObject({
  kind: z.literal('CephSubvolume'),
  ...folder,
  group: name.optional(),
  size: count.optional(),
  namespaceIsolated: z.boolean(),
  output: name.optional(),
});

const id = z.templateLiteral(['ceph-subvolume/', z.string().min(1)]);

const client: z.ZodType<ClientSpec> = z.strictObject({
  kind: z.literal('CephClient'),
  ...common,
  deletionPolicy,
  caps: z
    .strictObject({ mon: name, osd: name.optional(), mds: name.optional(), mgr: name.optional() })
    .optional(),
  subvolumes: z
    .array(z.strictObject({ id, access: z.enum(['rw', 'ro']) }))
    .min(1)
    .optional(),
  secret: name,
  format: z.enum(['key', 'keyring']),
});

/** A unit of a cluster as it comes out of the renderer's pipe. None of it is a secret: it goes in as it is. */
export const cephFromWire: z.ZodType<CephSpec> = z.union([
  pool,
  rule,
  filesystem,
  group,
  subvolume,
  client,
]);
