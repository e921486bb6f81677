import { fileURLToPath } from 'node:url';
import { join, resolve } from 'node:path';
import { type CephPlace, cephPlaceOf } from './ceph/place.ts';
import { type RouterPlace, routerPlaceOf } from './mysql/router-place.ts';
import { type DatabasePlan, databasesOf, type MysqlShape } from './mysql/shape.ts';

/** What a caller may choose about a stage; everything has a default. */
export interface StageOptions {
  /** Prefix of everything that is made: namespaces, links, cgroups. One to six small letters or digits. */
  readonly name?: string;
  /** The stage's own network, `a.b.c.0/24`. */
  readonly subnet?: string;
  /** Where the stage keeps its data; it is removed as a whole. */
  readonly folder?: string;
  /** Where unpacked Debian packages are kept between runs. */
  readonly packages?: string;
  /** 1, 3 or 5. */
  readonly managers?: number;
  /** 0 to 4. */
  readonly workers?: number;
  /** The Debian suite whose engine runs, such as `trixie`; default: the machine's own. */
  readonly engine?: string;
  /** Which database servers there are; default: none. */
  readonly mysql?: MysqlShape | undefined;
  /** Whether a MySQL Router stands before the group; default: none. Other servers never have one. */
  readonly router?: boolean;
  /** Whether there is a cluster of Ceph; default: none. */
  readonly ceph?: boolean;
}

/** One engine's host. */
export interface HostPlan {
  readonly name: string;
  readonly role: 'manager' | 'worker';
  readonly address: string;
  /** Its network namespace, as under /run/netns. */
  readonly namespace: string;
  readonly folder: string;
  readonly socket: string;
}

/** Every name, address and path of a stage, fixed before anything is made. */
export interface StagePlan {
  readonly name: string;
  readonly subnet: string;
  readonly folder: string;
  readonly packages: string;
  /** The suite of the engines; undefined: the machine's own. */
  readonly engine: string | undefined;
  readonly hosts: readonly HostPlan[];
  readonly mysql: MysqlShape | undefined;
  readonly databases: readonly DatabasePlan[];
  /** What leads sites to the primary of the group; absent: there is none. */
  readonly router?: RouterPlace;
  /** The cluster of Ceph; absent: there is none. */
  readonly ceph?: CephPlace;
  /** The machine's own address in the stage's network, on the link `<name>0`. */
  readonly gateway: string;
  readonly link: string;
  readonly depot: { readonly address: string; readonly namespace: string; readonly folder: string };
  /** Host and port of the registry. */
  readonly registry: string;
  readonly repositoryUrl: string;
  /** The namespace that holds the bridge. */
  readonly switchNamespace: string;
  /** As engines name it, from the root of every cgroup hierarchy. */
  readonly cgroup: string;
}

/** The options are wrong: the message is a sentence for the person who gave them. */
export class StageOptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StageOptionError';
  }
}

/** Pure. The folder of the project that this file belongs to. */
export const projectFolder = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Pure. Where unpacked packages are kept if nothing else was asked for. */
export const usualPackages = join(projectFolder, '.rehearsal', 'packages');

/** Pure. Where stages live if nothing else was asked for. */
export const stagesFolder = '/var/lib/understudy-rehearsal';

