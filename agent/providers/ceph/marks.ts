import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import { readJson } from '../../core/json.ts';
import { isPurges } from '../../core/taken.ts';
import type { Command } from './commands.ts';
import { namedBy, type Thing, thingKey } from './named.ts';
import type { ClusterSeen } from './observed.ts';
import { MARK_PREFIX } from './states.ts';

// Which things of a cluster are ours stands in the cluster itself, so that losing the Swarm loses nothing of it. A mark is written
// before the thing is made, and stays when the document of what holds data goes.

const Mark = z.strictObject({
  /** The environment that writes there. */
  owner: z.string().min(1).max(255),
  /** What becomes of it when its document is gone. */
  policy: z.enum(['Orphan', 'Delete']),
  /** Of a pool: how few copies the document lets it be written with. To set that again takes nothing away. */
  minSize: z.int().positive().exactOptional(),
});

/** What is noted about a thing of ours. */
export type Mark = z.output<typeof Mark>;

/** Pure. Undefined where there is none. `unreadable`: it is of a version of ours to come, or somebody else wrote it. */
export function markAt(
  id: Id,
  { marks }: Pick<ClusterSeen, 'marks'>,
): Mark | 'unreadable' | undefined {
  const text = marks.get(id);
  return text === undefined ? undefined : readMark(text);
}

function readMark(text: string): Mark | 'unreadable' {
  return Mark.safeParse(readJson(text)).data ?? 'unreadable';
}

/** Pure. Everything that is marked for one who writes there. */
export function idsOf({ marks }: Pick<ClusterSeen, 'marks'>, owner: string): readonly Id[] {
  return [...marks].flatMap(([id, text]) => {
    const mark = readMark(text);
    return isId(id) && mark !== 'unreadable' && mark.owner === owner ? [id] : [];
  });
}

/** Pure. Notes that it is ours. Goes before what makes or changes it; may be said again. */
export function claim(id: Id, mark: Mark): Command {
  return { prefix: 'config-key set', key: `${MARK_PREFIX}${id}`, val: JSON.stringify(mark) };
}

/** Pure. It is ours no more. Goes after what removes it. */
export function release(id: Id): Command {
  return { prefix: 'config-key rm', key: `${MARK_PREFIX}${id}` };
}

/** Pure. Whether a mark says what it is to say. */
export function isSameMark(one: Mark, other: Mark): boolean {
  return one.owner === other.owner && one.policy === other.policy && one.minSize === other.minSize;
}

/** A mark, and the id under which it stands. */
export interface MarkOn {
  readonly id: Id;
  readonly mark: Mark | 'unreadable';
}

type Marks = ClusterSeen['marks'];
type Index = ReadonlyMap<string, readonly MarkOn[]>;
const indexes = new WeakMap<Marks, Index>();

/** Pure. All marks about a thing, whatever id they stand under. */
export function marksOn(thing: Thing, { marks }: Pick<ClusterSeen, 'marks'>): readonly MarkOn[] {
  const index = indexes.get(marks) ?? indexOf(marks);
  indexes.set(marks, index);
  return index.get(thingKey(thing)) ?? [];
}

/** Pure. Marks of what lies in a file system or a group. */
export function marksIn(
  { what, names }: Thing,
  { marks }: Pick<ClusterSeen, 'marks'>,
): readonly MarkOn[] {
  if (what !== 'ceph-filesystem' && what !== 'ceph-subvolume-group') return [];
  return [...marks].flatMap(([id, text]): readonly MarkOn[] => {
    const named = isId(id) ? namedBy(id) : undefined;
    if (!isId(id) || named === undefined || !FOLDERS.has(named.what)) return [];
    const isInIt = named.names.length > names.length && names.every((one, at) => named.names[at] === one); // prettier-ignore
    return isInIt ? [{ id, mark: readMark(text) }] : [];
  });
}

const FOLDERS: ReadonlySet<string> = new Set(['ceph-subvolume-group', 'ceph-subvolume']);

/** Pure. Why a thing is somebody else's, whatever id he has for it; undefined: nobody else says so. */
export function foreignMark(
  thing: Thing,
  seen: Pick<ClusterSeen, 'marks'>,
  owner: string,
): string | undefined {
  for (const { mark } of marksOn(thing, seen)) {
    if (mark === 'unreadable') {
      return `what the cluster keeps about whose it is is not understood (\`ceph config-key dump ${MARK_PREFIX}${thing.what}\` shows it)`;
    }
    if (isPurges(mark.owner, owner)) {
      return `a person deletes it, or began to (\`${mark.owner}\`; docs/ceph.md says how it is given back)`;
    }
    if (mark.owner !== owner) {
      return `the cluster says that it belongs to \`${mark.owner}\`, another one who writes there`;
    }
  }
  return undefined;
}

function indexOf(marks: Marks): Index {
  const index = new Map<string, MarkOn[]>();
  for (const [id, text] of marks) {
    const named = isId(id) ? namedBy(id) : undefined;
    if (!isId(id) || named === undefined) continue;
    const key = thingKey(named);
    index.set(key, [...(index.get(key) ?? []), { id, mark: readMark(text) }]);
  }
  return index;
}

/** Pure. */
export function isId(text: string): text is Id {
  return text.includes('/');
}
