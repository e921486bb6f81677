import { describe, expect, it } from 'vitest';

import { placeOf, seal } from '../../../agent/core/sops/cipher.ts';
import { commentsOf } from '../../../agent/core/sops/comments.ts';
import { openComments } from '../../../agent/core/sops/sealed-comments.ts';
import type { Leaf } from '../../../agent/core/sops/text.ts';
import type { Container } from '../../../agent/core/sops/yaml.ts';
import { dataKey, encryption, opened, sealedText } from './sops.ts';

const FORM = 'ENC[AES256_GCM,';
const leaf = (path: readonly string[], value = ''): Leaf => ({
  path,
  value,
  range: { start: 0, end: 1 },
});
/** So many mappings, each with one value. */
const mappings = (count: number): readonly Leaf[] =>
  Array.from({ length: count }, (_one, at) => leaf([`m${String(at)}`, 'key']));
const named = (at: number): string => `m${String(at)}`;

/** A comment says where it opens, behind the form. */
function tried(leaves: readonly Leaf[], comments: readonly Leaf[]) {
  let tries = 0;
  const found = openComments({ leaves }, comments, (sealed, place) => {
    tries += 1;
    return sealed.slice(FORM.length).trimEnd() === place ? 'clear' : undefined;
  });
  return { ...found, tries };
}

describe('encrypted comments', () => {
  it('are tried once each where they seem to belong', () => {
    const leaves = mappings(500);
    const comments = leaves.map((_one, at) => leaf([named(at)], ` ${FORM}${named(at)}:`));
    const { texts, tries } = tried(leaves, comments);
    expect([texts.size, tries]).toEqual([500, 500]);
  });

  it('are tried around that before anywhere else', () => {
    const leaves = [...mappings(500), leaf(['a', 'b', 'c', 'key'])];
    const comments = Array.from({ length: 500 }, () => leaf(['a', 'b', 'c'], `${FORM}a:`));
    expect(tried(leaves, comments)).toMatchObject({ tries: 1_500, texts: { size: 500 } });
  });

  it('open wherever they stand, as long as there are few', () => {
    const comment = leaf(['m7'], `${FORM}m499:`);
    const { texts, tries } = tried(mappings(500), [comment]);
    expect(texts.get(comment)).toBe('clear');
    expect(tries).toBeLessThanOrEqual(502);
  });

  it('that open nowhere stay as they are: nobody encrypted them', () => {
    expect(tried(mappings(10), [leaf(['m1'], `${FORM}nowhere`)])).toEqual({
      texts: new Map(),
      // Each mapping, and the top.
      tries: 11,
    });
  });

  it.each([500, 1_000])('are given up after a bounded number of tries: %i of them', (count) => {
    const comments = mappings(count).map(({ path }) => leaf(path, `${FORM}nowhere`));
    const { tooMany, tries } = tried(mappings(count), comments);
    expect(tooMany).toBeDefined();
    expect(tries).toBeLessThanOrEqual(20_000 + count);
  });

  it('cost as much as they are long', () => {
    const long = `${FORM}nowhere${' '.repeat(1_000 * 1_024)}x`;
    const { tooMany, tries } = tried(mappings(500), [leaf(['m1'], long)]);
    expect(tooMany).toBeDefined();
    expect(tries).toBeLessThanOrEqual(20);
  });

  it('that are too many and stray make the file wrong, with the place and no content', () => {
    const strays = Array.from({ length: 160 }, () => {
      const clear = { type: 'comment', bytes: Buffer.from('hunter2') } as const;
      return `# ${seal(clear, dataKey, placeOf(['elsewhere']), encryption.random)}\n`;
    });
    const body = Array.from({ length: 160 }, (_one, at) => `${named(at)}:\n    key: x\n`).join('');
    const sealed = sealedText('a.yaml', body);
    expect(opened('a.yaml', strays.slice(0, 20).join('') + sealed)).toContain('m159:');
    expect(opened('a.yaml', strays.join('') + sealed)).toEqual([
      expect.stringMatching(/^encryption-damaged 12\d:2 so many encrypted comments/),
    ]);
  });
});

describe('the mapping of a comment', () => {
  /** Mappings of one key each, a comment before each, and how often a key was looked at. */
  function looks(count: number): number {
    let text = '';
    let reads = 0;
    const tokens: object[] = [];
    const containers: Container[] = [];
    for (let at = 0; at < count; at += 1) {
      tokens.push({ type: 'comment', offset: text.length, source: '# x' });
      text += '# x\n';
      const keyAt = text.length;
      text += `${named(at)}: 1\n`;
      const container = { path: [named(at)], end: text.length, keyAt };
      Object.defineProperty(container, 'keyAt', {
        get: () => {
          reads += 1;
          return keyAt;
        },
      });
      containers.push(container);
    }
    // The shape of tokens is the parser's own; of these only comments are looked at.
    const found = commentsOf(text, JSON.parse(JSON.stringify(tokens)), containers);
    expect(found.map(({ path }) => path)).toEqual(containers.map(({ path }) => path));
    return reads;
  }

  it('is found in work that grows with the file and not with its square', () => {
    expect(looks(2_000)).toBeLessThanOrEqual(2 * looks(1_000));
    expect(looks(1_000)).toBeLessThanOrEqual(1_000);
  });
});
