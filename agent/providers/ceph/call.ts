import type { Command } from './commands.ts';

/**
 * A question between commands: whether the world is still what they were made for. `absent`: making it again would change what
 * somebody made meanwhile. `pool`: to make one that is there is silently no more than that.
 */
export type Check =
  | {
      readonly check: 'absent';
      readonly words:
        | { readonly prefix: 'osd pool get'; readonly pool: string; readonly var: 'size' }
        | { readonly prefix: 'auth get'; readonly entity: string }
        | { readonly prefix: 'osd crush rule dump'; readonly name: string }
        | { readonly prefix: 'fs get'; readonly fs_name: string }
        | {
            readonly prefix: 'fs subvolumegroup info' | 'fs subvolume info';
            readonly vol_name: string;
            readonly group_name?: string;
            readonly sub_name?: string;
          };
    }
  | {
      readonly check: 'pool';
      readonly pool: string;
      readonly rule: string;
      /** Absent: it is erasure coded. */
      readonly size?: number;
      /** Absent: it is replicated. */
      readonly profile?: string;
      /** What is sent where it is another one: it is not ours then, whatever we noted before. */
      readonly otherwise: Command;
    };

export type Step = Command | Check;

/** Commands for a cluster, as data. */
export interface CephCall {
  readonly op: 'ceph';
  /** As the agent's settings name it; absent: the only one that they name. */
  readonly cluster?: string;
  /** In this order, ending with the first that does not go well. Each may be carried out again. */
  readonly steps: readonly Step[];
  /** It moves data, or waits for copies that have to be there: not soon after another one, of which nothing is seen yet. */
  readonly calm?: true;
}
