import { describe, expect, it } from 'vitest';

import type { First } from '../../agent/core/first.ts';
import { firstLook } from '../../agent/core/first-look.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import { observed, unit } from '../fakes/stack.ts';
import { plannedStacks } from '../../agent/providers/stack/provider.ts';

/** By a kind that says what it is told to. */
function look(first: First | undefined, nowMs: number, watch: Watch = newWatch('to d1', 0)) {
  const around = {
    kind: first === undefined ? plannedStacks : { ...plannedStacks, first: () => first },
    observed: observed(),
    revision: 'r1',
    nowMs,
    date: '',
    absent: [],
    answers: new Map(),
    approvals: new Set<string>(),
    removalsOff: undefined,
  };
  return firstLook(around, { unit: unit(), watch }, { operations: [], blocked: [] });
}

const asking: First = { status: 'asking', why: 'it is asked', asks: [] };

describe('the look before the first call', () => {
  it('waits for an answer, and not for ever', () => {
    const began = look(asking, 1_000);
    expect(began).toMatchObject({ status: 'asking', watch: { first: { sinceMs: 1_000 } } });
    if (began.status !== 'asking') return;
    expect(look(asking, 30_999, began.watch).status).toBe('asking');
    expect(look(asking, 31_000, began.watch)).toMatchObject({
      status: 'clear',
      watch: { first: 'over' },
    });
  });

  it('is over once it was clear: what is called again asks nobody again', () => {
    const clear = look({ status: 'clear' }, 0);
    expect(clear).toMatchObject({ status: 'clear', watch: { first: 'over' } });
    if (clear.status !== 'clear') return;
    expect(look(asking, 1, clear.watch).status).toBe('clear');
  });

  it('asks nobody for a kind that needs nothing', () => {
    expect(look(undefined, 0).status).toBe('clear');
  });
});
