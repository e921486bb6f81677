import { z } from 'zod';

/** What Ceph answers, as far as it is looked at; releases add keys. From Pacific on. */

const count = z.number().nonnegative();
const named = z.looseObject({ name: z.string() });

export const Status = z.looseObject({
  fsid: z.string(),
  health: z.looseObject({
    status: z.enum(['HEALTH_OK', 'HEALTH_WARN', 'HEALTH_ERR']),
    checks: z.record(
      z.string(),
      z.looseObject({
        severity: z.enum(['HEALTH_WARN', 'HEALTH_ERR']),
        summary: z.looseObject({ message: z.string() }),
        muted: z.boolean(),
      }),
    ),
  }),
  quorum: z.array(count),
  monmap: z.looseObject({ num_mons: count }),
  osdmap: z.looseObject({ num_osds: count, num_up_osds: count, num_in_osds: count }),
  pgmap: z.looseObject({
    pgs_by_state: z.array(z.looseObject({ state_name: z.string(), count })),
  }),
  mgrmap: z.looseObject({ available: z.boolean() }),
});
export type Status = z.output<typeof Status>;

/** How many daemons run which version, by the kind of daemon. */
export const Versions = z.looseObject({ mon: z.record(z.string(), count) });

const Pool = z.looseObject({
  pool: count,
  pool_name: z.string(),
  /** 1 replicated, 3 erasure. */
  type: z.union([z.literal(1), z.literal(3)]),
  size: count,
  min_size: count,
  crush_rule: count,
  erasure_code_profile: z.string(),
  pg_num_target: count,
  pg_autoscale_mode: z.enum(['on', 'warn', 'off']),
  flags_names: z.string(),
  fast_read: z.boolean(),
  quota_max_bytes: count,
  quota_max_objects: count,
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  application_metadata: z.record(z.string(), z.record(z.string(), z.string())),
});

export const OsdDump = z.looseObject({
  fsid: z.string(),
  pools: z.array(Pool),
  erasure_code_profiles: z.record(z.string(), z.record(z.string(), z.string())),
});
export type OsdDump = z.output<typeof OsdDump>;

const Step = z.looseObject({
  op: z.string(),
  num: z.number().optional(),
  type: z.string().optional(),
  item_name: z.string().optional(),
});
export type Step = z.output<typeof Step>;

const Bucket = z.looseObject({
  /** Below zero; devices count from zero. */
  id: z.int(),
  name: z.string(),
  type_name: z.string(),
  items: z.array(z.looseObject({ id: z.int() })),
});
export type Bucket = z.output<typeof Bucket>;

export const CrushDump = z.looseObject({
  devices: z.array(z.looseObject({ class: z.string().optional() })),
  types: z.array(named),
  buckets: z.array(Bucket),
  rules: z.array(
    z.looseObject({
      rule_id: count,
      rule_name: z.string(),
      /** As of pools; 4 and 5 are the two for rules that look at several levels, since Squid. */
      type: z.union([z.literal(1), z.literal(3), z.literal(4), z.literal(5)]),
      steps: z.array(Step),
    }),
  ),
});
export type CrushDump = z.output<typeof CrushDump>;

export const FsDump = z.looseObject({
  filesystems: z.array(
    z.looseObject({
      id: count,
      mdsmap: z.looseObject({
        fs_name: z.string(),
        flags: count,
        metadata_pool: count,
        data_pools: z.array(count),
        max_mds: count,
        standby_count_wanted: count,
        max_file_size: count,
        info: z.record(
          z.string(),
          /** Of one that was not heard of for some time: since when. */
          z.looseObject({ state: z.string(), laggy_since: z.string().optional() }),
        ),
      }),
    }),
  ),
});
export type FsDump = z.output<typeof FsDump>;

export const Df = z.looseObject({
  pools: z.array(
    z.looseObject({
      name: z.string(),
      stats: z.looseObject({ stored: count, objects: count, bytes_used: count, max_avail: count }),
    }),
  ),
});
export type Df = z.output<typeof Df>;

export const AuthLs = z.looseObject({
  auth_dump: z.array(
    z.looseObject({ entity: z.string(), key: z.string(), caps: z.record(z.string(), z.string()) }),
  ),
});
export type AuthLs = z.output<typeof AuthLs>;

export const Marks = z.record(z.string(), z.string());

/** Groups of a file system, or subvolumes of a group. */
export const Names = z.array(named);

const folder = {
  mode: count,
  uid: count,
  gid: count,
  data_pool: z.string(),
  bytes_quota: z.union([count, z.literal('infinite')]),
  bytes_used: count,
};

export const GroupInfo = z.looseObject(folder);
export type FolderInfo = z.output<typeof GroupInfo>;

const complete = z.looseObject({
  ...folder,
  state: z.literal('complete'),
  path: z.string(),
  pool_namespace: z.string(),
});
/** It is being copied, or all that is left of it are snapshots: then it has no folder. */
const other = z
  .looseObject({ state: z.string().refine((state) => state !== 'complete') })
  .transform(({ state }) => ({ state: 'other' as const, called: state }));

export const SubvolumeInfo = z.union([complete, other]);
export type SubvolumeInfo = z.output<typeof SubvolumeInfo>;
