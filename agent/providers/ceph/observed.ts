import type { Secret } from '../../core/secret.ts';

/** What is known by one look of a cluster that the agent's settings name. */
export type ClusterSight =
  | { readonly status: 'seen'; readonly seen: ClusterSeen }
  /** No monitor answers, or they do not agree. Nobody's failure: it may come back by itself. */
  | { readonly status: 'away'; readonly why: string }
  /** Only a person helps: a key that is not let in, a file or a program that is missing, a release that is too old. */
  | { readonly status: 'unusable'; readonly why: string };

/** What of a cluster is looked at beside what one question gives for all of it. */
export interface Wanted {
  /**
   * Clients by their full names, whose keys are kept. Of the others there is none: the answer holds those of everybody, and is asked
   * for only where somebody declares a client.
   */
  readonly clients: ReadonlySet<string>;
  /** Parts of file systems; what does not exist is absent in the answer. */
  readonly places: readonly Place[];
}

/** A file system, a group in it, or a subvolume in that. Those on the way to it are looked at as well. */
export interface Place {
  readonly filesystem: string;
  /** Absent: all groups are listed, and no more. */
  readonly group?: string;
  /** Absent: all subvolumes of the group are listed, and no more. */
  readonly subvolume?: string;
}

/** The group of subvolumes that are in none, as Ceph calls its folder. */
export const NO_GROUP = '_nogroup';

/** All that one look gives. Maps without a word about their keys are by name. */
export interface ClusterSeen {
  readonly fsid: string;
  readonly release: Release;
  readonly health: Health;
  readonly daemons: Daemons;
  /** How many placement groups there are of each state, such as `active+clean`. */
  readonly placement: ReadonlyMap<string, number>;
  readonly pools: ReadonlyMap<string, ObservedPool>;
  readonly rules: ReadonlyMap<string, ObservedRule>;
  /** Erasure code profiles: what they say, all as text, with what monitors added by themselves. */
  readonly profiles: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly crush: ObservedCrush;
  readonly filesystems: ReadonlyMap<string, ObservedFilesystem>;
  /** By their full name, such as `client.site-blog`; of daemons there are none. Absent: nobody asked, or nobody was told. */
  readonly clients?: ReadonlyMap<string, ObservedClient>;
  /** Why clients are not known, though somebody asked; all else is. */
  readonly clientsUnread?: NotRead;
  /** Groups and subvolumes, by file system, as far as they were asked for. What does not exist is absent. */
  readonly volumes: ReadonlyMap<string, VolumesSight>;
  /** What `config-key` holds of ours, by what follows `understudy/`. */
  readonly marks: ReadonlyMap<string, string>;
}

/** Why a part of a cluster is not known. `waits`: it may be by itself. */
export interface NotRead {
  readonly why: string;
  readonly waits?: true;
}

export interface Release {
  /** Of the oldest monitor. */
  readonly version: readonly [number, number, number];
  /** `pacific` */
  readonly name: string;
}

export interface Health {
  readonly status: 'HEALTH_OK' | 'HEALTH_WARN' | 'HEALTH_ERR';
  /** By code, such as `OSD_DOWN`; also those that are muted. */
  readonly checks: ReadonlyMap<string, HealthCheck>;
}

export interface HealthCheck {
  readonly severity: 'HEALTH_WARN' | 'HEALTH_ERR';
  readonly summary: string;
  readonly muted: boolean;
}

/** How many there are. Health says the same later, or not at all. */
export interface Daemons {
  readonly monitors: { readonly total: number; readonly inQuorum: number };
  readonly osds: { readonly total: number; readonly up: number; readonly in: number };
  readonly managerAvailable: boolean;
}

