import type { Id } from './core/kind.ts';
import { isId, markAt } from './providers/ceph/marks.ts';
import { namedBy } from './providers/ceph/named.ts';
import type { ClusterSeen } from './providers/ceph/observed.ts';
import type { CephObserved } from './providers/ceph/unit-diff.ts';

type Paths = ReadonlyMap<Id, string>;

/** By what was seen of one cluster, for whom: a look that shows nothing new is the same object. */
const kept = new WeakMap<ClusterSeen, { readonly owner: string; readonly paths: Paths }>();

/**
 * Where the subvolumes of an environment lie, by their units: the mark in the cluster says which of them are its own. Of a cluster that
 * is not reached it is what was seen last: a path never changes while the subvolume is there.
 */
export class SubvolumePaths {
  readonly #last = new Map<string, Paths>();
  #whole: { readonly parts: readonly Paths[]; readonly paths: Paths } | undefined;

  /** The same object while nothing of it is new. */
  of({ clusters, owner }: Pick<CephObserved, 'clusters' | 'owner'>): Paths {
    for (const [name, { sight }] of clusters) {
      if (sight.status === 'seen') this.#last.set(name, pathsIn(sight.seen, owner));
    }
    const parts = [...clusters.keys()].flatMap((name) => this.#last.get(name) ?? []);
    const before = this.#whole;
    const isSame = before?.parts.length === parts.length;
    if (isSame && parts.every((one, at) => one === before.parts[at])) return before.paths;
    const paths = new Map(parts.toReversed().flatMap((one) => [...one]));
    this.#whole = { parts, paths };
    return paths;
  }
}

function pathsIn(seen: ClusterSeen, owner: string): Paths {
  const known = kept.get(seen);
  if (known?.owner === owner) return known.paths;
  const paths = new Map<Id, string>();
  for (const id of seen.marks.keys()) {
    const path = isId(id) ? pathOf(id, seen, owner) : undefined;
    if (isId(id) && path !== undefined) paths.set(id, path);
  }
  kept.set(seen, { owner, paths });
  return paths;
}

function pathOf(id: Id, seen: ClusterSeen, owner: string): string | undefined {
  const named = namedBy(id);
  if (named?.what !== 'ceph-subvolume') return undefined;
  const mark = markAt(id, seen);
  if (mark === undefined || mark === 'unreadable' || mark.owner !== owner) return undefined;
  const [filesystem = '', group = '', name = ''] = named.names;
  const sight = seen.volumes.get(filesystem);
  const found =
    sight?.status === 'seen' ? sight.groups.get(group)?.subvolumes?.get(name) : undefined;
  return found?.state === 'complete' ? found.path : undefined;
}
