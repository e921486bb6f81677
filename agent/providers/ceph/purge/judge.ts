import type { Id } from '../../../core/kind.ts';
import { type PurgeGround, purgeOwner } from '../../../core/purge.ts';
import { type MarkOn, marksOn } from '../marks.ts';
import { entityOf, namedBy, thingKey, wordsOf } from '../named.ts';
import { type ClusterSeen, NO_GROUP } from '../observed.ts';
import type { PurgePlace, PurgeThing } from './thing.ts';
import { usersOf } from './users.ts';

/** All that is looked at before a person may delete something. */
export interface ThingLook {
  readonly seen: ClusterSeen;
  /** Of a subvolume. */
  readonly snapshots: readonly string[];
  /** Monitors let pools be deleted; undefined: they do not tell. */
  readonly poolsMayGo?: boolean;
  /** Daemons may take the file system up; false: somebody took it down, such as an earlier purge. */
  readonly isJoinable: boolean;
}

/** Whether it is there; `unknown`, and why. */
export type Presence = 'there' | 'gone' | { readonly unknown: string };

/** Pure. Why it stays, by what the repository has; undefined: neither it nor anything in it has a document. */
export function keptInGit(place: PurgePlace, { units }: PurgeGround): string | undefined {
  const key = thingKey(place);
  for (const id of units) {
    const named = namedBy(id);
    if (named === undefined || (named.cluster ?? place.cluster) !== place.cluster) continue;
    if (thingKey(named) === key) {
      return `its document is in the repository, or about to leave it (\`${id}\`)`;
    }
    if (isIn(place, named.names)) return `\`${id}\` is in it`;
  }
  return undefined;
}

/** Pure. Whether a folder with these names lies in it. */
function isIn({ what, names }: PurgeThing, inner: readonly string[]): boolean {
  if (what !== 'ceph-filesystem' && what !== 'ceph-subvolume-group') return false;
  return inner.length > names.length && names.every((name, at) => inner[at] === name);
}

/** Pure. Why it is not to go now; empty: it may. */
export function refusalsOf(
  place: PurgePlace,
  look: ThingLook,
  ground: PurgeGround,
): readonly string[] {
  const git = keptInGit(place, ground);
  const presence = presenceOf(place, look.seen);
  return [
    ...(git === undefined ? [] : [git]),
    ...markRefusals(place, look.seen, ground.environment),
    ...(typeof presence === 'string'
      ? []
      : [`whether it is there is not known: ${presence.unknown}`]),
    ...(presence === 'there' ? contentRefusals(place, look, ground) : []),
    ...clientRefusals(place, look.seen, ground),
  ];
}

/** Pure. Whether it is there, by one look. */
export function presenceOf({ what, names }: PurgeThing, seen: ClusterSeen): Presence {
  const [first = '', second = '', third = ''] = names;
  if (what === 'ceph-pool') return seen.pools.has(first) ? 'there' : 'gone';
  if (!seen.filesystems.has(first)) return 'gone';
  if (what === 'ceph-filesystem') return 'there';
  const sight = seen.volumes.get(first);
  if (sight?.status !== 'seen') return { unknown: sight?.why ?? 'it was not looked at' };
  const group = sight.groups.get(second);
  if (group === undefined) return 'gone';
  if (group.unread !== undefined) return { unknown: group.unread };
  if (what === 'ceph-subvolume-group') return 'there';
  if (group.subvolumes === undefined) return { unknown: 'the subvolumes are not listed' };
  return group.subvolumes.has(third) ? 'there' : 'gone';
}

function ownerOf(mark: MarkOn['mark']): string | undefined {
  return mark === 'unreadable' ? undefined : mark.owner;
}

function markRefusals(
  place: PurgePlace,
  seen: ClusterSeen,
  environment: string,
): readonly string[] {
  const marks = marksOn(place, seen);
  if (marks.length === 0) {
    return [
      'the cluster does not note it as ours: understudy neither made it nor took it over; who wants it gone deletes it by hand',
    ];
  }
  const ours = [environment, purgeOwner(environment)];
  return marks.flatMap(({ mark }) => {
    const owner = ownerOf(mark);
    if (owner === undefined) return ['what the cluster keeps about whose it is is not understood'];
    if (ours.includes(owner)) return [];
    return [`the cluster says that it belongs to \`${owner}\`: purge it where that is`];
  });
}

/** What is in it, or stands on it. */
function contentRefusals(
  place: PurgePlace,
  look: ThingLook,
  ground: PurgeGround,
): readonly string[] {
  switch (place.what) {
    case 'ceph-pool':
      return poolRefusals(place, look);
    case 'ceph-filesystem':
      return filesystemRefusals(place, look, ground);
    case 'ceph-subvolume-group':
      return inIt('subvolumes', [...(groupOf(place, look.seen)?.subvolumes?.keys() ?? [])]);
    case 'ceph-subvolume':
      return subvolumeRefusals(place, look);
  }
}