export interface ObservedPool {
  readonly id: number;
  readonly type: 'replicated' | 'erasure';
  readonly size: number;
  readonly minSize: number;
  /** Name of the rule that places it. */
  readonly rule: string;
  /** Absent: it is replicated. */
  readonly profile?: string;
  /** Where the number of placement groups goes; it may be on the way there. */
  readonly pgNum: number;
  readonly pgAutoscaleMode: 'on' | 'warn' | 'off';
  /** Such as `hashpspool`, `nodelete`, `bulk`, `ec_overwrites`. */
  readonly flags: ReadonlySet<string>;
  readonly fastRead: boolean;
  /** 0: no limit. */
  readonly quota: { readonly maxBytes: number; readonly maxObjects: number };
  /** Only what was set, such as `compression_mode` or `pg_num_min`. */
  readonly options: ReadonlyMap<string, string | number | boolean>;
  /** By application, with what is noted about it. */
  readonly applications: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Absent before the first report, some seconds after it was made. */
  readonly usage?: PoolUsage;
}

export interface PoolUsage {
  /** What clients stored. */
  readonly storedBytes: number;
  readonly objects: number;
  /** What that takes of the disks. */
  readonly usedBytes: number;
  /** How much more clients may store. */
  readonly availableBytes: number;
}

export interface ObservedRule {
  readonly id: number;
  readonly type: 'replicated' | 'erasure';
  /** Absent: it does more than what a rule of one line says. */
  readonly simple?: SimpleRule;
}

export interface SimpleRule {
  readonly root: string;
  /** The type of what gets one copy each, such as `host`. */
  readonly failureDomain: string;
  readonly deviceClass?: string;
}

/** Where data can be placed. */
export interface ObservedCrush {
  /** All that a failure domain can be, such as `osd`, `host`, `rack`. */
  readonly types: ReadonlySet<string>;
  readonly deviceClasses: ReadonlySet<string>;
  /**
   * By the bucket that a rule may begin with, `default`, or `default~ssd` for devices of one class only: how many of each type lie
   * below it and hold a device of it.
   */
  readonly below: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface ObservedFilesystem {
  readonly id: number;
  /** Names of pools. */
  readonly metadataPool: string;
  /** The first is the one that files lie in unless told otherwise. */
  readonly dataPools: readonly string[];
  /** How many metadata daemons shall be active, and how many are and are heard of. */
  readonly maxMds: number;
  readonly active: number;
  readonly standbyCountWanted: number;
  readonly allowStandbyReplay: boolean;
  readonly maxFileSizeBytes: number;
}

export interface ObservedClient {
  /** By service, as they were written. */
  readonly caps: ReadonlyMap<string, string>;
  /** Absent: no unit is about it. */
  readonly key?: Secret;
}

/** What the manager daemon says of the parts of one file system: it, or the daemon of that, may be away while monitors are not. */
export type VolumesSight =
  | {
      readonly status: 'seen';
      /** By name. `NO_GROUP` is there where something of it was asked for. */
      readonly groups: ReadonlyMap<string, ObservedGroup>;
    }
  | { readonly status: 'away'; readonly why: string }
  | { readonly status: 'unusable'; readonly why: string };

export interface ObservedGroup {
  /** Absent: nobody asked, or it is `NO_GROUP`, which has none. */
  readonly details?: FolderDetails;
  /** By name; undefined: its details were not asked for. Absent: nobody asked, or there is no list. */
  readonly subvolumes?: ReadonlyMap<string, ObservedSubvolume | undefined>;
  /** Why its details or its list are not known, though somebody asked. */
  readonly unread?: string;
}

export interface FolderDetails {
  /** The lower twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Name of the pool that new files go to. */
  readonly dataPool: string;
  /** Absent: no limit. */
  readonly quotaBytes?: number;
  readonly usedBytes: number;
}

export type ObservedSubvolume =
  | (FolderDetails & {
      readonly state: 'complete';
      /** With the UUID that Ceph gave it. */
      readonly path: string;
      /** Absent: it has none of its own. */
      readonly namespace?: string;
    })
  /** It is being made or copied, or was removed but for its snapshots. As Ceph calls it. */
  | { readonly state: 'other'; readonly called: string }
  /** It is there, and Ceph does not say more. */
  | { readonly state: 'unread'; readonly why: string };
