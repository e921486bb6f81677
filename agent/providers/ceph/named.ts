import type { Id } from '../../core/kind.ts';
import { NO_GROUP } from './observed.ts';
import type { CephSpec } from './spec.ts';

/** What a unit is about: its kind, and the names that make it one. A subvolume has those of its file system and group first. */
export interface Thing {
  readonly what: What;
  readonly names: readonly string[];
}
export type What = keyof typeof WORDS;

/** A thing as a unit's id names it. */
export interface NamedUnit extends Thing {
  /** As the agent's settings name it; absent: the default one. */
  readonly cluster?: string;
}

const WORDS = {
  'ceph-pool': 'pool',
  'ceph-crush-rule': 'rule',
  'ceph-filesystem': 'file system',
  'ceph-subvolume-group': 'group',
  'ceph-subvolume': 'subvolume',
  'ceph-client': 'client',
} as const;

/** How many names make one of it. */
const NAMES: Readonly<Record<What, number>> = {
  'ceph-pool': 1,
  'ceph-crush-rule': 1,
  'ceph-filesystem': 1,
  'ceph-subvolume-group': 2,
  'ceph-subvolume': 3,
  'ceph-client': 1,
};

/** What a name of Ceph's is, or the group of what is in none. */
const NAME = /^(?:_nogroup|[A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/;

/** Pure. Undefined for what is no unit of a cluster. */
export function namedBy(id: Id): NamedUnit | undefined {
  const [kind, ...parts] = id.split('/');
  const what = whats.find((one) => one === kind);
  if (what === undefined || !parts.every((part) => NAME.test(part))) return undefined;
  const length = NAMES[what];
  if (parts.length === length) return { what, names: parts };
  const [cluster, ...names] = parts;
  if (cluster === undefined || names.length !== length) return undefined;
  return { what, names, cluster };
}

const whats: readonly What[] = [
  'ceph-pool',
  'ceph-crush-rule',
  'ceph-filesystem',
  'ceph-subvolume-group',
  'ceph-subvolume',
  'ceph-client',
];

/** Pure. What a document is about. */
export function thingOf(spec: CephSpec): Thing {
  switch (spec.kind) {
    case 'CephPool':
      return { what: 'ceph-pool', names: [spec.name] };
    case 'CephCrushRule':
      return { what: 'ceph-crush-rule', names: [spec.name] };
    case 'CephFilesystem':
      return { what: 'ceph-filesystem', names: [spec.name] };
    case 'CephSubvolumeGroup':
      return { what: 'ceph-subvolume-group', names: [spec.filesystem, spec.name] };
    case 'CephSubvolume':
      return {
        what: 'ceph-subvolume',
        names: [spec.filesystem, spec.group ?? NO_GROUP, spec.name],
      };
    case 'CephClient':
      return { what: 'ceph-client', names: [spec.name] };
  }
}

/** Pure. The same text for the same thing alone, whatever its unit is called. */
export function thingKey({ what, names }: Thing): string {
  return [what, ...names].join('/');
}

/** Pure. A client, as Ceph names it: `client.site-blog`. */
export function entityOf({ names }: Pick<Thing, 'names'>): string {
  return `client.${names.join('/')}`;
}

/** Pure. What people call it: `pool rep`, `subvolume cephfs/sites/blog`, `client client.site-blog`. */
export function wordsOf({ what, names }: Thing): string {
  const name = names.join('/');
  return what === 'ceph-client' ? `client client.${name}` : `${WORDS[what]} ${name}`;
}