function poolRefusals({ names: [name = ''] }: PurgePlace, look: ThingLook): readonly string[] {
  const systems = [...look.seen.filesystems].flatMap(([system, { metadataPool, dataPools }]) =>
    [metadataPool, ...dataPools].includes(name) ? [system] : [],
  );
  return [
    ...systems.map((system) => `the file system \`${system}\` lies in it`),
    ...(look.poolsMayGo === false
      ? [
          'monitors let no pool be deleted: open that with `ceph config set mon mon_allow_pool_delete true`, and close it again afterwards',
        ]
      : []),
  ];
}

function filesystemRefusals(
  place: PurgePlace,
  look: ThingLook,
  { environment }: PurgeGround,
): readonly string[] {
  const [name = ''] = place.names;
  const sight = look.seen.volumes.get(name);
  if (sight?.status !== 'seen') {
    // An earlier purge that had taken it down had looked before.
    const taken = marksOn(place, look.seen).every(
      ({ mark }) => ownerOf(mark) === purgeOwner(environment),
    );
    if (taken && !look.isJoinable) return [];
    return [`what is in it is not known: ${sight?.why ?? 'it was not looked at'}`];
  }
  const loose = sight.groups.get(NO_GROUP);
  const groups = [...sight.groups.keys()].filter((group) => group !== NO_GROUP);
  return [
    ...inIt('groups', groups),
    ...(loose?.unread === undefined
      ? inIt('subvolumes', [...(loose?.subvolumes?.keys() ?? [])])
      : [`what is in it is not known: ${loose.unread}`]),
  ];
}

function subvolumeRefusals(place: PurgePlace, look: ThingLook): readonly string[] {
  const [, , name = ''] = place.names;
  const one = groupOf(place, look.seen)?.subvolumes?.get(name);
  if (one === undefined) return ['Ceph did not say more of it than that it is there'];
  if (one.state === 'unread') return [`how it stands is not known: ${one.why}`];
  if (one.state === 'other')
    return [`it is \`${one.called}\`: Ceph is not done with it, or keeps its snapshots alone`];
  return inIt('snapshots', look.snapshots);
}

function groupOf({ names: [system = '', group = ''] }: PurgePlace, seen: ClusterSeen) {
  const sight = seen.volumes.get(system);
  return sight?.status === 'seen' ? sight.groups.get(group) : undefined;
}

const SHOWN_MAX = 5;

function inIt(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, SHOWN_MAX).map((name) => `\`${name}\``);
  const more = names.length > SHOWN_MAX ? ` and ${String(names.length - SHOWN_MAX)} more` : '';
  return [`there are ${what} in it: ${shown.join(', ')}${more}`];
}

/** Of units that are in the repository: who took the folder out and left the client in has forgotten one of the two. */
function clientRefusals(
  place: PurgePlace,
  seen: ClusterSeen,
  { units }: PurgeGround,
): readonly string[] {
  const { clients } = seen;
  if (clients === undefined) {
    return [`who has rights on it is not known: ${seen.clientsUnread?.why ?? 'nobody asked'}`];
  }
  const named = new Map([...units].map((id) => [clientOf(id, place), id]));
  return usersOf(place, clients).flatMap((client) => {
    const id = named.get(client);
    return id === undefined ? [] : [`\`${id}\` has rights on it`];
  });
}

function clientOf(id: Id, { cluster }: PurgePlace): string | undefined {
  const named = namedBy(id);
  if (named?.what !== 'ceph-client' || (named.cluster ?? cluster) !== cluster) return undefined;
  return entityOf(named);
}

/** Pure. What stays when it is gone, and what nobody can look at here. */
export function notesOf(place: PurgePlace, { seen }: Pick<ThingLook, 'seen'>): readonly string[] {
  const users = usersOf(place, seen.clients ?? new Map());
  const rights = `rights on it stay, also on one that is made later by that name: ${users.join(', ')}`;
  return [...(users.length === 0 ? [] : [rights]), ...ownNotes(place, seen)];
}

function ownNotes({ what, names: [first = ''] }: PurgePlace, seen: ClusterSeen): readonly string[] {
  switch (what) {
    case 'ceph-pool': {
      const rule = seen.pools.get(first)?.rule;
      return rule === undefined ? [] : [`its rule \`${rule}\` stays`, REPORTED];
    }
    case 'ceph-filesystem': {
      const system = seen.filesystems.get(first);
      if (system === undefined) return [];
      const pools = [...new Set([system.metadataPool, ...system.dataPools])];
      return [
        `its pools stay, with what is in them: ${pools.map((pool) => wordsOf({ what: 'ceph-pool', names: [pool] })).join(', ')}`,
        REPORTED,
        MOUNTED,
      ];
    }
    case 'ceph-subvolume-group':
      return [];
    case 'ceph-subvolume':
      return [MOUNTED, 'Ceph deletes the files in the background, and bytes become free with that'];
  }
}

const REPORTED = 'sizes are as daemons reported them last, some seconds ago';
const MOUNTED =
  'whether somebody has it mounted now is not looked at: `ceph tell mds.0 session ls` shows it';
