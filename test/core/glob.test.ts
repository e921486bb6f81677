import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { globFits } from '../../agent/core/glob.ts';

describe('a pattern', () => {
  it.each([
    ['*', ''],
    ['*', 'blog'],
    ['blog', 'blog'],
    ['blog-*', 'blog-'],
    ['blog-*', 'blog-a'],
    ['*-blog', 'a-blog'],
    ['a*b*c', 'abc'],
    ['a*b*c', 'axxbyyc'],
    ['a*a', 'aa'],
    ['**', 'a'],
    ['a.c', 'a.c'],
  ])('%s fits %s', (pattern, name) => expect(globFits(pattern, name)).toBe(true));

  it.each([
    ['', 'a'],
    ['blog', 'blogs'],
    ['blog', 'Blog'],
    ['blog-*', 'blog'],
    ['a*a', 'a'],
    ['ab*ba', 'aba'],
    ['a*b*c', 'acb'],
    ['a.c', 'abc'],
    ['[ab]', 'a'],
    ['?', 'a'],
  ])('%s does not fit %s', (pattern, name) => expect(globFits(pattern, name)).toBe(false));

  it('means what the same regular expression means', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '*'), maxLength: 8 });
    const escaped = (pattern: string): string =>
      pattern
        .split('*')
        .map((part) => part.replaceAll(/[-.]/g, '\\$&'))
        .join('.*');
    fc.assert(
      fc.property(word, word, (pattern, name) => {
        const expected = new RegExp(`^${escaped(pattern).replaceAll('\\-', '-')}$`).test(name);
        expect(globFits(pattern, name)).toBe(expected);
      }),
    );
  });

  // A pattern that tries every way would need more steps than there are atoms; the test's deadline is the bound.
  it('of many stars takes no longer than a short one', () => {
    expect(globFits(`${'a*'.repeat(20_000)}b`, `${'a'.repeat(50_000)}c`)).toBe(false);
    expect(globFits(`${'a*'.repeat(20_000)}c`, `${'a'.repeat(50_000)}c`)).toBe(true);
  });
});
