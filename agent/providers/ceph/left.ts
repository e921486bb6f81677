import { sizeWords } from '../../core/bytes.ts';
import type { Id, Operation } from '../../core/kind.ts';
import type { Member, Removal } from '../../core/member.ts';
import type { CephCall, Step } from './call.ts';
import { clientProblem, type ClientRules } from './client-diff.ts';
import { foreignMark, type Mark, markAt, release } from './marks.ts';
import { entityOf, type NamedUnit, namedBy, wordsOf } from './named.ts';
import { type ClusterSeen, NO_GROUP } from './observed.ts';
import { otherIds } from './same-thing.ts';
import type { CephObserved } from './unit-diff.ts';

// A unit whose document is gone: its mark in the cluster says what becomes of it. What holds data stays, whatever a mark says: there
// is no command for that. The mark of what stays is kept, so that the document that comes back finds its own.

/** Where a unit that left still is. */
interface Place extends NamedUnit {
  readonly id: Id;
  /** As the agent's settings name it. */
  readonly on: string;
  readonly seen: ClusterSeen;
  readonly clients: ClientRules;
  readonly mark: Mark;
}

interface Found {
  readonly places: readonly Place[];
  /** Why nobody knows whether it is anywhere. */
  readonly hidden?: string;
}

/** The default cluster is in no id, so without a name it is whichever cluster has the mark. */
function placesOf(id: Id, { clusters, owner }: CephObserved): Found {
  const named = namedBy(id);
  if (named === undefined) return { places: [] };
  const { cluster } = named;
  const open = [...clusters].filter(([name]) => cluster === undefined || name === cluster);
  const unseen: string[] = [];
  const places = open.flatMap(([on, { sight, clients }]): readonly Place[] => {
    if (sight.status !== 'seen') {
      unseen.push(`${on}: ${sight.why}`);
      return [];
    }
    const { seen } = sight;
    const mark = markAt(id, seen);
    if (mark === undefined || mark === 'unreadable' || mark.owner !== owner) return [];
    if (named.what === 'ceph-client' && seen.clients === undefined) {
      const { why = 'its clients were not looked at' } = seen.clientsUnread ?? {};
      unseen.push(`${on}: ${why}`);
      return [];
    }
    return [{ ...named, id, on, seen, clients, mark }];
  });
  const isHidden = places.length === 0 && unseen.length > 0;
  return { places, ...(isHidden && { hidden: unseen.join('; ') }) };
}

/** Pure. Why what is there of it cannot be known now. */
export function hiddenLeft(id: Id, observed: CephObserved): string | undefined {
  return placesOf(id, observed).hidden;
}

/** Pure. The client or the rule that goes; what stays is not in it. */
export function membersLeft(id: Id, observed: CephObserved): readonly Member[] {
  return placesOf(id, observed).places.filter(goes).map(memberOf);
}

/** Pure. Takes it away, then its mark. Over when no cluster has the mark of what goes. */
export function removeLeft(
  id: Id,
  members: readonly Member[],
  observed: CephObserved,
): Removal<CephCall> {
  const { places, hidden } = placesOf(id, observed);
  const away = hidden ?? awayOf(members, observed);
  if (away !== undefined) {
    const unknown = members.length > 0 ? members : [{ target: id, id }];
    return { operations: [], left: unknown, waits: [away] };
  }
  const known = new Set(members.map((one) => one.id));
  const going = places.filter((place) => goes(place) && known.has(memberOf(place).id));
  const used = going.flatMap((place) => usersOf(place).map((user) => ({ place, user })));
  const free = going.filter((place) => !used.some((one) => one.place === place));
  const kept = places.filter((place) => !goes(place));
  const empty = kept.filter((place) => isElsewhere(place) || bytesOf(place) === undefined);
  const stays = kept.flatMap(staysOf);
  return {
    operations: [
      ...free.map((place) => takenAway(id, place)),
      ...empty.map((place) => unmarked(id, place)),
    ],
    left: [...going.map(memberOf), ...empty.map(markOf)],
    waits: used.map(({ place, user }) => `${wordsOf(place)} stays: ${user}`),
    ...(stays.length > 0 && { stays }),
  };
}

/** A cluster on which something was to go, and that is not reached now. One that the settings name no more is nobody's. */
function awayOf(members: readonly Member[], { clusters }: CephObserved): string | undefined {
  for (const [on, { sight }] of clusters) {
    const isThere = members.some(({ id }) => id.startsWith(`${on} `));
    if (sight.status !== 'seen' && isThere) return `${on}: ${sight.why}`;
  }
  return undefined;
}

/** Another unit of ours is about the same thing: what left is only its name of before. */
function isElsewhere({ id, what, names, seen, mark }: Place): boolean {
  return otherIds(id, { what, names }, seen, mark.owner).length > 0;
}

