import type { CephCall, Step } from '../../../agent/providers/ceph/call.ts';
import { type Command, commandProblem } from '../../../agent/providers/ceph/commands.ts';
import type { Difference, Rendered } from '../../../agent/core/kind.ts';
import { Secret } from '../../../agent/core/secret.ts';
import type {
  ClusterSeen,
  FolderDetails,
  ObservedFilesystem,
  ObservedGroup,
  ObservedPool,
  ObservedSubvolume,
} from '../../../agent/providers/ceph/observed.ts';
import { NO_GROUP } from '../../../agent/providers/ceph/observed.ts';
import type { CephSpec } from '../../../agent/providers/ceph/spec.ts';
import type { CephObserved } from '../../../agent/providers/ceph/unit-diff.ts';
import { cephKind } from '../../../agent/providers/ceph/kind.ts';

// What commands do to a cluster, as 16.2.15 does it (test/e2e/ceph-change.test.ts says the same of a real one).

/** Three hosts with a disk each, and nothing in them. */
export const empty: ClusterSeen = {
  fsid: 'd2d81a79-f0d4-4f98-8d00-3e85ffd4b904',
  release: { version: [16, 2, 15], name: 'pacific' },
  health: { status: 'HEALTH_OK', checks: new Map() },
  daemons: {
    monitors: { total: 3, inQuorum: 3 },
    osds: { total: 3, up: 3, in: 3 },
    managerAvailable: true,
  },
  placement: new Map(),
  pools: new Map(),
  rules: new Map([
    [
      'replicated_rule',
      { id: 0, type: 'replicated', simple: { root: 'default', failureDomain: 'host' } },
    ],
  ]),
  profiles: new Map(),
  crush: {
    types: new Set(['osd', 'host', 'rack', 'root']),
    deviceClasses: new Set(['hdd', 'ssd']),
    below: new Map([
      ['default', new Map([['host', 3], ['osd', 3]])], // prettier-ignore
      ['default~hdd', new Map([['host', 3], ['osd', 3]])], // prettier-ignore
      ['default~ssd', new Map([['host', 1], ['osd', 1]])], // prettier-ignore
    ]),
  },
  filesystems: new Map(),
  clients: new Map(),
  volumes: new Map(),
  marks: new Map(),
};

type On<Prefix extends Command['prefix']> = Extract<Command, { prefix: Prefix }>;

function put<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  key: Key,
  value: Value,
): ReadonlyMap<Key, Value> {
  return new Map([...map, [key, value]]);
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  return new Map([...map].filter(([one]) => one !== key));
}

function get<Value>(map: ReadonlyMap<string, Value>, key: string): Value {
  const value = map.get(key);
  if (value === undefined) throw new Error(`ENOENT ${key}`);
  return value;
}

