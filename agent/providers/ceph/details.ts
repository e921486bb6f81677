import type { Command } from './commands.ts';
import { NO_GROUP, type ObservedSubvolume } from './observed.ts';

/** One subvolume of a cluster. */
export interface Spot {
  readonly filesystem: string;
  readonly group: string;
  readonly subvolume: string;
}

/** So long what was read of one is believed, unless something is told to it. Milliseconds. */
const BELIEVED_MS = 10 * 60_000;
/** So many that are older are read anew in one look: so all of them come round, and no look takes long. */
const AGAIN_MAX = 16;
/** So long after the first one a look goes on with further ones; those that are left are for the next one. Milliseconds. */
const LOOK_MS = 8_000;

interface Known {
  readonly read: ObservedSubvolume;
  readonly atMs: number;
}

/**
 * What was read of single subvolumes of one cluster: Ceph has no question about all of them, and whether they are there is told by
 * the lists. In memory only. What is believed decides no more than which command is sent, and Ceph takes no command that shrinks.
 */
export class KnownDetails {
  readonly #known = new Map<string, Known>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Nothing is believed any more. */
  forgetAll(): void {
    this.#known.clear();
  }

  /** What is told to a cluster: of those that a command is about nothing is believed, whatever became of it. */
  forget(commands: Iterable<Command>): void {
    for (const command of commands) {
      const spot = spotOf(command);
      if (spot !== undefined) this.#known.delete(keyOf(spot));
    }
  }

  /** One look. */
  begin(): DetailsLook {
    const nowMs = this.#nowMs();
    const asked = new Set<string>();
    let again = 0;
    let firstMs: number | undefined;
    return {
      get: (spot) => {
        const key = keyOf(spot);
        asked.add(key);
        const known = this.#known.get(key);
        firstMs ??= this.#nowMs();
        if (known === undefined) return this.#nowMs() - firstMs < LOOK_MS ? 'ask' : undefined;
        if (nowMs - known.atMs < BELIEVED_MS || again >= AGAIN_MAX) return known.read;
        again += 1;
        return 'ask';
      },
      put: (spot, read) => {
        // Of one that is not as it should be, the next look may say something else.
        if (read?.state === 'complete') this.#known.set(keyOf(spot), { read, atMs: nowMs });
        else this.#known.delete(keyOf(spot));
      },
      end: () => {
        for (const key of this.#known.keys()) if (!asked.has(key)) this.#known.delete(key);
      },
    };
  }
}

/** What one look takes and brings. */
export interface DetailsLook {
  /** `ask`: it is to be read. Undefined: for that there is no time now. */
  get(spot: Spot): ObservedSubvolume | 'ask' | undefined;
  /** Undefined: it is not there. */
  put(spot: Spot, read: ObservedSubvolume | undefined): void;
  /** Everything that is there was asked for: what was not is forgotten. */
  end(): void;
}

function keyOf({ filesystem, group, subvolume }: Spot): string {
  return `${filesystem}/${group}/${subvolume}`;
}

/** Pure. What a command is about, where that is a subvolume. */
function spotOf(command: Command): Spot | undefined {
  if (!('sub_name' in command)) return undefined;
  const { vol_name: filesystem, sub_name: subvolume } = command;
  const group = 'group_name' in command ? command.group_name : undefined;
  return { filesystem, group: group ?? NO_GROUP, subvolume };
}
