import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { TextSearch } from '../../agent/probes/text-search.ts';

it('a text is found in parts exactly where it is in the whole, and as early as it is there', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'ü') });
  const wanted = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 1, maxLength: 4 });
  const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1 });
  fc.assert(
    fc.property(letters, wanted, sizes, (text, needle, cuts) => {
      const whole = Buffer.from(text);
      const search = new TextSearch(needle);
      let end = 0;
      for (let turn = 0; end < whole.length && turn < 500; turn += 1) {
        const begin = end;
        end += cuts[turn % cuts.length] ?? 1;
        const found = search.feed(whole.subarray(begin, end));
        expect(found).toBe(whole.subarray(0, end).includes(Buffer.from(needle)));
        if (found) return;
      }
    }),
  );
});
