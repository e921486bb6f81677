import { describe, expect, it } from 'vitest';

import { ageOf, cut, tableLines } from '../../agent/cli/table.ts';

describe('a table', () => {
  const rows = [
    ['ID', 'SYNC', 'WHY'],
    ['stack/blog', 'Synced', 'web 2/2'],
    ['stack/a-long-name', 'OutOfSync', 'held: waits for stack/db, which is verifying'],
  ];

  it('cuts the last column at the terminal, and no other', () => {
    expect(tableLines(rows, 56)).toEqual([
      'ID                 SYNC       WHY',
      'stack/blog         Synced     web 2/2',
      'stack/a-long-name  OutOfSync  held: waits for stack/db,…',
    ]);
    expect(tableLines(rows, 30)[2]).toBe('stack/a-long-name  OutOfSync  held: waits for sta…');
  });

  it('shows what moves a cursor as text', () => {
    expect(tableLines([['a\u001b[2J', 'b\nc']], 80)).toEqual(['a\\x1b[2J  b\\nc']);
  });

  it.each([
    ['all of it', 'abc', 3, 'abc'],
    ['less', 'abcd', 3, 'ab…'],
    ['wide letters', '日本語', 5, '日本…'],
  ])('keeps %s', (_what, text, columns, expected) => {
    expect(cut(text, columns)).toBe(expected);
  });
});

it.each([
  ['2026-11-20T12:00:00Z', '0s'],
  ['2026-11-20T11:58:01Z', '119s'],
  ['2026-11-20T11:58:00Z', '2m'],
  ['2026-11-20T10:00:00Z', '2h'],
  ['2026-11-18T12:00:00Z', '2d'],
  ['2026-11-21T12:00:00Z', '0s'],
  ['never', '-'],
  [undefined, '-'],
])('the age of %s is %s', (iso, age) => {
  expect(ageOf(iso, '2026-11-20T12:00:00Z')).toBe(age);
});
