import { sizeWords } from '../../core/bytes.ts';
import type { Step } from './call.ts';
import type { Command } from './commands.ts';
import { type FolderDetails, NO_GROUP, type ObservedGroup } from './observed.ts';
import type { GroupSpec, SubvolumeSpec } from './spec.ts';
import {
  type Diff,
  fieldOf,
  hold,
  type Obstacle,
  type One,
  operationOf,
  ownerProblem,
} from './unit-parts.ts';

// Groups and subvolumes: folders with an owner, a mode, a pool and a limit. To make one that is there changes it: it is never made
// twice. Of one that is there only the limit has a command.

type Groups = ReadonlyMap<string, ObservedGroup>;

/** Pure. What separates a group of subvolumes from its document. */
export function diffGroup(one: One<GroupSpec>): Diff {
  const { spec } = one;
  const groups = groupsOf(one);
  if ('why' in groups) return hold(spec, [groups]);
  const live = groups.seen.get(spec.name);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  const { filesystem: vol_name, name: group_name, quota = 0 } = spec;
  const place = { vol_name, group_name };
  if (live === undefined) {
    const steps: readonly Step[] = [
      { check: 'absent', words: { prefix: 'fs subvolumegroup info', ...place } },
      { prefix: 'fs subvolumegroup create', ...place, ...folderOf(spec, quota) },
    ];
    return madeFolder(one, steps, quota);
  }
  if (live.details === undefined) return hold(spec, [unreadOf(live)]);
  return changedFolder(one, live.details, {
    wanted: quota,
    resize: (new_size) => ({
      prefix: 'fs subvolumegroup resize',
      ...place,
      new_size,
      no_shrink: true,
    }),
  });
}

/** Pure. What separates a subvolume from its document. */
export function diffSubvolume(one: One<SubvolumeSpec>): Diff {
  const { spec } = one;
  const groups = groupsOf(one);
  if ('why' in groups) return hold(spec, [groups]);
  const { group = NO_GROUP } = spec;
  const seen = groups.seen.get(group);
  if (seen === undefined && group !== NO_GROUP) {
    return hold(spec, [{ why: `there is no group \`${group}\` yet`, waits: true }]);
  }
  if (seen?.subvolumes === undefined) return hold(spec, [unreadOf(seen)]);
  const { subvolumes } = seen;
  if (!subvolumes.has(spec.name)) {
    const taken = ownerProblem(one, undefined);
    return taken === undefined ? madeSubvolume(one) : hold(spec, [{ why: taken }]);
  }
  const live = subvolumes.get(spec.name);
  if (live === undefined) return hold(spec, [UNREAD]);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  if (live.state === 'unread') return hold(spec, [live]);
  if (live.state === 'other') return hold(spec, [unfinished(live.called)]);
  const isolated = live.namespace !== undefined;
  if (isolated !== spec.namespaceIsolated) {
    const is = isolated ? 'has' : 'does not have';
    return hold(spec, [
      { why: `it ${is} a namespace of its own, and that never changes: ${COPY}` },
    ]);
  }
  return changedFolder(one, live, {
    wanted: spec.size ?? 0,
    resize: (new_size) => ({
      prefix: 'fs subvolume resize',
      ...placeOf(spec),
      new_size,
      no_shrink: true,
    }),
  });
}

/** What Ceph calls one that was removed and of which snapshots are left. */
const RETAINED = 'snapshot-retained';

function unfinished(called: string): Obstacle {
  if (called !== RETAINED) return { why: `Ceph says that it is \`${called}\``, waits: true };
  const why =
    'it was removed, and its snapshots are left: remove those by hand, or give it another name';
  return { why };
}

function madeSubvolume(one: One<SubvolumeSpec>): Diff {
  const { spec } = one;
  const place = placeOf(spec);
  const { size = 0, namespaceIsolated } = spec;
  const steps: readonly Step[] = [
    { check: 'absent', words: { prefix: 'fs subvolume info', ...place } },
    {
      prefix: 'fs subvolume create',
      ...place,
      ...folderOf(spec, size),
      ...(namespaceIsolated && { namespace_isolated: true }),
    },
  ];
  return madeFolder(one, steps, size);
}

function placeOf({ filesystem, group, name }: SubvolumeSpec) {
  return {
    vol_name: filesystem,
    sub_name: name,
    // Nobody may name the group of those that are in none.
    ...(group !== undefined && group !== NO_GROUP && { group_name: group }),
  };
}

const UNREAD: Obstacle = { why: 'it was not looked at', waits: true };

function unreadOf({ unread }: Pick<ObservedGroup, 'unread'> = {}): Obstacle {
  return unread === undefined ? UNREAD : { why: unread };
}

