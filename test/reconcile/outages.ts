import * as fc from 'fast-check';
import type { WholeAgent } from '../fakes/whole-agent.ts';

/** Something outside that is away for a while, counted from when the faults begin. Milliseconds. */
export interface Outage {
  /** `drain`: an operator empties the node. */
  readonly what: 'raft leader' | 'node' | 'drain' | 'registry';
  readonly atMs: number;
  readonly forMs: number;
}

/** Any outage that begins while something may be under way. */
export const outages: fc.Arbitrary<Outage> = fc.record({
  what: fc.constantFrom('raft leader', 'node', 'drain', 'registry'),
  atMs: fc.integer({ min: 0, max: 7_000 }),
  forMs: fc.integer({ min: 100, max: 90_000 }),
});

/** Lets these happen. What it gives waits until the last one is over, and the agent has come to rest after it. */
export function begin(world: WholeAgent, weather: readonly Outage[]): () => Promise<void> {
  const { clock, engine } = world;
  const away: Outage['what'][] = [];
  let ahead = weather.length;
  function change(): void {
    engine.catchUp();
    engine.trouble = away.includes('raft leader') ? 'no-leader' : undefined;
    engine.registryUp = !away.includes('registry');
    engine.changeNode('w1', {
      state: away.includes('node') ? 'down' : 'ready',
      availability: away.includes('drain') ? 'drain' : 'active',
    });
  }
  for (const { what, atMs, forMs } of weather) {
    clock.after(atMs, () => {
      away.push(what);
      change();
    });
    clock.after(atMs + forMs, () => {
      away.splice(away.indexOf(what), 1);
      ahead -= 1;
      change();
    });
  }
  return async () => {
    if (ahead === 0) return;
    await world.until(() => ahead === 0);
    await world.rest();
  };
}
