/** Answers of a real cluster of 16.2.15, shortened. */

const pool = {
  pool: 1,
  pool_name: 'rep',
  create_time: '2026-11-30T21:03:31.810173+0000',
  flags_names: 'hashpspool,nodelete,creating',
  type: 1,
  size: 3,
  min_size: 2,
  crush_rule: 0,
  pg_autoscale_mode: 'on',
  pg_num: 12,
  pg_num_target: 8,
  quota_max_bytes: 1024,
  quota_max_objects: 0,
  erasure_code_profile: '',
  fast_read: false,
  options: { pg_num_min: 16, target_size_ratio: 0.10000000149011612, compression_mode: 'passive' },
  application_metadata: { rbd: { by: 'me' } },
};

export const osdDump = {
  fsid: 'd2d81a79-f0d4-4f98-8d00-3e85ffd4b904',
  require_osd_release: 'pacific',
  pools: [
    pool,
    {
      ...pool,
      pool: 4,
      pool_name: 'ec',
      type: 3,
      crush_rule: 9,
      flags_names: '',
      erasure_code_profile: 'ec21',
      options: {},
      application_metadata: {},
    },
  ],
  erasure_code_profiles: { ec21: { k: '2', m: '1' } },
};

const take = { op: 'take', item: -1, item_name: 'default' };
const emit = { op: 'emit' };

export const crushDump = {
  devices: [
    { id: 0, name: 'osd.0', class: 'hdd' },
    { id: 1, name: 'osd.1', class: 'ssd' },
    { id: 2, name: 'osd.2' },
  ],
  types: [
    { type_id: 0, name: 'osd' },
    { type_id: 1, name: 'host' },
    { type_id: 3, name: 'rack' },
    { type_id: 11, name: 'root' },
  ],
  buckets: [
    { id: -1, name: 'default', type_name: 'root', items: [{ id: -3 }, { id: -4 }, { id: -5 }] },
    { id: -2, name: 'default~hdd', type_name: 'root', items: [{ id: -6 }, { id: -7 }] },
    { id: -3, name: 'host0', type_name: 'host', items: [{ id: 0 }] },
    { id: -4, name: 'rack1', type_name: 'rack', items: [{ id: -8 }] },
    { id: -5, name: 'empty', type_name: 'host', items: [] },
    { id: -6, name: 'host0~hdd', type_name: 'host', items: [{ id: 0 }] },
    { id: -7, name: 'rack1~hdd', type_name: 'rack', items: [] },
    { id: -8, name: 'host1', type_name: 'host', items: [{ id: 1 }, { id: 2 }] },
  ],
  rules: [
    {
      rule_id: 0,
      rule_name: 'replicated_rule',
      type: 1,
      steps: [take, { op: 'chooseleaf_firstn', num: 0, type: 'host' }, emit],
    },
    {
      rule_id: 9,
      rule_name: 'ec',
      type: 3,
      steps: [
        { op: 'set_chooseleaf_tries', num: 5 },
        { op: 'set_choose_tries', num: 100 },
        { ...take, item_name: 'default~ssd' },
        { op: 'chooseleaf_indep', num: 0, type: 'rack' },
        emit,
      ],
    },
  ],
};

export const df = {
  pools: [
    {
      name: 'rep',
      id: 1,
      stats: { stored: 25, objects: 4, bytes_used: 24_576, percent_used: 2e-6, max_avail: 4e9 },
    },
  ],
};

export const fsDump = {
  filesystems: [
    {
      id: 1,
      mdsmap: {
        fs_name: 'cephfs',
        flags: 18,
        metadata_pool: 1,
        data_pools: [4, 7],
        max_mds: 2,
        standby_count_wanted: 1,
        max_file_size: 1_099_511_627_776,
        info: {
          gid_1: { state: 'up:active' },
          gid_2: { state: 'up:active', laggy_since: '2026-11-30T21:26:57.594365+0000' },
          gid_3: { state: 'up:standby-replay' },
        },
      },
    },
  ],
};

export const status = {
  fsid: osdDump.fsid,
  health: {
    status: 'HEALTH_WARN',
    checks: {
      OSD_DOWN: {
        severity: 'HEALTH_WARN',
        summary: { message: '1 osds down', count: 1 },
        muted: false,
      },
    },
    mutes: [],
  },
  quorum: [0, 2],
  monmap: { num_mons: 3 },
  osdmap: { num_osds: 3, num_up_osds: 2, num_in_osds: 3 },
  pgmap: { pgs_by_state: [{ state_name: 'active+clean', count: 15 }] },
  mgrmap: { available: false },
};

export const folder = {
  atime: '2026-11-30 21:03:38',
  bytes_pcent: 'undefined',
  bytes_quota: 'infinite',
  bytes_used: 5,
  data_pool: 'cephfs.data',
  gid: 1,
  mode: 0o42_755,
  uid: 2,
};

/** Of a file system with these metadata daemons. */
export const filesystem = (fs_name: string, info: object) => ({
  id: 1,
  mdsmap: { ...fsDump.filesystems[0]?.mdsmap, fs_name, info },
});

export const active = { gid_1: { state: 'up:active' } };

/** To each question of a look, by its prefix, where all is well. */
export const usual: Readonly<Record<string, unknown>> = {
  status: { ...status, mgrmap: { available: true } },
  versions: { mon: { 'ceph version 16.2.15 (x) pacific (stable)': 3 } },
  'osd dump': osdDump,
  'osd crush dump': crushDump,
  'fs dump': { filesystems: [filesystem('one', active), filesystem('two', active)] },
  df,
  'auth ls': { auth_dump: [] },
  'config-key dump': {},
  'fs subvolumegroup ls': [{ name: 'sites' }],
  'fs subvolume ls': [{ name: 'a' }, { name: 'b' }],
  'fs subvolumegroup info': folder,
  'fs subvolume info': { ...folder, state: 'complete', path: '/p', pool_namespace: '' },
};