/** Pure. Names, addresses and paths of a stage. Throws `StageOptionError`. */
export function planStage(options: StageOptions): StagePlan {
  const name = options.name ?? 'us';
  // A link's name has at most 15 characters, and ours carry a suffix.
  if (!/^[a-z][a-z0-9]{0,5}$/.test(name)) {
    throw new StageOptionError(
      `the name \`${name}\` is not one to six small letters and digits, beginning with a letter`,
    );
  }
  const subnet = options.subnet ?? '10.213.77.0/24';
  const network = networkOf(subnet);
  const folder = resolve(options.folder ?? join(stagesFolder, name));
  // A socket's path has at most 107 characters, and containerd's lie deep below.
  if (folder.length > 60) throw new StageOptionError(`the folder's path is too long: ${folder}`);
  if (
    !/^(\/[A-Za-z0-9._-]+){2,}$/.test(folder) ||
    /^\/(run|var\/run|proc|sys|dev)\//.test(folder)
  ) {
    throw new StageOptionError(`the folder must lie two levels deep, on a disk: ${folder}`);
  }
  const managers = options.managers ?? 3;
  const workers = options.workers ?? 1;
  if (![1, 3, 5].includes(managers)) throw new StageOptionError('managers must be 1, 3 or 5');
  if (!Number.isInteger(workers) || workers < 0 || workers > MOST.workers) {
    throw new StageOptionError('workers must be 0 to 4');
  }
  const packages = resolve(options.packages ?? usualPackages);
  // Lists of folders are divided by colons or semicolons, and the settings of apt and sshd know no way to quote the rest.
  if (/[:;"\\$%\p{Cc}]/u.test(packages)) {
    throw new StageOptionError(
      `the path of the packages must hold none of : ; " \\ $ %, choose another folder with --packages: ${packages}`,
    );
  }
  const { engine } = options;
  if (engine !== undefined && !/^[a-z]{1,20}$/.test(engine)) {
    throw new StageOptionError(`the engine \`${engine}\` is not the name of a Debian suite`);
  }
  const depotAddress = `${network}.2`;
  return {
    name,
    subnet,
    folder,
    packages,
    engine,
    hosts: hostsOf({ name, network, folder, managers, workers }),
    mysql: options.mysql,
    databases: databasesOf(options.mysql, { name, network, folder }),
    ...(options.router === true &&
      options.mysql === 'group' && { router: routerPlaceOf({ name, network, folder }) }),
    ...(options.ceph === true && { ceph: cephPlaceOf({ name, network, folder }) }),
    gateway: `${network}.1`,
    link: `${name}0`,
    depot: { address: depotAddress, namespace: `${name}-depot`, folder: join(folder, 'depot') },
    registry: `${depotAddress}:5000`,
    repositoryUrl: `ssh://git@${depotAddress}/infra.git`,
    switchNamespace: `${name}-switch`,
    cgroup: `/understudy-${name}`,
  };
}

/** Pure. What has an address of its own. */
export function endsOf(
  plan: StagePlan,
): readonly { readonly namespace: string; readonly address: string }[] {
  return [
    plan.depot,
    ...plan.hosts,
    ...plan.databases,
    ...(plan.router === undefined ? [] : [plan.router]),
    ...(plan.ceph === undefined ? [] : [plan.ceph]),
  ];
}

/** Pure. Every network namespace of the stage. */
export function namespacesOf(plan: StagePlan): readonly string[] {
  const ends = endsOf(plan);
  return [plan.switchNamespace, ...ends.map((one) => one.namespace)];
}

/** Most that a stage may have. */
const MOST = { managers: 5, workers: 4 } as const;

/** Pure. The same, and all others that the stage may have had: whoever removes it need not know what it was. */
export function possibleNamespacesOf(plan: StagePlan): readonly string[] {
  const unknown = { ...plan, network: '' };
  return namespacesOf({
    ...plan,
    hosts: hostsOf({ ...unknown, ...MOST }),
    databases: databasesOf('group', unknown),
    router: routerPlaceOf(unknown),
    ceph: cephPlaceOf(unknown),
  });
}

/**
 * Pure. What everything that is started for a stage has in its environment: it tells a process of the stage also where
 * the namespaces do not, because they were made inside another mount namespace.
 */
export function markOf(plan: StagePlan): { readonly REHEARSAL_STAGE: string } {
  return { REHEARSAL_STAGE: plan.folder };
}

/** Pure. Whether two networks in `a.b.c.d/n` form share an address. Anything else shares none. */
export function overlaps(left: string, right: string): boolean {
  const a = rangeOf(left);
  const b = rangeOf(right);
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last;
}

function networkOf(subnet: string): string {
  const match = /^((?:\d{1,3}\.){2}\d{1,3})\.0\/24$/.exec(subnet);
  if (match?.[1] === undefined || rangeOf(subnet) === undefined) {
    throw new StageOptionError(`the subnet \`${subnet}\` is not of the form a.b.c.0/24`);
  }
  return match[1];
}

function hostsOf(wanted: {
  name: string;
  network: string;
  folder: string;
  managers: number;
  workers: number;
}): readonly HostPlan[] {
  const host = (role: HostPlan['role'], index: number): HostPlan => {
    const name = `${role === 'manager' ? 'm' : 'w'}${index + 1}`;
    return {
      name,
      role,
      address: `${wanted.network}.${(role === 'manager' ? 11 : 21) + index}`,
      namespace: `${wanted.name}-${name}`,
      folder: join(wanted.folder, name),
      socket: join(wanted.folder, name, 'docker.sock'),
    };
  };
  return [
    ...Array.from({ length: wanted.managers }, (_, index) => host('manager', index)),
    ...Array.from({ length: wanted.workers }, (_, index) => host('worker', index)),
  ];
}

function rangeOf(network: string): { first: number; last: number } | undefined {
  const [address = '', bits = '32'] = network.split('/');
  const bytes = address.split('.').map(Number);
  const size = Number(bits);
  const whole =
    bytes.length === 4 && bytes.every((one) => Number.isInteger(one) && one >= 0 && one < 256);
  if (!whole || !Number.isInteger(size) || size < 0 || size > 32) return undefined;
  const value = bytes.reduce((sum, one) => sum * 256 + one, 0);
  const span = 2 ** (32 - size);
  const first = value - (value % span);
  return { first, last: first + span - 1 };
}