/** The cluster after one step. Throws where it would be refused. */
export function after(seen: ClusterSeen, step: Step): ClusterSeen {
  if ('check' in step) return seen;
  const problem = commandProblem(step);
  if (problem !== undefined) throw new Error(problem);
  const { pools, rules, profiles, filesystems, clients = new Map() } = seen;
  switch (step.prefix) {
    case 'config-key set':
      return { ...seen, marks: put(seen.marks, step.key.slice('understudy/'.length), step.val) };
    case 'config-key rm':
      return { ...seen, marks: without(seen.marks, step.key.slice('understudy/'.length)) };
    case 'osd erasure-code-profile set': {
      const said = step.profile.map((one): [string, string] => {
        const [key = '', value = ''] = one.split('=');
        return [key, value];
      });
      const content = new Map([['technique', 'reed_sol_van'], ['w', '8'], ...said] as const);
      return { ...seen, profiles: put(profiles, step.name, content) };
    }
    case 'osd crush rule create-replicated': {
      if (rules.has(step.name)) return seen;
      const simple = {
        root: step.root,
        failureDomain: step.type,
        ...(step.class !== undefined && { deviceClass: step.class }),
      };
      return { ...seen, rules: put(rules, step.name, { id: rules.size, type: 'replicated', simple }) }; // prettier-ignore
    }
    case 'osd crush rule create-erasure': {
      if (rules.has(step.name)) return seen;
      const profile = get(profiles, step.profile);
      const deviceClass = profile.get('crush-device-class');
      const simple = {
        root: profile.get('crush-root') ?? 'default',
        failureDomain: profile.get('crush-failure-domain') ?? 'host',
        ...(deviceClass !== undefined && { deviceClass }),
      };
      return { ...seen, rules: put(rules, step.name, { id: rules.size, type: 'erasure', simple }) };
    }
    case 'osd crush rule rm':
      return { ...seen, rules: without(rules, step.name) };
    case 'osd pool create':
      return pools.has(step.pool)
        ? seen
        : { ...seen, pools: put(pools, step.pool, madePool(step, seen)) };
    case 'osd pool set':
      return { ...seen, pools: put(pools, step.pool, setPool(get(pools, step.pool), step, seen)) };
    case 'osd pool set-quota': {
      const pool = get(pools, step.pool);
      const field = step.field === 'max_bytes' ? 'maxBytes' : 'maxObjects';
      const quota = { ...pool.quota, [field]: Number(step.val) };
      return { ...seen, pools: put(pools, step.pool, { ...pool, quota }) };
    }
    case 'osd pool application enable':
      return { ...seen, pools: put(pools, step.pool, withApp(get(pools, step.pool), step.app)) };
    case 'fs new': {
      const filesystem: ObservedFilesystem = {
        id: filesystems.size + 1,
        metadataPool: step.metadata,
        dataPools: [step.data],
        maxMds: 1,
        active: 1,
        standbyCountWanted: 0,
        allowStandbyReplay: false,
        maxFileSizeBytes: 2 ** 40,
      };
      let next = pools;
      for (const pool of [step.metadata, step.data]) {
        next = put(next, pool, withApp(get(next, pool), 'cephfs'));
      }
      const volumes = put(seen.volumes, step.fs_name, { status: 'seen' as const, groups: new Map() }); // prettier-ignore
      return { ...seen, pools: next, volumes, filesystems: put(filesystems, step.fs_name, filesystem) }; // prettier-ignore
    }
    case 'fs add_data_pool': {
      const system = get(filesystems, step.fs_name);
      const dataPools = [...new Set([...system.dataPools, step.pool])];
      const next = put(pools, step.pool, withApp(get(pools, step.pool), 'cephfs'));
      return { ...seen, pools: next, filesystems: put(filesystems, step.fs_name, { ...system, dataPools }) }; // prettier-ignore
    }
    case 'fs set': {
      const system = get(filesystems, step.fs_name);
      const changed = {
        max_mds: { maxMds: Number(step.val) },
        standby_count_wanted: { standbyCountWanted: Number(step.val) },
        allow_standby_replay: { allowStandbyReplay: step.val === 'true' },
        max_file_size: { maxFileSizeBytes: Number(step.val) },
      }[step.var];
      return { ...seen, filesystems: put(filesystems, step.fs_name, { ...system, ...changed }) };
    }
    case 'auth get-or-create':
    case 'auth caps': {
      const caps = new Map<string, string>();
      for (let at = 0; at < step.caps.length; at += 2) {
        caps.set(step.caps[at] ?? '', step.caps[at + 1] ?? '');
      }
      const key = clients.get(step.entity)?.key ?? new Secret('key');
      return { ...seen, clients: put(clients, step.entity, { caps, key }) };
    }
    case 'auth rm':
      return { ...seen, clients: without(clients, step.entity) };
    case 'fs subvolumegroup create':
    case 'fs subvolumegroup resize':
    case 'fs subvolume create':
    case 'fs subvolume resize':
      return inFilesystem(seen, step);
  }
}

