import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suggest } from '../../agent/core/suggest.ts';

const keys = ['image', 'command', 'environment', 'stop_grace_period', 'stableFor', 'ports', 'mode'];

describe('did you mean', () => {
  it.each([
    ['imge', 'image'],
    ['iamge', 'image'],
    ['imagee', 'image'],
    ['Image', 'image'],
    ['port', 'ports'],
    ['comand', 'command'],
    ['enviroment', 'environment'],
    ['stopGracePeriod', 'stop_grace_period'],
    ['stop-grace-period', 'stop_grace_period'],
    ['stable_for', 'stableFor'],
    ['mod', 'mode'],
    // too far
    ['imxyz', undefined],
    ['m', undefined],
    ['ab', undefined],
    ['volumes', undefined],
    ['', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s -> %s', (word, expected) => {
    expect(suggest(word, keys)).toBe(expected);
  });

  it('is silent where two are equally close', () => {
    expect(suggest('port', ['ports', 'sport'])).toBeUndefined();
    expect(suggest('port', ['ports', 'sport', 'Port'])).toBe('Port');
  });

  it('gives one of the candidates, and never the word itself', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (word, candidates) => {
        const found = suggest(word, candidates);
        if (found === undefined) return;
        expect(candidates).toContain(found);
        expect(found).not.toBe(word);
      }),
    );
  });
});
