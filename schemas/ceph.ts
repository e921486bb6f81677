import { z } from 'zod';

import { Mode, Numeric, cephName, common, deletionPolicy, kept, line } from './ceph-common.ts';
import { Flag, Name, Size, UnitId, whole } from './common.ts';

const POOLS_MAX = 100;
const SUBVOLUMES_MAX = 100;
const CAPS_MAX = 4_096;
const MDS_MAX = 256;

/** A file system on pools of the repository. The first data pool is the one that files lie in unless told otherwise. */
export const CephFilesystem = z.strictObject({
  kind: z.literal('CephFilesystem', { error: 'write `kind: CephFilesystem`' }),
  name: cephName('the name of a file system'),
  ...common,
  deletionPolicy: kept('a file system'),
  metadataPool: cephName('the name of a pool'),
  dataPools: z
    .array(cephName('the name of a pool'))
    .min(1, { error: 'write the name of a pool' })
    .max(POOLS_MAX)
    .refine((names) => new Set(names).size === names.length, { error: 'write each pool once' }),
  activeCount: whole(1, MDS_MAX).optional(),
  standbyCountWanted: whole(0, MDS_MAX).optional(),
  allowStandbyReplay: Flag.optional(),
  maxFileSize: Size.optional(),
});
export type CephFilesystem = z.output<typeof CephFilesystem>;

const usual = { mode: '0755', owner: 0 };
const folder = {
  filesystem: cephName('the name of a file system'),
  mode: Mode.prefault(usual.mode),
  uid: Numeric.default(usual.owner),
  gid: Numeric.default(usual.owner),
  dataPool: cephName('the name of a pool').optional(),
};

/** A group of subvolumes: a folder of a file system. */
export const CephSubvolumeGroup = z.strictObject({
  kind: z.literal('CephSubvolumeGroup', { error: 'write `kind: CephSubvolumeGroup`' }),
  name: cephName('the name of a group'),
  ...common,
  deletionPolicy: kept('a group of subvolumes'),
  ...folder,
  /** Bytes; absent: no limit. */
  quota: Size.optional(),
});
export type CephSubvolumeGroup = z.output<typeof CephSubvolumeGroup>;

const GROUP = 'the name of a group';
/** Ids call it `_nogroup` where there is none; Ceph takes that for no name. */
const Group = z
  .string({ error: `write ${GROUP} as text` })
  .refine((name) => name !== '_nogroup', { error: 'leave `group` out for none' })
  .pipe(cephName(GROUP));

const VARIABLE = 'write the name of a variable: letters, digits and `_`';

/** A subvolume: what one site mounts. */
export const CephSubvolume = z.strictObject({
  kind: z.literal('CephSubvolume', { error: 'write `kind: CephSubvolume`' }),
  name: cephName('the name of a subvolume'),
  ...common,
  deletionPolicy: kept('a subvolume'),
  ...folder,
  /** Absent: it is in no group. */
  group: Group.optional(),
  /** Bytes; absent: no limit. */
  size: Size.optional(),
  namespaceIsolated: Flag.default(false),
  /** The variable in which stacks that depend on it find its path. */
  output: z
    .string({ error: VARIABLE })
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: VARIABLE })
    .optional(),
});
export type CephSubvolume = z.output<typeof CephSubvolume>;

const caps = line('what it may do').max(CAPS_MAX);
const Caps = z.strictObject({
  mon: caps,
  osd: caps.optional(),
  mds: caps.optional(),
  mgr: caps.optional(),
});
const Access = z.strictObject({
  id: UnitId.refine((id) => id.startsWith('ceph-subvolume/'), {
    error: 'write the id of a subvolume, such as `ceph-subvolume/cephfs/sites/blog`',
  }),
  access: z.enum(['rw', 'ro'], { error: 'write `rw` or `ro`' }).default('rw'),
});

const EITHER = 'write one of `caps` and `subvolumes`';
/** What rules everything, and what daemons have. */
const THEIRS = /^(?:admin|bootstrap-.*|crash(?:\..*)?|rgw\..*|nfs\..*|iscsi\..*)$/;

/** A key with what it may do, for a stack. `name` without `client.`. */
export const CephClient = z
  .strictObject({
    kind: z.literal('CephClient', { error: 'write `kind: CephClient`' }),
    name: cephName('the name of a client').refine((name) => !THEIRS.test(name), {
      error: 'this is a client of Ceph itself: choose another name',
    }),
    ...common,
    deletionPolicy,
    caps: Caps.optional(),
    subvolumes: z.array(Access).min(1, { error: EITHER }).max(SUBVOLUMES_MAX).optional(),
    /** The secret of the Swarm that stacks find the key in. */
    secret: Name,
    format: z.enum(['key', 'keyring'], { error: 'write `key` or `keyring`' }).default('key'),
  })
  .superRefine(({ caps: given, subvolumes }, context) => {
    if ((given === undefined) !== (subvolumes === undefined)) return;
    const path = given === undefined ? [] : ['subvolumes'];
    context.addIssue({ code: 'custom', path, message: EITHER });
  });
export type CephClient = z.output<typeof CephClient>;
