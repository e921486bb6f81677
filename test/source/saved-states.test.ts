import { describe, expect, it } from 'vitest';

import type { Snapshot } from '../../agent/core/snapshot.ts';
import { SourceError } from '../../agent/reconcile/ports.ts';
import { SavedStates } from '../../agent/source/saved-states.ts';

const { signal } = new AbortController();

function state(blob: string): Snapshot {
  const entries = [{ path: 'stacks/a/compose.yaml', blob, sizeBytes: 1 }];
  const read = async () => Promise.resolve(new Map<string, Uint8Array>());
  return { revision: 'folder', subject: '/somewhere', entries, diagnostics: [], read };
}

describe('saved states', () => {
  it('give nothing before the first one', async () => {
    await expect(new SavedStates().newest(signal)).rejects.toThrow(SourceError);
  });

  it('are revisions by their files, and ring for another one only', async () => {
    const states = new SavedStates();
    let rings = 0;
    states.offer(state('one'));
    states.onChange(() => (rings += 1));
    const first = await states.newest(signal);
    states.offer(state('one'));
    expect([rings, await states.newest(signal)]).toEqual([0, first]);
    states.offer(state('two'));
    const second = await states.newest(signal);
    expect([rings, second.revision === first.revision]).toEqual([1, false]);
    expect(second.revision).toMatch(/^saved-[0-9a-f]{34}$/);
    states.offer(state('one'));
    expect((await states.newest(signal)).revision).toBe(first.revision);
  });

  it('follow one from the other, and only the newest can be had', async () => {
    const states = new SavedStates();
    states.offer(state('one'));
    const { revision } = await states.newest(signal);
    states.offer(state('two'));
    expect(await states.at(revision)).toBeUndefined();
    expect(await states.descends()).toBe(true);
  });
});
