import type { Step } from './call.ts';
import type { Command } from './commands.ts';
import { foreignMark } from './marks.ts';
import type { ClusterSeen, ObservedFilesystem } from './observed.ts';
import type { FilesystemSpec } from './spec.ts';
import {
  type Diff,
  type FieldChange,
  fieldOf,
  hold,
  type Obstacle,
  type One,
  operationOf,
  ownerProblem,
} from './unit-parts.ts';

/** Pure. What separates a file system from its document. */
export function diffFilesystem(one: One<FilesystemSpec>): Diff {
  const { spec, seen } = one;
  const live = seen.filesystems.get(spec.name);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  return live === undefined ? made(one) : changed(one, live);
}

/** As `fs new` leaves one, but for what settings of monitors say. */
const FRESH = { maxMds: 1, allowStandbyReplay: false, maxFileSizeBytes: 2 ** 40 } as const;

function made(one: One<FilesystemSpec>): Diff {
  const { spec, seen } = one;
  const { name, metadataPool: metadata, dataPools } = spec;
  const [data = '', ...others] = dataPools;
  const obstacles = [
    ...poolObstacles(one, [metadata, ...dataPools]),
    ...[metadata, data].flatMap((pool) => firstObstacles(pool, seen)),
  ];
  if (obstacles.length > 0) return hold(spec, obstacles);
  const steps: readonly Step[] = [
    { check: 'absent', words: { prefix: 'fs get', fs_name: name } },
    { prefix: 'fs new', fs_name: name, metadata, data },
    ...others.map((pool) => addPool(name, pool)),
    ...settings(spec, FRESH).flatMap(({ commands }) => commands),
  ];
  const fields = [
    fieldOf('metadataPool', undefined, metadata),
    fieldOf('dataPools', undefined, dataPools.join(', ')),
  ];
  return operationOf(one, undefined, { steps, fields });
}

function addPool(filesystem: string, pool: string): Command {
  return { prefix: 'fs add_data_pool', fs_name: filesystem, pool };
}

function changed(one: One<FilesystemSpec>, live: ObservedFilesystem): Diff {
  const { spec } = one;
  const added = spec.dataPools.filter((pool) => !live.dataPools.includes(pool));
  const obstacles = [...immutable(spec, live), ...poolObstacles(one, added)];
  if (obstacles.length > 0) return hold(spec, obstacles);
  const set = settings(spec, live);
  const steps = [
    ...added.map((pool) => addPool(spec.name, pool)),
    ...set.flatMap(({ commands }) => commands),
  ];
  const fields = [
    ...added.map((pool) => fieldOf('dataPools', undefined, pool)),
    ...set.map(({ field }) => field),
  ];
  return operationOf(one, live, { steps, fields });
}

const ANOTHER = 'make a file system of another name, and copy the files';

function immutable(
  { metadataPool, dataPools }: FilesystemSpec,
  live: ObservedFilesystem,
): readonly Obstacle[] {
  const found: string[] = [];
  if (metadataPool !== live.metadataPool) {
    found.push(`its metadata lies in \`${live.metadataPool}\`, and that never changes: ${ANOTHER}`);
  }
  const [first = ''] = dataPools;
  const [now = ''] = live.dataPools;
  if (first !== now) {
    found.push(`its first data pool is \`${now}\`, and that never changes: ${ANOTHER}`);
  }
  const left = live.dataPools.filter((pool) => pool !== now && !dataPools.includes(pool));
  if (left.length > 0) {
    found.push(
      `files may lie in \`${left.join('`, `')}\`, and would be lost with it: move them and take it away by hand, or name it in \`dataPools\``,
    );
  }
  return found.map((why) => ({ why }));
}

/** Pools that are not there yet, or cannot be used. */
function poolObstacles(
  { spec: { name }, seen: cluster, owner }: One<FilesystemSpec>,
  wanted: readonly string[],
): readonly Obstacle[] {
  const { pools, filesystems } = cluster;
  return wanted.flatMap((pool): readonly Obstacle[] => {
    const seen = pools.get(pool);
    const foreign = foreignMark({ what: 'ceph-pool', names: [pool] }, cluster, owner);
    if (foreign !== undefined) return [{ why: `the pool \`${pool}\`: ${foreign}` }];
    if (seen === undefined) return [{ why: `there is no pool \`${pool}\` yet`, waits: true }];
    const user = [...filesystems].find(
      ([other, { metadataPool, dataPools }]) =>
        other !== name && (metadataPool === pool || dataPools.includes(pool)),
    );
    if (user !== undefined) {
      return [{ why: `the pool \`${pool}\` is of the file system \`${user[0]}\`` }];
    }
    if (seen.type === 'erasure' && !seen.flags.has('ec_overwrites')) {
      const why = `the pool \`${pool}\` takes no overwrites: \`overwrites: true\` lets it`;
      return [{ why, waits: true }];
    }
    return [];
  });
}

/** What Ceph takes for metadata, and for files where nobody says otherwise. */
function firstObstacles(pool: string, { pools }: ClusterSeen): readonly Obstacle[] {
  const seen = pools.get(pool);
  if (seen === undefined) return [];
  if (seen.type === 'erasure') {
    return [
      { why: `\`${pool}\` is erasure coded: metadata and the first data pool are replicated` },
    ];
  }
  const objects = seen.usage?.objects ?? 0;
  if (objects === 0) return [];
  return [
    { why: `the pool \`${pool}\` has ${String(objects)} objects in it, and has to be empty` },
  ];
}

type Settings = Partial<
  Pick<
    ObservedFilesystem,
    'maxMds' | 'standbyCountWanted' | 'allowStandbyReplay' | 'maxFileSizeBytes'
  >
>;

function settings(spec: FilesystemSpec, live: Settings): readonly FieldChange[] {
  const { name } = spec;
  const set = (
    variable: Extract<Command, { prefix: 'fs set' }>['var'],
    now: number | boolean | undefined,
    wanted: number | boolean | undefined,
  ): readonly FieldChange[] => {
    if (wanted === undefined || now === wanted) return [];
    const command: Command = {
      prefix: 'fs set',
      fs_name: name,
      var: variable,
      val: String(wanted),
    };
    return [{ field: fieldOf(variable, now, wanted), commands: [command] }];
  };
  return [
    ...set('max_mds', live.maxMds, spec.activeCount),
    ...set('standby_count_wanted', live.standbyCountWanted, spec.standbyCountWanted),
    ...set('allow_standby_replay', live.allowStandbyReplay, spec.allowStandbyReplay),
    ...set('max_file_size', live.maxFileSizeBytes, spec.maxFileSize),
  ];
}
