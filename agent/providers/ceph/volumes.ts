import { type Ask, unlessAbsent, unlessOwn, Unseen } from './asking.ts';
import type { DetailsLook } from './details.ts';
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
  /** What was read of single subvolumes before. */
  readonly details: DetailsLook;
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
      const seen = await lookAt({ ask, details: known.details }, name, own);
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

interface Asking {
  readonly ask: Ask;
  readonly details: DetailsLook;
}

async function lookAt(
  asking: Asking,
  filesystem: string,
  places: readonly Place[],
): Promise<VolumesSight> {
  try {
    return { status: 'seen', groups: await readFilesystem(asking, filesystem, places) };
  } catch (error) {
    if (error instanceof Unseen) return error.sight;
    throw error;
  }
}

async function readFilesystem(
  { ask, details }: Asking,
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
    const read = await unlessOwn(
      readGroup({ ask, details }, { filesystem, group }, new Set(subvolumes)),
    );
    const seen = 'why' in read ? { unread: read.why } : read.value;
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
  { ask, details: known }: Asking,
  { filesystem, group }: Group,
  wanted: ReadonlySet<string>,
): Promise<ObservedGroup | undefined> {
  const words = {
    vol_name: filesystem,
    // Nobody may name the group of those that are in none.
    ...(group !== NO_GROUP && { group_name: group }),
  };
  const listed = await unlessAbsent(
    ask({ ...QUESTION, words: { prefix: 'fs subvolume ls', ...words }, shape: Names }),
  );
  if (listed === undefined) return undefined;
  const details = group === NO_GROUP ? undefined : await readDetails(ask, words);
  const subvolumes = new Map<string, ObservedSubvolume | undefined>(
    listed.map(({ name }) => [name, undefined]),
  );
  await eachOf(
    [...subvolumes.keys()].filter((name) => wanted.has(name)),
    async (subvolume) => {
      const spot = { filesystem, group, subvolume };
      const before = known.get(spot);
      const read =
        before === 'ask' ? await readSubvolume(ask, { ...words, sub_name: subvolume }) : before;
      if (before === 'ask') known.put(spot, read);
      // There was no time: that it is there is known all the same.
      if (read === undefined && before === 'ask') subvolumes.delete(subvolume);
      else subvolumes.set(subvolume, read);
    },
  );
  return { ...details, subvolumes };
}

const QUESTION = { to: 'mgr', caps: CAPS } as const;

async function readDetails(
  ask: Ask,
  words: Readonly<Record<string, string>>,
): Promise<Pick<ObservedGroup, 'details' | 'unread'>> {
  const question = { ...QUESTION, words: { prefix: 'fs subvolumegroup info', ...words } };
  const read = await unlessOwn(unlessAbsent(ask({ ...question, shape: GroupInfo })));
  if ('why' in read) return { unread: read.why };
  return read.value === undefined ? {} : { details: folderIn(read.value) };
}

/** Undefined: it is not there any more. One that is broken says nothing about the others. */
async function readSubvolume(
  ask: Ask,
  words: Readonly<Record<string, string>>,
): Promise<ObservedSubvolume | undefined> {
  const question = { ...QUESTION, words: { prefix: 'fs subvolume info', ...words } };
  const read = await unlessOwn(unlessAbsent(ask({ ...question, shape: SubvolumeInfo })));
  if ('why' in read) return { state: 'unread', why: read.why };
  return read.value && subvolumeIn(read.value);
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
