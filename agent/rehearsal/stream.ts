import { setTimeout as sleep } from 'node:timers/promises';
import { openTail, type Tail } from './log-file.ts';
import { merged, placed, type Placed } from './merge.ts';

/** Milliseconds between two looks at the logs. */
const lookMs = 50;
/** The same while something that was read waits for the next look. */
const soonMs = 10;

/** The log of one agent, which may have ended before its log is read, and may be started again. */
export interface AgentSource {
  readonly host: string;
  readonly log: string;
  /** Bytes of the log that are left out. */
  readonly offset: number;
  isAlive(): Promise<boolean>;
}

interface Followed extends AgentSource {
  readonly tail: Tail;
  alive: boolean;
  at: string;
}

/**
 * What several agents write, in the order of time, until the signal or until none of them runs. That one ended is told
 * after its last line.
 */
export async function* followAgents(
  sources: readonly AgentSource[],
  signal: AbortSignal,
): AsyncGenerator<Placed> {
  const followed = sources.map((source): Followed => {
    return { ...source, tail: openTail(source.log, source.offset), alive: true, at: '' };
  });
  try {
    let earlier: readonly Placed[] = [];
    while (!signal.aborted) {
      const looks = await Promise.all(followed.map(look));
      const { due, kept } = merged(earlier, looks.flat());
      yield* due;
      earlier = kept;
      if (kept.length === 0 && followed.every(({ alive }) => !alive)) return;
      await sleep(kept.length > 0 ? soonMs : lookMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await Promise.all(followed.map(({ tail }) => tail.close()));
  }
}

async function look(one: Followed): Promise<readonly Placed[]> {
  const alive = await one.isAlive(); // asked before the read: what it wrote until then is still shown
  const lines: (string | undefined)[] = [...(await one.tail.read())];
  if (one.alive && !alive) lines.push(undefined);
  one.alive = alive;
  const news = placed(one.host, lines, one.at);
  one.at = news.at(-1)?.at ?? one.at;
  return news;
}
