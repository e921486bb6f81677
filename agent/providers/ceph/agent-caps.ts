/** A command of monitors that an agent sends, and the beginning of all names that it may be about; absent: any. */
export interface NeededCommand {
  readonly command: string;
  /** As monitors call the limit: `entity`, `key`. */
  readonly limit?: { readonly of: 'entity' | 'key'; readonly prefix: string };
}

const EVERYWHERE = [
  'osd erasure-code-profile set',
  'osd crush rule create-replicated',
  'osd crush rule create-erasure',
  'osd crush rule rm',
  'osd pool create',
  'osd pool set',
  'osd pool set-quota',
  'osd pool application enable',
  'fs new',
  'fs add_data_pool',
  'fs set',
  'auth ls',
];
const OF_CLIENTS = ['auth get', 'auth get-or-create', 'auth caps', 'auth rm'];
const OF_MARKS = ['config-key dump', 'config-key set', 'config-key rm'];

/** Pure. What an agent needs of monitors beside reading. `pattern`: `clientPattern` of its settings. */
export function neededCommands(pattern: string): readonly NeededCommand[] {
  const [prefix = pattern] = pattern.split('*');
  return [
    ...EVERYWHERE.map((command) => ({ command })),
    ...OF_CLIENTS.map((command) => ({ command, limit: { of: 'entity' as const, prefix } })),
    ...OF_MARKS.map((command) => ({
      command,
      limit: { of: 'key' as const, prefix: 'understudy/' },
    })),
  ];
}

/** Reading; and a right to write to something, without which Ceph changes no file system (16.2.15): the log is the least. */
export const READING = ['allow r', 'allow service log rw'] as const;

/** What an agent sends to the manager daemon. `allow module volumes rw` would let it remove all of that (16.2.15). */
export const neededOfManager: readonly string[] = ['subvolumegroup', 'subvolume'].flatMap((what) =>
  ['ls', 'info', 'create', 'resize'].map((verb) => `fs ${what} ${verb}`),
);

/** Pure. All that an agent is given, as `ceph auth get-or-create` takes it. Nothing in it deletes what holds data. */
export function agentCaps(pattern: string): readonly string[] {
  const grants = neededCommands(pattern).map(({ command, limit }) => {
    const rest = limit === undefined ? '' : ` with ${limit.of} prefix ${limit.prefix}`;
    return `allow command "${command}"${rest}`;
  });
  const ofManager = neededOfManager.map((command) => `allow command "${command}"`);
  return ['mon', [...READING, ...grants].join(', '), 'mgr', ofManager.join(', ')];
}
