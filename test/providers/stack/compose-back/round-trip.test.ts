import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, input } from '../compose/inputs.ts';
import { composeFile } from './arbitrary.ts';
import { adopted, swarmOf } from './support.ts';

const files = {
  'stacks/blog/page': 'one\n',
  'stacks/blog/tuned': 'two \u0000 {{ .Task.Slot }}',
  'stacks/blog/key': 'canary-51c0',
};

/** JSON is YAML; what a YAML file must not hold as it is stands as an escape. */
function jsonOf(file: unknown): string {
  const escaped = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(file).replaceAll(/[\u007f-\uffff]/g, escaped);
}

it('whatever a file asks for, what it makes is written back, asks for the same, and tells no secret', () => {
  fc.assert(
    fc.property(composeFile, (file) => {
      const asked = renderCompose(input(jsonOf(file), { allow: allowAll, files }));
      const errors = asked.diagnostics.filter(({ severity }) => severity === 'error');
      expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
      if (asked.result === undefined) throw new Error('nothing came out');
      const back = adopted('blog', swarmOf(asked.result));
      const nothing = { mistakes: [], changes: [], blocked: [], notes: [] };
      expect(back).toMatchObject(nothing);
      expect(back.compose).not.toContain('canary');
    }),
    { numRuns: 150 },
  );
});
