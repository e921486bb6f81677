import { describe, expect, it } from 'vitest';

import { redactor } from '../../agent/core/redact.ts';

const said = (words: readonly string[], message: string): string =>
  redactor(words)({ severity: 'error', code: 'syntax', message }).message;

describe('decrypted values in what is said', () => {
  it.each`
    why                            | word                | message                   | shown
    ${'as it is'}                  | ${'hunter2'}        | ${'no `hunter2` here'}    | ${'no `[secret]` here'}
    ${'in lower case'}             | ${'Hunter2'}        | ${'a hunter2b'}           | ${'a [secret]b'}
    ${'in quotes'}                 | ${'a"b\\c'}         | ${'is "a\\"b\\\\c"'}      | ${'is "[secret]"'}
    ${'one line of it'}            | ${'first\nsecond'}  | ${'not second'}           | ${'not [secret]'}
    ${'what looks like a pattern'} | ${'a.*(b'}          | ${'aXX(b a.*(b'}          | ${'aXX(b [secret]'}
    ${'a short one by itself'}     | ${'80'}             | ${'port 80 of 8080'}      | ${'port [secret] of 8080'}
    ${'no part of another word'}   | ${'web'}            | ${'`webs` `web`'}         | ${'`webs` `[secret]`'}
    ${'nothing for an empty one'}  | ${''}               | ${'as it is'}             | ${'as it is'}
    ${'a very long one'}           | ${'x'.repeat(5000)} | ${`a${'x'.repeat(5000)}`} | ${'a[secret]'}
  `('go: $why', ({ word, message, shown }) => {
    expect(said([String(word)], String(message))).toBe(shown);
  });

  it('go, the longer first', () => {
    expect(said(['pass', 'password'], 'password pass')).toBe('[secret] [secret]');
  });

  it('go from hints and quoted lines, and places stay', () => {
    const place = { file: 'secret.yaml', line: 1, column: 1, length: 1, quoted: 'a: secret' };
    const mistake = {
      severity: 'error',
      code: 'syntax',
      message: 'm',
      hint: 'no secret',
      place,
    } as const;
    expect(redactor(['secret'])(mistake)).toEqual({
      ...mistake,
      hint: 'no [secret]',
      place: { ...place, quoted: 'a: [secret]' },
    });
  });

  it('may be many', () => {
    const words = Array.from({ length: 20_000 }, (_, at) => `value-${String(at)}-x`);
    expect(said(words, 'value-19999-x and value-3-x')).toBe('[secret] and [secret]');
  });
});