function madePool(step: On<'osd pool create'>, { rules, profiles }: ClusterSeen): ObservedPool {
  get(rules, step.rule);
  const profile = step.erasure_code_profile;
  const numberOf = (key: string): number =>
    profile === undefined ? 0 : Number(get(profiles, profile).get(key));
  const [k, m] = [numberOf('k'), numberOf('m')];
  const size = step.size ?? k + m;
  const options = {
    pg_num_min: step.pg_num_min,
    pg_num_max: step.pg_num_max,
    target_size_bytes: step.target_size_bytes,
    // What makes a pool keeps fewer digits than what sets it.
    target_size_ratio: step.target_size_ratio && Math.fround(step.target_size_ratio),
  };
  return {
    id: 1,
    type: step.pool_type,
    size,
    minSize: profile === undefined ? size - Math.floor(size / 2) : k + Math.min(1, m - 1),
    rule: step.rule,
    ...(profile !== undefined && { profile }),
    pgNum: step.pg_num ?? 8,
    pgAutoscaleMode: step.autoscale_mode,
    flags: new Set(step.bulk === true ? ['hashpspool', 'bulk'] : ['hashpspool']),
    fastRead: false,
    quota: { maxBytes: 0, maxObjects: 0 },
    options: new Map(
      Object.entries(options).flatMap(([key, value]) => (value === undefined || value === 0 ? [] : [[key, value]])), // prettier-ignore
    ),
    applications: new Map(),
  };
}

function setPool(
  pool: ObservedPool,
  step: On<'osd pool set'>,
  { rules }: ClusterSeen,
): ObservedPool {
  const { var: name, val } = step;
  const flag = (what: string): ObservedPool => {
    const flags = new Set([...pool.flags].filter((one) => one !== what));
    return { ...pool, flags: val === 'true' ? flags.add(what) : flags };
  };
  switch (name) {
    case 'size': {
      const size = Number(val);
      return { ...pool, size, minSize: size - Math.floor(size / 2) };
    }
    case 'min_size':
      if (Number(val) > pool.size) throw new Error('EINVAL min_size');
      return { ...pool, minSize: Number(val) };
    case 'crush_rule':
      get(rules, val);
      return { ...pool, rule: val };
    case 'pg_num': {
      const [min, max] = [pool.options.get('pg_num_min') ?? 0, pool.options.get('pg_num_max') ?? Infinity]; // prettier-ignore
      if (Number(val) < Number(min) || Number(val) > Number(max)) throw new Error('EINVAL pg_num');
      return { ...pool, pgNum: Number(val) };
    }
    case 'pg_autoscale_mode':
      return { ...pool, pgAutoscaleMode: val === 'on' ? 'on' : val === 'off' ? 'off' : 'warn' };
    case 'nodelete':
    case 'bulk':
      return flag(name);
    case 'allow_ec_overwrites':
      return flag('ec_overwrites');
    case 'fast_read':
      return { ...pool, fastRead: val === 'true' };
    case 'pg_num_min':
    case 'pg_num_max':
    case 'target_size_ratio':
    case 'target_size_bytes':
    case 'recovery_priority':
    case 'compression_mode':
    case 'compression_algorithm':
    case 'compression_required_ratio':
    case 'compression_min_blob_size':
    case 'compression_max_blob_size': {
      const number = Number(val);
      if (name === 'pg_num_min' && number > pool.pgNum) throw new Error('EINVAL pg_num_min');
      if (name === 'pg_num_max' && number < pool.pgNum) throw new Error('EINVAL pg_num_max');
      if (number === 0) return { ...pool, options: without(pool.options, name) };
      return { ...pool, options: put(pool.options, name, Number.isNaN(number) ? val : number) };
    }
  }
}

function withApp(pool: ObservedPool, app: string): ObservedPool {
  return { ...pool, applications: put(pool.applications, app, new Map()) };
}

