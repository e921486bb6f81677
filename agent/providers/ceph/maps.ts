import type {
  ObservedCrush,
  ObservedFilesystem,
  ObservedPool,
  ObservedRule,
  PoolUsage,
  SimpleRule,
} from './observed.ts';
import type { Bucket, CrushDump, Df, FsDump, OsdDump, Step } from './shapes.ts';

/** Bits of a file system's flags; later releases also spell them out. */
const ALLOW_STANDBY_REPLAY = 1 << 5;

/** Pure. Pools by name. */
export function poolsIn(
  { pools }: OsdDump,
  { rules }: CrushDump,
  df: Df,
): ReadonlyMap<string, ObservedPool> {
  const ruleNames = new Map(rules.map((rule) => [rule.rule_id, rule.rule_name]));
  const usages = new Map(df.pools.map(({ name, stats }) => [name, usageOf(stats)]));
  return new Map(
    pools.map((pool) => [
      pool.pool_name,
      observedPool(pool, ruleNames, usages.get(pool.pool_name)),
    ]),
  );
}

function observedPool(
  pool: OsdDump['pools'][number],
  ruleNames: ReadonlyMap<number, string>,
  usage: PoolUsage | undefined,
): ObservedPool {
  const type = pool.type === 1 ? 'replicated' : 'erasure';
  return {
    id: pool.pool,
    type,
    size: pool.size,
    minSize: pool.min_size,
    rule: ruleNames.get(pool.crush_rule) ?? String(pool.crush_rule),
    ...(type === 'erasure' && { profile: pool.erasure_code_profile }),
    pgNum: pool.pg_num_target,
    pgAutoscaleMode: pool.pg_autoscale_mode,
    flags: flagsIn(pool.flags_names),
    fastRead: pool.fast_read,
    quota: { maxBytes: pool.quota_max_bytes, maxObjects: pool.quota_max_objects },
    options: new Map(Object.entries(pool.options)),
    applications: new Map(
      Object.entries(pool.application_metadata).map(([name, notes]) => [
        name,
        new Map(Object.entries(notes)),
      ]),
    ),
    ...(usage && { usage }),
  };
}

function flagsIn(names: string): ReadonlySet<string> {
  // The last one says that it was made a moment ago.
  return new Set(names.split(',').filter((flag) => flag !== '' && flag !== 'creating'));
}

function usageOf(stats: Df['pools'][number]['stats']): PoolUsage {
  return {
    storedBytes: stats.stored,
    objects: stats.objects,
    usedBytes: stats.bytes_used,
    availableBytes: stats.max_avail,
  };
}

/** Pure. Erasure code profiles by name. */
export function profilesIn({
  erasure_code_profiles: profiles,
}: OsdDump): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    Object.entries(profiles).map(([name, profile]) => [name, new Map(Object.entries(profile))]),
  );
}

/** Pure. Rules by name. */
export function rulesIn({ rules }: CrushDump): ReadonlyMap<string, ObservedRule> {
  return new Map(
    rules.map(({ rule_id: id, rule_name: name, type, steps }) => {
      const simple = simpleRule(steps);
      const isReplicated = type === 1 || type === 4;
      const rule: ObservedRule = {
        id,
        type: isReplicated ? 'replicated' : 'erasure',
        ...(simple && { simple }),
      };
      return [name, rule];
    }),
  );
}

/** Pure. What one line made the rule of; undefined where it does more than that. */
function simpleRule(steps: readonly Step[]): SimpleRule | undefined {
  // How often it is tried differs for erasure codes, and says nothing about where.
  const [take, choose, emit, ...more] = steps.filter(({ op }) => !op.startsWith('set_'));
  if (more.length > 0 || take?.op !== 'take' || emit?.op !== 'emit') return undefined;
  if (choose?.num !== 0 || take.item_name === undefined || choose.type === undefined) {
    return undefined;
  }
  const isDevice = choose.type === 'osd';
  const wanted = isDevice ? /^choose(leaf)?_(firstn|indep)$/ : /^chooseleaf_(firstn|indep)$/;
  if (!wanted.test(choose.op)) return undefined;
  const [root = '', deviceClass] = take.item_name.split('~');
  return { root, failureDomain: choose.type, ...(deviceClass !== undefined && { deviceClass }) };
}

/** Pure. */
export function crushIn({ devices, types, buckets }: CrushDump): ObservedCrush {
  const byId = new Map(buckets.map((bucket) => [bucket.id, bucket]));
  return {
    types: new Set(types.map(({ name }) => name)),
    deviceClasses: new Set(
      devices.flatMap(({ class: name }) => (name === undefined ? [] : [name])),
    ),
    below: new Map(buckets.map((bucket) => [bucket.name, typesBelow(bucket, byId)])),
  };
}

function typesBelow(top: Bucket, byId: ReadonlyMap<number, Bucket>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const seen = new Map<number, boolean>();
  /** Whether there is a device at or below it. */
  const visit = (id: number): boolean => {
    const known = seen.get(id);
    if (known !== undefined) return known;
    seen.set(id, false); // whatever leads back to it counts once
    const bucket = byId.get(id);
    const holds = id >= 0 || (bucket?.items ?? []).filter((item) => visit(item.id)).length > 0;
    seen.set(id, holds);
    const type = id >= 0 ? 'osd' : bucket?.type_name;
    if (holds && type !== undefined && id !== top.id) counts.set(type, (counts.get(type) ?? 0) + 1);
    return holds;
  };
  visit(top.id);
  return counts;
}

type Mds = FsDump['filesystems'][number]['mdsmap']['info'][string];

/** One that was lost, and that no other one stands in for, goes on being called active. */
function isActive({ state, laggy_since: laggySince }: Mds): boolean {
  return state === 'up:active' && laggySince === undefined;
}

/** Pure. File systems by name. */
export function filesystemsIn(
  { filesystems }: FsDump,
  { pools }: OsdDump,
): ReadonlyMap<string, ObservedFilesystem> {
  const names = new Map(pools.map((pool) => [pool.pool, pool.pool_name]));
  const nameOf = (id: number): string => names.get(id) ?? String(id);
  return new Map(
    filesystems.map(({ id, mdsmap }) => [
      mdsmap.fs_name,
      {
        id,
        metadataPool: nameOf(mdsmap.metadata_pool),
        dataPools: mdsmap.data_pools.map(nameOf),
        maxMds: mdsmap.max_mds,
        active: Object.values(mdsmap.info).filter(isActive).length,
        standbyCountWanted: mdsmap.standby_count_wanted,
        allowStandbyReplay: (mdsmap.flags & ALLOW_STANDBY_REPLAY) !== 0,
        maxFileSizeBytes: mdsmap.max_file_size,
      },
    ]),
  );
}
