import type { Id } from '../../../core/kind.ts';
import type { PurgeGround } from '../../../core/purge.ts';
import { downOwner, isPurges } from '../../../core/taken.ts';
import { type MarkOn, marksIn, marksOn } from '../marks.ts';
import { entityOf, namedBy, thingKey, wordsOf } from '../named.ts';
import { type ClusterSeen, NO_GROUP } from '../observed.ts';
import type { PurgePlace, PurgeThing } from './thing.ts';
import { usersAbove, usersOf } from './users.ts';

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
    ...(git === undefined ? idRefusals(place, look.seen, ground) : []),
    ...markRefusals(place, look.seen, ground.environment),
    ...(typeof presence === 'string'
      ? []
      : [`whether it is there is not known: ${presence.unknown}`]),
    ...(presence === 'there' ? contentRefusals(place, look, ground) : []),
    ...(presence === 'gone' ? [] : clientRefusals(place, look.seen, ground)),
  ];
}

/** The agents may know the cluster by another name than the settings here. */
function idRefusals(
  place: PurgePlace,
  seen: ClusterSeen,
  { units }: PurgeGround,
): readonly string[] {
  const found = [...marksOn(place, seen), ...marksIn(place, seen)].find(({ id }) => units.has(id));
  if (found === undefined) return [];
  return [
    `the cluster notes it, or something in it, as \`${found.id}\`, and that document is in the repository`,
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
  return marks.flatMap(({ mark }) => {
    const owner = ownerOf(mark);
    if (owner === undefined) return ['what the cluster keeps about whose it is is not understood'];
    if (owner === environment || isPurges(owner, environment)) return [];
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
      return insideRefusals(place, look.seen, {
        subvolumes: [...(groupOf(place, look.seen)?.subvolumes?.keys() ?? [])],
      });
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
    const isDown = marksOn(place, look.seen).every(
      ({ mark }) => ownerOf(mark) === downOwner(environment),
    );
    if (isDown && !look.isJoinable) return [];
    return [`what is in it is not known: ${sight?.why ?? 'it was not looked at'}`];
  }
  const loose = sight.groups.get(NO_GROUP);
  const groups = [...sight.groups.keys()].filter((group) => group !== NO_GROUP);
  if (loose?.unread !== undefined) return [`what is in it is not known: ${loose.unread}`];
  const subvolumes = [...(loose?.subvolumes?.keys() ?? [])];
  return insideRefusals(place, look.seen, { groups, subvolumes });
}

/** What is in it, or else what is noted there, of which an agent may be making something. */
function insideRefusals(
  place: PurgePlace,
  seen: ClusterSeen,
  names: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const found = Object.entries(names).flatMap(([what, some]) => inIt(what, some));
  if (found.length > 0) return found;
  return marksIn(place, seen).map(({ id }) => `\`${id}\` is noted in it: purge that first`);
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
  const above = usersAbove(place, seen.clients ?? new Map());
  return [
    ...(users.length === 0 ? [] : [rights]),
    ...(above.length === 0
      ? []
      : [`who may mount what it lies in reaches it as well: ${above.join(', ')}`]),
    ...ownNotes(place, seen),
  ];
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
        'files in it that lie in no subvolume are not looked for',
        mounted(first),
      ];
    }
    case 'ceph-subvolume-group':
      return [];
    case 'ceph-subvolume':
      return [
        mounted(first),
        'Ceph deletes the files in the background, and bytes become free with that',
      ];
  }
}

const REPORTED = 'sizes are as daemons reported them last, some seconds ago';

function mounted(filesystem: string): string {
  return `whether somebody has it mounted now is not looked at: \`ceph tell mds.${filesystem}:0 session ls\` shows it, and the same of each further rank`;
}

/** Pure. Tells it from another one by the same name, as far as Ceph does. */
export function identityOf({ what, names }: PurgeThing, seen: ClusterSeen): string {
  const [first = '', second = '', third = ''] = names;
  const sight = seen.volumes.get(first);
  const group = sight?.status === 'seen' ? sight.groups.get(second) : undefined;
  const one = group?.subvolumes?.get(third);
  const own = {
    'ceph-pool': seen.pools.get(first)?.id,
    'ceph-filesystem': seen.filesystems.get(first)?.id,
    'ceph-subvolume-group': seen.filesystems.get(first)?.id,
    'ceph-subvolume': one?.state === 'complete' ? one.path : undefined,
  }[what];
  return `${seen.fsid} ${String(own)}`;
}
