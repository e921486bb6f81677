import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, input } from './inputs.ts';

const folder = join(import.meta.dirname, '../../../golden/compose');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace(/\.yaml$/, ''));

const files = {
  'stacks/blog/site.conf': 'server {}\n',
  'stacks/blog/one.env': '\ufeff# first\nA=one\nB=from-file\n  LEAD=x \nVALUE\nEMPTY=\n',
  'stacks/blog/env/two.env': 'A=two\r\nQUOTED="q"\r\n',
  'shared/password': 'hunter2',
};
const variables = {
  TAG: '1.27',
  REPLICAS: '3',
  VALUE: 'given',
  READ_ONLY: 'yes',
  HOST: 'blog.example.org',
};

it.each(names)('%s', async (name) => {
  const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
  const { result, diagnostics } = renderCompose(input(text, { files, variables, allow: allowAll }));
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const warnings = diagnostics.map(
    ({ code, message, place }) => `${place?.path}: ${code}: ${message}`,
  );
  const written = `${JSON.stringify({ ...result, warnings }, null, 2)}\n`;
  expect(written).not.toContain(Buffer.from('hunter2').toString('base64'));
  await expect(written).toMatchFileSnapshot(join(folder, `${name}.json`));
});

/** Names that people give, and keys of maps of text: everything else in the file is a key of Compose. */
const given = new Set(
  'web proxy back unused data remote shared site outer password NUMBER FLOAT OCTAL DATE EMPTY VALUE one none text team encrypted o device worker nproc nofile core db cache nowhere tag csi vault path rate'.split(
    ' ',
  ),
);

const everything = readFileSync(join(folder, 'everything.yaml'), 'utf8');
const places = [...everything.matchAll(/(?<=[\s{])([a-z_]+):(?=\s)/g)]
  .filter(([, key = '']) => !given.has(key))
  .filter(({ index }) => !everything.slice(0, index).split('\n').at(-1)?.includes('#'))
  // `type` is also an option of a volume's driver, `c` and `v` are labels.
  .filter(({ index }) => !/driver_opts: \{ $|labels: \{ $/.test(everything.slice(0, index)));

it('finds enough keys to misspell', () => expect(places.length).toBeGreaterThan(120));

it.each(places.map(({ 1: key = '', index }) => [key, index] as const))(
  'a misspelt `%s` at %d is never ignored',
  (key, index) => {
    const text = `${everything.slice(0, index)}${key}q${everything.slice(index + key.length)}`;
    const { result, diagnostics } = renderCompose(
      input(text, { files, variables, allow: allowAll }),
    );
    expect(result).toBeUndefined();
    expect(diagnostics.map(({ code }) => code)).toContain('unknown-key');
  },
);