type FolderCommand = On<
  | 'fs subvolumegroup create'
  | 'fs subvolumegroup resize'
  | 'fs subvolume create'
  | 'fs subvolume resize'
>;

function inFilesystem(seen: ClusterSeen, step: FolderCommand): ClusterSeen {
  const sight = get(seen.volumes, step.vol_name);
  if (sight.status !== 'seen') throw new Error(sight.why);
  const name = step.group_name ?? NO_GROUP;
  const [pool = ''] = get(seen.filesystems, step.vol_name).dataPools;
  const group: ObservedGroup = sight.groups.get(name) ?? { subvolumes: new Map() };
  const next = inGroup(group, step, pool);
  const groups = put(sight.groups, name, next);
  return { ...seen, volumes: put(seen.volumes, step.vol_name, { status: 'seen', groups }) };
}

function inGroup(group: ObservedGroup, step: FolderCommand, pool: string): ObservedGroup {
  const { details, subvolumes = new Map<string, ObservedSubvolume | undefined>() } = group;
  switch (step.prefix) {
    case 'fs subvolumegroup create':
      if (details !== undefined) throw new Error('made twice');
      return { details: folderOf(step, pool), subvolumes };
    case 'fs subvolumegroup resize':
      return { details: resized(details, step.new_size), subvolumes };
    case 'fs subvolume create': {
      if (subvolumes.has(step.sub_name)) throw new Error('made twice');
      const made: ObservedSubvolume = {
        ...folderOf(step, pool),
        state: 'complete',
        path: `/volumes/${step.group_name ?? NO_GROUP}/${step.sub_name}/uuid`,
        ...(step.namespace_isolated === true && { namespace: `fsvolumens_${step.sub_name}` }),
      };
      return { ...group, subvolumes: put(subvolumes, step.sub_name, made) };
    }
    case 'fs subvolume resize': {
      const one = subvolumes.get(step.sub_name);
      if (one?.state !== 'complete') throw new Error('ENOENT');
      const { quotaBytes: _quota, ...rest } = one;
      const quota = step.new_size === 'inf' ? {} : { quotaBytes: Number(step.new_size) };
      return { ...group, subvolumes: put(subvolumes, step.sub_name, { ...rest, ...quota }) };
    }
  }
}

function folderOf(
  step: On<'fs subvolumegroup create' | 'fs subvolume create'>,
  pool: string,
): FolderDetails {
  return {
    mode: Number.parseInt(step.mode, 8),
    uid: step.uid,
    gid: step.gid,
    dataPool: step.pool_layout ?? pool,
    ...(step.size !== undefined && { quotaBytes: step.size }),
    usedBytes: 0,
  };
}

function resized(details: FolderDetails | undefined, size: string): FolderDetails {
  if (details === undefined) throw new Error('ENOENT');
  const { quotaBytes: _quota, ...rest } = details;
  return size === 'inf' ? rest : { ...rest, quotaBytes: Number(size) };
}

export function observed(
  seen: ClusterSeen,
  { dataMovement = 'healthy', owner = 'test' }: Partial<CephObserved> = {},
): CephObserved {
  const clients = { self: 'client.understudy', pattern: 'client.site-*' };
  const sight = { status: 'seen' as const, seen };
  return { clusters: new Map([['main', { sight, clients }]]), owner, dataMovement };
}

export function stepsOf({ operations }: Difference<CephCall>): readonly Step[] {
  return operations.flatMap(({ call }) => call.steps);
}

/** The cluster once everything of a unit was carried out; blocked is an error. */
export function applied(seen: ClusterSeen, unit: Rendered<CephSpec>): ClusterSeen {
  const difference = cephKind.diff(unit, observed(seen));
  const [blocked] = difference.blocked;
  if (blocked !== undefined) throw new Error(blocked.why);
  return stepsOf(difference).reduce(after, seen);
}
