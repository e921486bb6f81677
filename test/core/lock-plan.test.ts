import { describe, expect, it } from 'vitest';

import { placeOfFile } from '../../agent/core/diagnostic.ts';
import { lockText, planLock } from '../../agent/core/lock-plan.ts';

const a = `sha256:${'a'.repeat(64)}`;
const b = `sha256:${'b'.repeat(64)}`;
const used = (...images: readonly string[]) =>
  images.map((image) => ({ image, place: placeOfFile('stacks/blog/compose.yaml') }));

describe('what becomes of a lock', () => {
  const pins = new Map([
    ['ghost:1', a],
    ['old:1', a],
  ]);
  const uses = used('new:1', 'ghost:1');

  it('adds what is missing and drops what nobody uses', () => {
    expect(planLock(uses, pins, { anew: 'none', part: false })).toEqual({
      missing: ['new:1'],
      unused: ['old:1'],
      asked: ['new:1'],
      strange: [],
    });
  });

  it('drops nothing where environments were left out', () => {
    expect(planLock(uses, pins, { anew: 'none', part: true }).unused).toEqual([]);
  });

  it.each([
    ['all', ['ghost:1', 'new:1'], []],
    [new Set(['ghost:1']), ['ghost:1', 'new:1'], []],
    [new Set(['gohst:1']), ['new:1'], ['gohst:1']],
  ] as const)('asks anew for %s', (anew, asked, strange) => {
    expect(planLock(uses, pins, { anew, part: false })).toMatchObject({ asked, strange });
  });
});

describe('the text of a lock', () => {
  it('is sorted, one entry a line', () => {
    const pins = new Map([
      ['ghost:5.130', b],
      ['ghcr.io/owner/name:1.2', a],
    ]);
    expect(lockText(undefined, pins)).toBe(
      `version: 1\nimages:\n  'ghcr.io/owner/name:1.2': '${a}'\n  'ghost:5.130': '${b}'\n`,
    );
  });

  it('keeps comments, extensions and the way that entries are written', () => {
    const before = `# kept by hand\nversion: 1\nx-note: 'mine'\nimages:\n  # the blog\n  ghost:1: ${a} # for good\n  "old:1": "${a}"\n  cache:1: ${a}\n`;
    const pins = new Map([
      ['ghost:1', b],
      ['cache:1', a],
      ['zoo:1', a],
    ]);
    expect(lockText(before, pins)).toBe(
      `# kept by hand\nversion: 1\nx-note: 'mine'\nimages:\n  cache:1: ${a}\n  # the blog\n  ghost:1: '${b}' # for good\n  'zoo:1': '${a}'\n`,
    );
  });

  it('is a mapping without anything where nothing is left', () => {
    const before = `version: 1\nimages:\n  'ghost:1': '${a}'\n`;
    expect(lockText(before, new Map())).toBe('version: 1\nimages: {}\n');
  });

  it('is the same again from itself', () => {
    const pins = new Map([
      ['b:1', a],
      ['a:1', b],
    ]);
    const once = lockText(undefined, pins);
    expect(lockText(once, pins)).toBe(once);
  });
});
