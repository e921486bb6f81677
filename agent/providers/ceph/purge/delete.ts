import { NO_GROUP } from '../observed.ts';
import type { CommandWords, Daemon } from '../protocol.ts';
import type { Purgeable, PurgeThing } from './thing.ts';

// The only file with commands that delete what holds data, as 16.2.15 takes them. Nothing that an agent runs imports it; a test
// holds that.

/** One command, and who carries it out. */
export interface Order {
  readonly to: Daemon;
  readonly words: CommandWords;
}

/** How one thing goes. */
export interface Deletion {
  /** Takes Ceph's own guard away; absent: there is none. */
  readonly open?: Order;
  /** Puts it back, where the thing stays. */
  readonly shut?: Order;
  readonly remove: Order;
}

const mon = (prefix: string, words: Omit<CommandWords, 'prefix'>): Order => ({
  to: 'mon',
  words: { prefix, ...words },
});
const mgr = (prefix: string, words: Omit<CommandWords, 'prefix'>): Order => ({
  to: 'mgr',
  words: { prefix, ...words },
});

/** Pure. Said again it changes nothing, or is told that there is no such thing. Pools of a file system stay: each has its own document. */
export function deletionOf({ what, names }: PurgeThing): Deletion {
  const [first = '', second = '', third = ''] = names;
  const deletions: Readonly<Record<Purgeable, () => Deletion>> = {
    'ceph-pool': () => ({
      open: mon('osd pool set', { pool: first, var: 'nodelete', val: 'false' }),
      shut: mon('osd pool set', { pool: first, var: 'nodelete', val: 'true' }),
      remove: mon('osd pool delete', {
        pool: first,
        pool2: first,
        yes_i_really_really_mean_it: true,
      }),
    }),
    'ceph-filesystem': () => ({
      open: mon('fs fail', { fs_name: first }),
      shut: mon('fs set', { fs_name: first, var: 'joinable', val: 'true' }),
      remove: mon('fs rm', { fs_name: first, yes_i_really_mean_it: true }),
    }),
    'ceph-subvolume-group': () => ({
      remove: mgr('fs subvolumegroup rm', { vol_name: first, group_name: second }),
    }),
    'ceph-subvolume': () => ({
      remove: mgr('fs subvolume rm', {
        vol_name: first,
        // Nobody may name the group of those that are in none.
        ...(second !== NO_GROUP && { group_name: second }),
        sub_name: third,
      }),
    }),
  };
  return deletions[what]();
}
