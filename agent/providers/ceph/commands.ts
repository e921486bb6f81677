import { z } from 'zod';

import { cephName } from '../../../schemas/ceph-common.ts';
import { MARK_PREFIX } from './states.ts';
import type { Daemon } from './protocol.ts';

// All that is ever written to a cluster: what is not in this list is not sent. Daemons check neither names nor whether a key is
// one that they know, and types have to be exact: `val` is text, whatever it means.

const name = cephName('a name');
const count = z.int().nonnegative();
const text = z.string().min(1);
/** Only ever set: there is no way back from it. */
const sure = z.literal(true).exactOptional();
const modeOf = z.string().regex(/^[0-7]{3,4}$/, { error: 'write a mode such as `0755`' });
/** Bytes as text, or no limit. */
const limit = z.union([z.literal('inf'), z.string().regex(/^[1-9]\d*$/)]);

const MARK = new RegExp(`^${MARK_PREFIX}ceph-[a-z-]+/[A-Za-z0-9_.%/-]{1,200}$`);
const key = z.string().regex(MARK, { error: 'this is no mark of ours' });
/** A client, and not one that everything hangs on. */
const entity = z
  .string()
  .regex(/^client\.[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, { error: 'this is no client' })
  .refine((one) => !/^client\.(admin|bootstrap-.*)$/.test(one), { error: 'Ceph itself needs it' });
const caps = z.array(text).min(2);

const poolVariable = z.enum([
  'size',
  'min_size',
  'crush_rule',
  'pg_num',
  'pg_num_min',
  'pg_num_max',
  'pg_autoscale_mode',
  'target_size_ratio',
  'target_size_bytes',
  'bulk',
  'nodelete',
  'allow_ec_overwrites',
  'fast_read',
  'recovery_priority',
  'compression_mode',
  'compression_algorithm',
  'compression_required_ratio',
  'compression_min_blob_size',
  'compression_max_blob_size',
]);
export type PoolVariable = z.output<typeof poolVariable>;

const folder = {
  vol_name: name,
  group_name: name,
  mode: modeOf,
  uid: count,
  gid: count,
  pool_layout: name.exactOptional(),
  size: count.exactOptional(),
};
/** Without `no_shrink` it may be less than what is held: that a person released. */
const resize = { vol_name: name, group_name: name, new_size: limit, no_shrink: sure };

const MonCommand = z.discriminatedUnion('prefix', [
  z.strictObject({ prefix: z.literal('config-key set'), key, val: text }),
  z.strictObject({ prefix: z.literal('config-key rm'), key }),
  z.strictObject({
    prefix: z.literal('osd erasure-code-profile set'),
    name,
    profile: z.array(z.string().regex(/^[a-z-]+=[A-Za-z0-9_.-]+$/)).min(1),
  }),
  z.strictObject({
    prefix: z.literal('osd crush rule create-replicated'),
    name,
    root: name,
    type: name,
    class: name.exactOptional(),
  }),
  z.strictObject({ prefix: z.literal('osd crush rule create-erasure'), name, profile: name }),
  z.strictObject({ prefix: z.literal('osd crush rule rm'), name }),
  z.strictObject({
    prefix: z.literal('osd pool create'),
    pool: name,
    pool_type: z.enum(['replicated', 'erasure']),
    rule: name,
    autoscale_mode: z.enum(['on', 'warn', 'off']),
    erasure_code_profile: name.exactOptional(),
    size: count.exactOptional(),
    pg_num: count.exactOptional(),
    pg_num_min: count.exactOptional(),
    pg_num_max: count.exactOptional(),
    target_size_bytes: count.exactOptional(),
    target_size_ratio: z.number().nonnegative().exactOptional(),
    bulk: sure,
  }),
  z.strictObject({
    prefix: z.literal('osd pool set'),
    pool: name,
    var: poolVariable,
    val: text,
    yes_i_really_mean_it: sure,
  }),
  z.strictObject({
    prefix: z.literal('osd pool set-quota'),
    pool: name,
    field: z.enum(['max_bytes', 'max_objects']),
    val: z.string().regex(/^\d+$/),
  }),
  z.strictObject({
    prefix: z.literal('osd pool application enable'),
    pool: name,
    app: name,
    yes_i_really_mean_it: sure,
  }),
  z.strictObject({ prefix: z.literal('fs new'), fs_name: name, metadata: name, data: name }),
  z.strictObject({ prefix: z.literal('fs add_data_pool'), fs_name: name, pool: name }),
  z.strictObject({
    prefix: z.literal('fs set'),
    fs_name: name,
    var: z.enum(['max_mds', 'standby_count_wanted', 'allow_standby_replay', 'max_file_size']),
    val: text,
  }),
  z.strictObject({ prefix: z.literal('auth get-or-create'), entity, caps }),
  z.strictObject({ prefix: z.literal('auth caps'), entity, caps }),
  z.strictObject({ prefix: z.literal('auth rm'), entity }),
]);

const MgrCommand = z.discriminatedUnion('prefix', [
  z.strictObject({ prefix: z.literal('fs subvolumegroup create'), ...folder }),
  z.strictObject({ prefix: z.literal('fs subvolumegroup resize'), ...resize }),
  z.strictObject({
    prefix: z.literal('fs subvolume create'),
    ...folder,
    group_name: name.exactOptional(),
    sub_name: name,
    namespace_isolated: sure,
  }),
  z.strictObject({
    prefix: z.literal('fs subvolume resize'),
    ...resize,
    group_name: name.exactOptional(),
    sub_name: name,
  }),
]);

const Command = z.union([MonCommand, MgrCommand]);

/** Every command that changes something, by who carries it out. */
export const sentCommands: Readonly<Record<Daemon, readonly Command['prefix'][]>> = {
  mon: MonCommand.options.map(({ shape }) => shape.prefix.value),
  mgr: MgrCommand.options.map(({ shape }) => shape.prefix.value),
};

/** One command that changes something, as Ceph takes it. */
export type Command = z.output<typeof Command>;

/** Pure. Which daemon carries it out. */
export function daemonOf({ prefix }: Command): Daemon {
  return prefix.startsWith('fs subvolume') ? 'mgr' : 'mon';
}

/** Pure. What is wrong with it, where it is none that we send: a bug of ours, or a name that got past all checks. */
export function commandProblem(command: Command): string | undefined {
  const shape = daemonOf(command) === 'mgr' ? MgrCommand : MonCommand;
  const read = shape.safeParse(command);
  if (read.success) return undefined;
  const [issue] = read.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  return `\`${command.prefix}\` is not sent: \`${at}\`: ${issue?.message ?? ''}`;
}

/** Pure. What makes it allowed. */
export function capsFor(command: Command): string {
  const log = isOfFilesystem(command) ? `, ${ANY_WRITE}` : '';
  return `${daemonOf(command)} 'allow command "${command.prefix}"${log}'`;
}

/** What changes a file system is taken only from who may write to something: this is the least. Refused with errno 1, not 13. */
const ANY_WRITE = 'allow service log rw';

/** Pure. */
export function isOfFilesystem({ prefix }: Command): boolean {
  return prefix === 'fs set' || prefix === 'fs add_data_pool' || prefix === 'fs new';
}

/** Pure. For people: `osd pool set pool=rep var=size val=3`. Nothing in it is secret. */
export function shownCommand({ prefix, ...words }: Command): string {
  const given = Object.entries(words).map(([word, value]) => {
    const shown = Array.isArray(value) ? value.join(' ') : String(value);
    return `${word}=${/[\s"']/.test(shown) ? JSON.stringify(shown) : shown}`;
  });
  return [prefix, ...given].join(' ');
}
