import { describe, expect, it } from 'vitest';

import { formatText } from '../../../agent/core/format.ts';
import { COMPOSE, poisons } from '../../conformance/poisons.ts';
import type { Contents } from '../../fakes/repository.ts';
import { environment, mysql, render } from './rendering.ts';

const FILE = 'mysql/x.yaml';
const user = (more: string): string =>
  `kind: MySQLUser\nname: blog\npassword: {generate: true, secret: a}\n${more}`;
const repeated = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join('');

/** What poisons a Compose file, in place of a file of documents. */
const texts = Object.entries(poisons).flatMap(([name, { files }]) => {
  const text = files?.[COMPOSE];
  return text === undefined ? [] : [[name, { [FILE]: text }] as const];
});

const own: Readonly<Record<string, readonly [Contents, string]>> = {
  'thousands of documents without a kind': [
    mysql(repeated(5000, () => '---\na: 1\n')),
    'too-large',
  ],
  'thousands of mistakes in as many documents': [
    mysql(repeated(1500, (at) => `---\nkind: MySQLDatabase\nname: d${String(at)}\nwrong: 1\n`)),
    'too-large',
  ],
  'more documents than a file may have': [
    mysql(repeated(30_000, () => '---\na: 1\n')),
    'too-large',
  ],
  'variables that grow': [
    {
      ...mysql(user(`hosts:\n${repeated(90, () => `  - "${'$A'.repeat(50)}"\n`)}`)),
      ...environment(`variables: {A: ${'x'.repeat(10_000)}}\n`),
    },
    'too-large',
  ],
  'one variable that grows': [
    {
      ...mysql(user(`rotate: "${'$A'.repeat(50_000)}"\n`)),
      ...environment(`variables: {A: ${'x'.repeat(10_000)}}\n`),
    },
    'too-large',
  ],
  'a kind that paints the terminal': [mysql('kind: "MySQL\\e[2J\\u202e"\n'), 'wrong-value'],
  'a name that turns the text around': [
    mysql('kind: MySQLDatabase\nname: "a\\u202eb\\e[2J"\n'),
    'wrong-name',
  ],
  'a role that paints the terminal': [mysql(user('roles: ["a\\e[2J"]\nwrong: 1\n')), 'unknown-key'],
  '`__proto__` as a key': [mysql(user('__proto__: {}\n')), 'key-type'],
  '`constructor` as a key': [mysql(user('constructor: {}\n')), 'unknown-key'],
  '`constructor` as a server': [mysql(user('server: constructor\n')), 'not-allowed'],
  'a file outside': [
    mysql('kind: MySQLUser\nname: a\npassword: {fromFile: /etc/passwd, key: a}\n'),
    'wrong-value',
  ],
  'a key of thousands of parts': [
    mysql(
      `kind: MySQLUser\nname: a\npassword: {fromFile: understudy.yaml, key: "${'a.'.repeat(5000)}"}\n`,
    ),
    'wrong-value',
  ],
  'a file that is no secret': [
    mysql('kind: MySQLUser\nname: a\npassword: {fromFile: understudy.yaml, key: version}\n'),
    'not-encrypted',
  ],
  'too many roles': [
    mysql(user(`roles: [${repeated(5000, (at) => `r${String(at)},`)}]\n`)),
    'wrong-value',
  ],
  'too many grants': [
    mysql(user(`privileges: [${repeated(1500, () => '{privileges: [ALL]},')}]\n`)),
    'wrong-value',
  ],
};

describe('a hostile file of documents', () => {
  it.each([...texts, ...Object.entries(own).map(([name, [files]]) => [name, files] as const)])(
    '%s',
    (_, files) => {
      const { diagnostics, units } = render(files);
      expect(units).toEqual([]);
      expect(diagnostics.filter(({ severity }) => severity === 'error')).not.toEqual([]);
      expect(diagnostics.length).toBeLessThan(110);
      expect([...new Set(diagnostics.map(({ place }) => place?.file))]).toEqual([FILE]);
      // Nothing of it can move the cursor, turn the text around, or end a line.
      expect(formatText(diagnostics, { colour: false })).not.toMatch(
        /[^\P{C}\n]|[\u200b-\u200f\u202a-\u202e]/u,
      );
    },
  );

  it.each(Object.entries(own))('%s is told as what it is', (_, [files, code]) => {
    expect(render(files).diagnostics.map((one) => one.code)).toContain(code);
  });

  it.each(['variables that grow', 'one variable that grows'])(
    '%s: nothing more is made of them',
    (name) => {
      const codes = render(own[name]?.[0] ?? {}).diagnostics.map(({ code }) => code);
      expect(codes.filter((code) => code === 'too-large')).toHaveLength(1);
    },
  );

  it('of warnings alone is no mistake, however many there are', () => {
    const text = repeated(
      300,
      (at) =>
        `---\nkind: MySQLUser\nname: u${String(at)}\npassword: {generate: true, secret: s${String(at)}}\nretention: 1d\nroles: [other]\n`,
    );
    const { diagnostics, units } = render(mysql(text));
    expect(units).toHaveLength(301);
    expect(diagnostics.map(({ severity }) => severity)).not.toContain('error');
    // A hundred, a word about the others, and one about the role.
    expect(diagnostics).toHaveLength(102);
  });
});
