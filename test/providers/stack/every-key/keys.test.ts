import { describe, expect, it } from 'vitest';

import { Compose } from '../../../../schemas/compose.ts';
import { isUsed, keysOf } from '../../../parity/keys.ts';
import { pairs, rendered, STACKS } from './file.ts';

const stacks = pairs(STACKS);

/** As many as the end-to-end test deploys. */
describe('the Compose files that are generated', () => {
  it('use every key of the schemas', () => {
    const missing = keysOf(Compose).filter(
      (path) => !stacks.some(({ before }) => isUsed(before, path)),
    );
    // A plugin has their content, and no engine here has one.
    const plugin = ['secrets.*.driver', 'secrets.*.driver_opts'];
    expect(missing.map((path) => path.join('.'))).toEqual(plugin);
  });

  it('are taken', () => {
    const mistakes = stacks.flatMap(({ stack, before, after }) =>
      [before, after].flatMap((file) =>
        rendered(stack, file)
          .diagnostics.filter(({ severity }) => severity === 'error')
          .map(({ code, message, place }) => `${code}: ${message}: ${place?.path ?? ''}`),
      ),
    );
    expect([...new Set(mistakes)]).toEqual([]);
  });
});
