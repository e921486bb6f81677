import { describe, expect, it } from 'vitest';
import { familyOf, liesBelow, parentIn, parseStat } from '../../agent/rehearsal/processes.ts';
import { mountsBelow } from '../../agent/rehearsal/lower.ts';

const tail = '1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 12';

describe('parseStat', () => {
  it.each([
    ['a plain name', `77 (sh) S ${tail}`, { pid: 77, ticks: '4711' }],
    ['a name with blanks and brackets', `77 (a) R (b) S ${tail}`, { pid: 77, ticks: '4711' }],
    ['one that ended', `77 (sh) Z ${tail}`, undefined],
    ['one that is gone', '', undefined],
    ['a cut line', '77 (sh) S 1 77', undefined],
  ])('%s', (_, text, expected) => expect(parseStat(text, 77)).toEqual(expected));
});

describe('parentIn', () => {
  it.each([
    ['a plain name', '77 (sh) S 12 77 77 0', 12],
    ['a name with blanks and brackets', '77 (a) R 5 (b) S 12 77 77 0', 12],
    ['the first process', '1 (init) S 0 1 1 0', undefined],
    ['one that is gone', '', undefined],
  ])('%s', (_, text, expected) => expect(parentIn(text)).toBe(expected));
});

describe('familyOf', () => {
  // 1 -> 10 (a shell) -> 11 (us); 1 -> 20 (an engine) -> 21 -> 22; 1 -> 30
  const parents = new Map([
    [10, 1],
    [11, 10],
    [20, 1],
    [21, 20],
    [22, 21],
    [30, 1],
  ]);
  const family = (...founders: readonly number[]): readonly number[] =>
    [...familyOf(new Set(founders), parents, 11)].toSorted((a, b) => a - b);

  it.each([
    ['takes what descends along', [20], [20, 21, 22]],
    ['takes one alone', [30], [30]],
    ['never takes us, nor the shell that we were started from', [10, 11], []],
    ['never takes the whole machine with its first process', [1], []],
    ['takes nothing without a founder', [], []],
  ])('%s', (_, founders, expected) => expect(family(...founders)).toEqual(expected));

  it('ends where numbers form a ring', () => {
    const ring = new Map([
      [2, 3],
      [3, 2],
    ]);
    expect(familyOf(new Set([2]), ring, 9)).toEqual(new Set([2, 3]));
  });
});

describe('liesBelow', () => {
  it.each([
    ['a container, version 1', '4:memory:/understudy-us/0f3a\n3:pids:/', true],
    ['a container, version 2', '0::/understudy-us/0f3a', true],
    ['the cgroup itself', '0::/understudy-us', true],
    ['below another one', '0::/outer/understudy-us/0f3a', true],
    ['a longer name', '0::/understudy-ust/0f3a', false],
    ['a longer name at its front', '0::/x-understudy-us/0f3a', false],
    ['the root', '0::/', false],
    ['nothing', '', false],
  ])('%s', (_, text, expected) => expect(liesBelow(text, '/understudy-us')).toBe(expected));
});

function line(path: string): string {
  return `36 25 0:32 / ${path} rw,relatime shared:1 - tmpfs tmpfs rw`;
}

describe('mountsBelow', () => {
  it('names mounts in the folder only, the innermost first, whatever letters they hold', () => {
    const table = ['/', '/a/us', '/a/us/m1', '/a/us/m1/x\\040y', '/a/ust', '/b/a/us']
      .map(line)
      .join('\n');
    expect(mountsBelow(table, '/a/us')).toEqual(['/a/us/m1/x y', '/a/us/m1', '/a/us']);
  });
});
