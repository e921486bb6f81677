import { expect, it } from 'vitest';

import { splitWords } from '../../../../agent/providers/stack/compose/words.ts';

it.each([
  ['', []],
  ['  \t\r\n', []],
  ['a b', ['a', 'b']],
  ['echo "a b" c\\ d $HOME # tail', ['echo', 'a b', 'c d', '$HOME']],
  ["'a\\b' x", ['a\\b', 'x']],
  ['"a\\"b\\n"', ['a"bn']],
  ["''", ['']],
  ['a""b', ['ab']],
  [`x'y'"z"`, ['xyz']],
  ['a#b', ['a#b']],
  ['a # b\nc', ['a', 'c']],
  ['# only', []],
  ['\\#a', ['#a']],
  ['--x="y z"', ['--x=y z']],
])('%j', (text, words) => expect(splitWords(text)).toEqual({ words }));

it.each([
  ['"a', 'unclosed quote'],
  ["a 'b", 'unclosed quote'],
  ['a\\', 'nothing after the last backslash'],
  ['"a\\', 'nothing after the last backslash'],
])('refuses %j', (text, problem) => expect(splitWords(text)).toEqual({ problem }));
