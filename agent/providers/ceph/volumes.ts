import { type Ask, unlessAbsent, Unseen } from './asking.ts';
import {
  type Daemons,
  NO_GROUP,
  type ObservedFilesystem,
  type ObservedGroup,
  type ObservedSubvolume,
  type Place,
  type VolumesSight,
} from './observed.ts';
import { GroupInfo, Names, SubvolumeInfo } from './shapes.ts';
import { folderIn, subvolumeIn } from './states.ts';

const CAPS = "mgr 'allow module volumes r'";
/** Questions at once: the manager daemon answers them one after the other. */
const AT_ONCE = 4;

/** What is known before anybody is asked. */
export interface Known {
  readonly filesystems: ReadonlyMap<string, ObservedFilesystem>;
  readonly daemons: Daemons;
}

/**
 * Looks at parts of file systems that are there, by file system. Whoever would not answer is not asked: that would hang, and all that
 * is under way with it. Rejects with the signal's reason.
 */
export async function readVolumes(
  ask: Ask,
  places: readonly Place[],
  known: Known,
): Promise<ReadonlyMap<string, VolumesSight>> {
  const sights = new Map<string, VolumesSight>();
  let blocked: VolumesSight | undefined;
  for (const name of new Set(places.map(({ filesystem }) => filesystem))) {
    const filesystem = known.filesystems.get(name);
    if (filesystem === undefined) continue;
    const own = places.filter((place) => place.filesystem === name);
    const sight = blocked ?? silence(name, filesystem, known.daemons);
    if (sight === undefined) {
      const seen = await lookAt(ask, name, own);
      sights.set(name, seen);
      // One that hangs holds up the manager daemon for all.
      if (seen.status === 'away') blocked = seen;
    } else {
      sights.set(name, sight);
    }
  }
  return sights;
}

/** Pure. Why nobody would answer. */
function silence(
  name: string,
  { active }: ObservedFilesystem,
  { managerAvailable }: Daemons,
): VolumesSight | undefined {
  if (!managerAvailable) return { status: 'away', why: 'Ceph has no active manager daemon' };
  if (active > 0) return undefined;
  return { status: 'away', why: `the file system \`${name}\` has no active metadata daemon` };
}

async function lookAt(
  ask: Ask,
  filesystem: string,
  places: readonly Place[],
): Promise<VolumesSight> {
  try {
    return { status: 'seen', groups: await readFilesystem(ask, filesystem, places) };
  } catch (error) {
    if (error instanceof Unseen) return error.sight;
    throw error;
  }
}

async function readFilesystem(
  ask: Ask,
  filesystem: string,
  places: readonly Place[],
): Promise<ReadonlyMap<string, ObservedGroup>> {
  const listed = await unlessAbsent(
    ask({
      to: 'mgr',
      words: { prefix: 'fs subvolumegroup ls', vol_name: filesystem },
      shape: Names,
      caps: CAPS,
    }),
  );
  const names = (listed ?? []).map(({ name }) => name);
  const groups = new Map<string, ObservedGroup>(names.map((name) => [name, {}]));
  const wanted = new Set(places.flatMap(({ group }) => (group === undefined ? [] : [group])));
  for (const group of wanted) {
    if (group !== NO_GROUP && !groups.has(group)) continue;
    const subvolumes = places.flatMap((place) =>
      place.group === group && place.subvolume !== undefined ? [place.subvolume] : [],
    );
    const seen = await readGroup(ask, { filesystem, group }, new Set(subvolumes));
    if (seen === undefined) groups.delete(group);
    else groups.set(group, seen);
  }
  return groups;
}

interface Group {
  readonly filesystem: string;
  readonly group: string;
}

/** Undefined: it is not there any more. */
async function readGroup(
  ask: Ask,
  { filesystem, group }: Group,
  wanted: ReadonlySet<string>,
): Promise<ObservedGroup | undefined> {
  const words = {
    vol_name: filesystem,
    // Nobody may name the group of those that are in none.
    ...(group !== NO_GROUP && { group_name: group }),
  };
  const question = { to: 'mgr' as const, caps: CAPS };
  const listed = await unlessAbsent(
    ask({ ...question, words: { prefix: 'fs subvolume ls', ...words }, shape: Names }),
  );
  if (listed === undefined) return undefined;
  const details =
    group === NO_GROUP
      ? undefined
      : await unlessAbsent(
          ask({ ...question, words: { prefix: 'fs subvolumegroup info', ...words }, shape: GroupInfo }), // prettier-ignore
        );
  const subvolumes = new Map<string, ObservedSubvolume | undefined>(
    listed.map(({ name }) => [name, undefined]),
  );
  await eachOf(
    [...subvolumes.keys()].filter((name) => wanted.has(name)),
    async (name) => {
      const info = await unlessAbsent(
        ask({
          ...question,
          words: { prefix: 'fs subvolume info', ...words, sub_name: name },
          shape: SubvolumeInfo,
        }),
      );
      if (info === undefined) subvolumes.delete(name);
      else subvolumes.set(name, subvolumeIn(info));
    },
  );
  return { ...(details && { details: folderIn(details) }), subvolumes };
}

async function eachOf<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