/** Nothing that holds data does, nor what is somebody else's as well, or not for us to touch. */
function goes(place: Place): boolean {
  const { what, names, mark, seen, clients } = place;
  if (mark.policy !== 'Delete' || isElsewhere(place)) return false;
  if (what !== 'ceph-client' && what !== 'ceph-crush-rule') return false;
  if (foreignMark({ what, names }, seen, mark.owner) !== undefined) return false;
  return what !== 'ceph-client' || clientProblem(entityOf({ names }), clients) === undefined;
}

function memberOf(place: Place): Member {
  return { target: wordsOf(place), id: `${place.on} ${wordsOf(place)}` };
}

/** What still needs a rule; Ceph does not take away what is in use. */
function usersOf({ what, names, seen }: Place): readonly string[] {
  if (what !== 'ceph-crush-rule') return [];
  const [name] = names;
  const users = [...seen.pools].flatMap(([pool, { rule }]) => (rule === name ? [pool] : []));
  return users.length === 0 ? [] : [`the pool \`${users.join('`, `')}\` uses it`];
}

function takenAway(id: Id, place: Place): Operation<CephCall> {
  const { what, names, seen } = place;
  const [name = ''] = names;
  const isRule = what === 'ceph-crush-rule';
  const isThere = isRule ? seen.rules.has(name) : seen.clients?.has(entityOf({ names })) === true;
  const steps: readonly Step[] = [
    ...(isThere && isRule ? [{ prefix: 'osd crush rule rm' as const, name }] : []),
    ...(isThere && !isRule ? [{ prefix: 'auth rm' as const, entity: entityOf({ names }) }] : []),
    // The last: whoever dies in between finds the mark, and takes that away.
    release(id),
  ];
  return {
    target: wordsOf(place),
    verb: 'remove',
    phase: 'remove',
    effect: 'destructive',
    fields: [],
    call: { op: 'ceph', cluster: place.on, steps },
  };
}

/** The thing itself was never made, or somebody deleted it, or it is another unit's: it is not this one's. */
function unmarked(id: Id, place: Place): Operation<CephCall> {
  const call: CephCall = { op: 'ceph', cluster: place.on, steps: [release(id)] };
  const { target } = markOf(place);
  return { target, verb: 'remove', phase: 'remove', effect: 'none', fields: [], call };
}

function markOf(place: Place): Member {
  return { target: `the mark of ${wordsOf(place)}`, id: `${place.on} mark ${wordsOf(place)}` };
}

/** What is there still, for people: said once. */
function staysOf(place: Place): readonly string[] {
  if (isElsewhere(place)) return [];
  const bytes = bytesOf(place);
  if (bytes === undefined) return [];
  const size = bytes === 'unknown' ? '' : ` (${sizeWords(bytes)})`;
  return [`${wordsOf(place)} stays${size}`];
}

const UNASKED = { status: 'away', why: 'it was not looked at' } as const;

/** How much it holds; undefined: it is not there, for certain. */
function bytesOf({ what, names, seen }: Place): number | 'unknown' | undefined {
  const [first = '', second = '', third = ''] = names;
  const sight = seen.filesystems.has(first) ? (seen.volumes.get(first) ?? UNASKED) : undefined;
  const group = sight?.status === 'seen' ? sight.groups.get(second) : undefined;
  switch (what) {
    case 'ceph-pool': {
      const pool = seen.pools.get(first);
      return pool && (pool.usage?.storedBytes ?? 'unknown');
    }
    case 'ceph-filesystem': {
      const system = seen.filesystems.get(first);
      if (system === undefined) return undefined;
      const pools = new Set([system.metadataPool, ...system.dataPools]);
      return [...pools].reduce((sum, pool) => sum + (seen.pools.get(pool)?.usage?.storedBytes ?? 0), 0); // prettier-ignore
    }
    case 'ceph-subvolume-group':
      if (sight?.status !== 'seen') return sight && 'unknown';
      return group && (group.details?.usedBytes ?? 'unknown');
    case 'ceph-subvolume': {
      if (sight?.status !== 'seen') return sight && 'unknown';
      // All groups are listed, but for the one of those in none: that one is there where it was asked for.
      if (group === undefined) return second === NO_GROUP ? 'unknown' : undefined;
      if (group.subvolumes === undefined) return 'unknown';
      if (!group.subvolumes.has(third)) return undefined;
      const one = group.subvolumes.get(third);
      return one?.state === 'complete' ? one.usedBytes : 'unknown';
    }
    case 'ceph-crush-rule':
      return seen.rules.has(first) ? 'unknown' : undefined;
    case 'ceph-client':
      return seen.clients?.has(entityOf({ names })) === true ? 'unknown' : undefined;
  }
}
