import type {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../../schemas/ceph.ts';
import type { CephCrushRule, CephPool } from '../../../schemas/ceph-pool.ts';

/** What a document about a cluster says beside what every unit has. */
type Own<Document> = Omit<Document, 'dependsOn' | 'suspend' | 'cluster'> & {
  /** As the agent's settings name it; absent: the only one that they name. */
  readonly cluster?: string;
};

/** A pool as it is to be. Sizes in bytes, 0: no limit. */
export type PoolSpec = Own<CephPool>;

/** A rule of CRUSH as it is to be. */
export type RuleSpec = Own<CephCrushRule>;

/** A file system as it is to be. */
export type FilesystemSpec = Own<CephFilesystem>;

/** A group of subvolumes as it is to be. Modes are numbers, sizes bytes. */
export type GroupSpec = Own<CephSubvolumeGroup>;

/** A subvolume as it is to be. Modes are numbers, sizes bytes. */
export type SubvolumeSpec = Own<CephSubvolume>;

/** A client as it is to be, its name without `client.`. */
export type ClientSpec = Own<CephClient>;

/** A unit of a Ceph cluster. */
export type CephSpec =
  PoolSpec | RuleSpec | FilesystemSpec | GroupSpec | SubvolumeSpec | ClientSpec;
