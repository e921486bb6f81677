import { type Ask, unlessAbsent, Unseen } from './asking.ts';
import {
  NO_GROUP,
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

/** Looks at parts of file systems that are there. Rejects with the signal's reason. */
export async function readVolumes(
  ask: Ask,
  places: readonly Place[],
  filesystems: ReadonlySet<string>,
): Promise<VolumesSight> {
  const wanted = [...new Set(places.map(({ filesystem }) => filesystem))].filter((name) =>
    filesystems.has(name),
  );
  try {
    const groups = new Map<string, ReadonlyMap<string, ObservedGroup>>();
    for (const name of wanted) {
      const own = places.filter(({ filesystem }) => filesystem === name);
      groups.set(name, await readFilesystem(ask, name, own));
    }
    return { status: 'seen', groups };
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
