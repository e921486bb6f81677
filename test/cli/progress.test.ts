import { describe, expect, it } from 'vitest';

import { withProgress } from '../../agent/cli/progress.ts';
import { VirtualClock } from '../fakes/clock.ts';

function stage(progress: boolean) {
  const said: string[] = [];
  const clock = new VirtualClock();
  const work = Promise.withResolvers<string>();
  const io = { err: (text: string) => void said.push(text), clock, progress };
  return { said, clock, work, done: withProgress(io, 'rendering', () => work.promise) };
}

describe('progress', () => {
  it('is told from two seconds on, and no more when the work is done', async () => {
    const { said, clock, work, done } = stage(true);
    await clock.advance(1_999);
    expect(said).toEqual([]);
    await clock.advance(10_001);
    expect(said).toEqual(['rendering ... 2 s\n', 'rendering ... 12 s\n']);
    work.resolve('value');
    expect(await done).toBe('value');
    await clock.advance(60_000);
    expect(said).toHaveLength(2);
  });

  it('is told nobody who does not watch', async () => {
    const { said, clock, work, done } = stage(false);
    await clock.advance(60_000);
    work.resolve('value');
    await done;
    expect(said).toEqual([]);
  });
});
