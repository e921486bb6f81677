import { join } from 'node:path';
import { type ClusterPlan, monitorAddress, socketOf } from './plan.ts';

type Section = Readonly<Record<string, string | number | boolean>>;

/** The modules that a manager daemon always has on, and what they import. With one less the cluster is not healthy. */
export const managerModules = [
  'mgr_module.py',
  'mgr_util.py',
  'balancer',
  'crash',
  'devicehealth',
  'orchestrator',
  'pg_autoscaler',
  'progress',
  'rbd_support',
  'status',
  'telemetry',
  'volumes',
] as const;

/**
 * Pure. What all daemons and clients read. Whether pools may be deleted is not here: a file beats what is set in the running
 * cluster, and what is set is what people look at. `libraries`: absolute folder with Ceph's own.
 */
export function confText(plan: ClusterPlan, libraries: string): string {
  const sections: readonly (readonly [string, Section])[] = [
    ['global', { ...place(plan, libraries), ...pools, ...pace }],
    ['mon', monitor(plan)],
    ['mgr', { mgr_data: plan.manager.data, mgr_module_path: plan.modules }],
    ['osd', { osd_data: join(plan.folder, 'osd.$id'), ...store }],
    ['mds', { mds_data: join(plan.folder, 'mds.$id'), ...metadata }],
    ...plan.osds.map(({ name, host }): readonly [string, Section] => [
      name,
      { crush_location: `root=default host=${host}` },
    ]),
    // A client has no file and no socket of its own: it may be somebody who may not write here.
    ['client', { keyring: plan.adminKeyring, log_file: '/dev/null', admin_socket: '' }],
  ];
  return sections.map(([title, section]) => sectionText(title, section)).join('\n');
}

function sectionText(title: string, section: Section): string {
  const lines = Object.entries(section).map(([key, value]) => `${key} = ${String(value)}\n`);
  return [`[${title}]\n`, ...lines].join('');
}

function place(plan: ClusterPlan, libraries: string): Section {
  const { folder, address, identities, monitors } = plan;
  return {
    fsid: identities.fsid,
    mon_host: monitors.map(({ port }) => monitorAddress(plan, port)).join(','),
    auth_cluster_required: 'cephx',
    auth_service_required: 'cephx',
    auth_client_required: 'cephx',
    auth_allow_insecure_global_id_reclaim: false,
    keyring: join(folder, '$name.keyring'),
    run_dir: folder,
    admin_socket: socketOf(folder, '$name'),
    log_file: join(folder, '$name.log'),
    pid_file: '',
    crash_dir: folder,
    log_to_stderr: false,
    err_to_stderr: true,
    ms_bind_ipv4: true,
    ms_bind_ipv6: false,
    ms_bind_msgr1: false,
    public_addr: address,
    // What is built in lies in folders that exist on no machine without the packages.
    plugin_dir: join(libraries, 'ceph'),
    erasure_code_dir: join(libraries, 'ceph/erasure-code'),
    osd_class_dir: join(libraries, 'rados-classes'),
  };
}

/** Small, and free to be wrong on purpose. */
const pools: Section = {
  osd_pool_default_size: 3,
  // Half of the copies and one more.
  osd_pool_default_min_size: 0,
  osd_pool_default_pg_num: 8,
  osd_pool_default_pgp_num: 8,
  osd_pool_default_pg_autoscale_mode: 'on',
  mon_allow_pool_size_one: true,
  mon_max_pg_per_osd: 2000,
  mon_pg_warn_min_per_osd: 0,
  mon_warn_on_pool_no_redundancy: false,
};

/** Seconds. As quick as one machine can be: the usual values are for networks and disks of a data centre. */
const pace: Section = {
  ms_async_op_threads: 1,
  log_max_recent: 100,
  paxos_propose_interval: 0.05,
  paxos_min_wait: 0.01,
  mgr_tick_period: 1,
  mgr_stats_period: 1,
  mds_beacon_interval: 1,
  osd_mon_report_interval: 1,
  osd_heartbeat_interval: 2,
  osd_heartbeat_grace: 6,
  mon_osd_min_down_reporters: 1,
  mon_osd_down_out_interval: 600,
  mon_election_timeout: 0.5,
  mon_lease: 3,
  mon_tick_interval: 1,
  mon_clock_drift_allowed: 1,
  mon_data_avail_warn: 1,
  mon_data_avail_crit: 0,
};

function monitor({ folder, monitors }: ClusterPlan): Section {
  return {
    mon_data: join(folder, 'mon.$id'),
    mon_initial_members: monitors.map(({ id }) => id).join(','),
    mon_cluster_log_file: join(folder, 'cluster.log'),
    mgr_initial_modules: '',
    mon_memory_autotune: false,
    rocksdb_cache_size: 8 * 2 ** 20,
  };
}

const store: Section = {
  // Of the others none keeps its data over a kill and overwrites erasure-coded objects.
  osd_objectstore: 'bluestore',
  osd_crush_update_on_start: true,
  osd_op_num_shards: 1,
  osd_op_num_threads_per_shard: 2,
  osd_max_object_name_len: 460,
  osd_max_object_namespace_len: 64,
  osd_map_cache_size: 20,
  osd_memory_target: 939_524_096,
  osd_numa_auto_affinity: false,
  bluestore_block_size: 4 * 2 ** 30,
  bluestore_block_db_create: false,
  bluestore_block_wal_create: false,
  bluestore_fsck_on_mount: false,
  bluestore_cache_autotune: false,
  bluestore_cache_size: 16 * 2 ** 20,
  bluestore_rocksdb_options:
    'compression=kNoCompression,max_write_buffer_number=4,min_write_buffer_number_to_merge=1,write_buffer_size=4194304,max_background_jobs=2,max_total_wal_size=16777216',
};

const metadata: Section = {
  mds_cache_memory_limit: 64 * 2 ** 20,
  // The usual 45 s would hold up everything after a lost daemon.
  mds_reconnect_timeout: 3,
};
