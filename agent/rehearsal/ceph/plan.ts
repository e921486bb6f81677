import { join } from 'node:path';
import { StageError } from '../run.ts';

/** What a caller chooses about a cluster. */
export interface ClusterOptions {
  /** Absolute, and ours alone. */
  readonly folder: string;
  readonly address: string;
  /** Name of the network namespace that has the address. Absent: the machine's. */
  readonly namespace?: string;
  /** One for each monitor; 1 or 3. The other daemons take free ones from 6800 on. */
  readonly ports: readonly number[];
  /** A file system to begin with. Absent: none, and no daemon for one. */
  readonly filesystem?: string;
  /** Its daemons outlive this process. Absent: they end with it. */
  readonly lasting?: Lasting;
}

/** How daemons are found that outlive who started them. */
export interface Lasting {
  /** Variables of their environment. */
  readonly mark: Readonly<Record<string, string>>;
  /** The folder of files that name their processes: `ceph-osd.0`. */
  readonly pids: string;
}

/** What is drawn by chance, once for each cluster. UUIDs. */
export interface Identities {
  readonly fsid: string;
  readonly stores: readonly string[];
}

/** One daemon: its kind and its id are its name, such as `osd.0`. */
export interface DaemonPlan {
  readonly name: string;
  readonly kind: 'mon' | 'mgr' | 'osd' | 'mds';
  readonly id: string;
  /** It keeps its data there. */
  readonly data: string;
  readonly keyring: string;
  readonly log: string;
}

/** Every name, address and path of a cluster, fixed before anything is made. */
export interface ClusterPlan extends ClusterOptions {
  readonly identities: Identities;
  readonly monitors: readonly (DaemonPlan & { readonly port: number })[];
  readonly manager: DaemonPlan;
  /** Each is a host of its own for the rules that place data. */
  readonly osds: readonly (DaemonPlan & { readonly uuid: string; readonly host: string })[];
  readonly metadata: DaemonPlan | undefined;
  readonly confFile: string;
  /** With the administrator's key. */
  readonly adminKeyring: string;
  /** What the monitors begin with; removed after that. */
  readonly firstKeyring: string;
  readonly monmap: string;
  /** Links to the modules that the manager daemon loads. */
  readonly modules: string;
}

/** Three hosts: what the usual rule needs to place three copies. */
export const OSDS = 3;

/** A unix socket's name may be no longer. Bytes, without the one that ends it. */
const SOCKET_BYTES_MAX = 107;

/** Pure. Throws `StageError` where the options allow no cluster. */
export function planCluster(options: ClusterOptions, identities: Identities): ClusterPlan {
  const { folder, ports, filesystem } = options;
  if (![1, 3].includes(ports.length)) throw new StageError('a cluster has 1 or 3 monitors');
  if (new Set(ports).size !== ports.length) {
    throw new StageError('each monitor needs a port of its own');
  }
  if (!/^\/[A-Za-z0-9._/-]+$/.test(folder)) {
    throw new StageError(`the folder's path must hold letters, digits and ._- only: ${folder}`);
  }
  if (Buffer.byteLength(socketOf(folder, 'client.admin')) > SOCKET_BYTES_MAX) {
    throw new StageError(`the path is too long for a socket: ${folder}`);
  }
  if (filesystem !== undefined && !/^[a-z][a-z0-9-]{0,30}$/.test(filesystem)) {
    throw new StageError(`\`${filesystem}\` is no name of a file system`);
  }
  const daemon = (kind: DaemonPlan['kind'], id: string): DaemonPlan => daemonOf(folder, kind, id);
  return {
    ...options,
    identities,
    monitors: ports.map((port, at) => ({ ...daemon('mon', 'abc'.charAt(at)), port })),
    manager: daemon('mgr', 'x'),
    osds: identities.stores.map((uuid, at) => ({
      ...daemon('osd', String(at)),
      uuid,
      host: `host${at}`,
    })),
    metadata: filesystem === undefined ? undefined : daemon('mds', 'a'),
    confFile: join(folder, 'ceph.conf'),
    adminKeyring: join(folder, 'admin.keyring'),
    firstKeyring: join(folder, 'first.keyring'),
    monmap: join(folder, 'monmap'),
    modules: join(folder, 'modules'),
  };
}

function daemonOf(folder: string, kind: DaemonPlan['kind'], id: string): DaemonPlan {
  const name = `${kind}.${id}`;
  // Beside its data: a monitor makes a store in an empty folder only.
  const keyring = join(folder, `${name}.keyring`);
  return { name, kind, id, data: join(folder, name), keyring, log: join(folder, `${name}.log`) };
}

/** Pure. In the order in which they are started. */
export function daemonsOf(plan: ClusterPlan): readonly DaemonPlan[] {
  const { monitors, manager, osds, metadata } = plan;
  return [...monitors, manager, ...osds, ...(metadata === undefined ? [] : [metadata])];
}

/** Pure. Where a daemon listens for the machine's own administrator. */
export function socketOf(folder: string, name: string): string {
  return join(folder, `${name}.asok`);
}

/** Pure. A monitor's address as Ceph writes it. */
export function monitorAddress({ address }: ClusterPlan, port: number): string {
  return `[v2:${address}:${port}]`;
}