const COPY = 'make another one, and copy the files';

type Folder = GroupSpec | SubvolumeSpec;

/** What is in the file system, or why nobody knows. */
function groupsOf({ spec, seen }: One<Folder>): { readonly seen: Groups } | Obstacle {
  const { filesystem } = spec;
  if (!seen.filesystems.has(filesystem)) {
    return { why: `there is no file system \`${filesystem}\` yet`, waits: true };
  }
  const sight = seen.volumes.get(filesystem);
  if (sight === undefined) return UNREAD;
  if (sight.status === 'seen') return { seen: sight.groups };
  return { why: sight.why, ...(sight.status === 'away' && { waits: true as const }) };
}

/** All of it always: what is left out is not left as it is. */
function folderOf({ mode, uid, gid, dataPool }: Folder, size: number) {
  return {
    mode: octal(mode),
    uid,
    gid,
    ...(dataPool !== undefined && { pool_layout: dataPool }),
    ...(size > 0 && { size }),
  };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function madeFolder(one: One<Folder>, steps: readonly Step[], size: number): Diff {
  const { spec, seen } = one;
  const { filesystem, dataPool, mode, uid, gid } = spec;
  const pools = seen.filesystems.get(filesystem)?.dataPools ?? [];
  if (dataPool !== undefined && !pools.includes(dataPool)) {
    const why = `the file system \`${filesystem}\` does not have the pool \`${dataPool}\` yet`;
    return hold(spec, [{ why, waits: true }]);
  }
  const fields = [
    fieldOf('mode', undefined, octal(mode)),
    fieldOf('uid', undefined, uid),
    fieldOf('gid', undefined, gid),
    ...(dataPool === undefined ? [] : [fieldOf('dataPool', undefined, dataPool)]),
    ...(size === 0 ? [] : [fieldOf('size', undefined, sizeWords(size))]),
  ];
  return operationOf(one, undefined, { steps, fields });
}

type ResizeCommand = Extract<
  Command,
  { readonly prefix: 'fs subvolumegroup resize' | 'fs subvolume resize' }
>;

interface Limit {
  /** Bytes; 0: none. */
  readonly wanted: number;
  readonly resize: (size: string) => ResizeCommand;
}

function changedFolder(one: One<Folder>, live: FolderDetails, { wanted, resize }: Limit): Diff {
  const { spec } = one;
  const { quotaBytes: now = 0, usedBytes } = live;
  const obstacles = unchangeable(spec, live);
  if (obstacles.length > 0) return hold(spec, obstacles);
  if (wanted === now) return operationOf(one, live, { steps: [], fields: [] });
  const fields = [fieldOf('size', limitWords(now), limitWords(wanted))];
  const size = wanted === 0 ? 'inf' : String(wanted);
  if (wanted === 0 || wanted >= usedBytes) {
    return operationOf(one, live, { steps: [resize(size)], fields });
  }
  // Who writes meanwhile makes it fuller than was seen; Ceph refuses what nobody released.
  const { no_shrink: _guard, ...shrink } = resize(size);
  const what = `size ${now === 0 ? 'without limit' : String(now)} -> ${String(wanted)} bytes`;
  const why = `is less than the ${sizeWords(usedBytes)} that it holds: nobody could write`;
  return operationOf(one, live, { steps: [shrink], fields, shrinks: [{ what, why }] });
}

function limitWords(size: number): string | undefined {
  return size === 0 ? undefined : sizeWords(size);
}

/** Below a folder with it each new one has it as well, whatever mode it is made with. */
const SETGID = 0o2000;

function isSameMode(wanted: number, live: number): boolean {
  return wanted === live || (wanted | SETGID) === live;
}

/** What a command of Ceph could only change by making it once more. */
function unchangeable(spec: Folder, live: FolderDetails): Obstacle[] {
  const { mode, uid, gid, dataPool } = spec;
  const found: Obstacle[] = [];
  const differing: string[] = [
    ...(isSameMode(mode, live.mode) ? [] : [`mode ${octal(live.mode)} and not ${octal(mode)}`]),
    ...(uid === live.uid ? [] : [`uid ${String(live.uid)} and not ${String(uid)}`]),
    ...(gid === live.gid ? [] : [`gid ${String(live.gid)} and not ${String(gid)}`]),
  ];
  if (differing.length > 0) {
    const why = `it has ${differing.join(', ')}: Ceph has no command for that, so change it where it is mounted, or in the document`;
    found.push({ why });
  }
  if (dataPool !== undefined && dataPool !== live.dataPool) {
    const why = `its files lie in \`${live.dataPool}\`: with another pool they would lie in both, so ${COPY}`;
    found.push({ why });
  }
  return found;
}
