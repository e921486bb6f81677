import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crashLine, crashOf } from '../../agent/render/crash.ts';

function thrown(error: Error, stack: string): Error {
  error.stack = stack;
  return error;
}

describe('what an error was', () => {
  it.each([
    ['an error', new TypeError('x'), /^crash: TypeError crash\.test\.ts:\d+$/],
    [
      'one with a code',
      Object.assign(new RangeError('x'), { code: 'ERR_OUT_OF_RANGE' }),
      /^crash: RangeError ERR_OUT_OF_RANGE crash\.test\.ts:\d+$/,
    ],
    ['no error', 'canary', /^crash: Unknown$/],
    [
      'a message that looks like a frame',
      new Error('x\n    at canary (/a/canary.ts:1:1)\n    at /a/canary.ts:1:1'),
      /^crash: Error crash\.test\.ts:\d+$/,
    ],
    [
      'a message that changed since',
      thrown(new Error('canary'), 'Error: other\n    at canary (/a/canary.ts:1:1)'),
      /^crash: Error$/,
    ],
    [
      'a name that is no name',
      Object.assign(new Error('x'), { name: 'canary here', code: 'canary' }),
      /^crash: Error crash\.test\.ts:\d+$/,
    ],
  ])('%s', (_, error, line) => {
    expect(crashLine(error)).toMatch(line);
    expect(crashLine(error)).not.toContain('canary');
  });

  it('comes back from the error output as it went in', () => {
    const line = crashLine(Object.assign(new SyntaxError('x'), { code: 'ERR_X' }));
    expect(crashOf(`noise\n${line}\n`)).toMatch(/^SyntaxError ERR_X in crash\.test\.ts:\d+$/);
  });
});

it.each([
  ['nothing', '', undefined],
  ['prose', 'it was nice\nsetpriv: failed', undefined],
  [
    'what Node prints',
    "file:///x.ts:1\nthrow\n^\n\nError: Cannot find module 'canary'\n    at x {\n  code: 'MODULE_NOT_FOUND',\n}",
    'Error MODULE_NOT_FOUND',
  ],
  [
    'what Node prints of its own errors',
    'TypeError [ERR_INVALID_ARG_TYPE]: The canary',
    'TypeError ERR_INVALID_ARG_TYPE',
  ],
  ['the engine', '\n#\n# Fatal error in , line 0\n# Check failed: canary', 'a fatal error of Node'],
  ['ours, the last', 'crash: TypeError a.ts:1\ncrash: RangeError b.ts:2', 'RangeError in b.ts:2'],
  ['ours, but longer', 'crash: TypeError a.ts:1 canary', undefined],
])('on the error output: %s', (_, stderr, words) => {
  expect(crashOf(stderr)).toBe(words);
});

it('whatever stands there, what is kept is short and can be shown', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'crash: ',
      'Error',
      ' ',
      '\n',
      'ERR_A',
      ' [ERR_A]',
      ':',
      "  code: 'A'",
      'a.ts:1',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const words = crashOf(pieces.join('')) ?? '';
      expect(words).toMatch(/^[\w .:-]{0,180}$/);
    }),
  );
});
