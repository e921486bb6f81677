import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { identityOf, unwrap } from '../../../agent/age/age.ts';
import { checkSealed, decrypt } from '../../../agent/core/sops/decrypt.ts';
import { detect } from '../../../agent/core/sops/detect.ts';
import { Secret } from '../../../agent/core/secret.ts';

const folder = new URL('../../fixtures/sops/', import.meta.url);
const read = async (name: string): Promise<Buffer> => readFile(new URL(name, folder));

async function opened(name: string): Promise<string> {
  const found = detect(name, await read(name));
  if (found.status !== 'sops') throw new Error(found.status);
  const sealed = checkSealed(found.document);
  if (sealed.status === 'wrong') throw new Error(JSON.stringify(sealed.diagnostics));
  const [, text = ''] = /^(AGE-SECRET-KEY-.+)$/m.exec(String(await read('keys.txt'))) ?? [];
  const identity = await identityOf(new Secret(text));
  const own = sealed.value.wrapped.find(({ recipient }) => recipient === identity.recipient);
  const key = await unwrap(own?.enc ?? '', identity);
  if (key.status !== 'ok') throw new Error(key.status);
  const clear = decrypt(sealed.value, key.content);
  if (clear.status === 'wrong') throw new Error(JSON.stringify(clear.diagnostics));
  return Buffer.from(clear.value).toString();
}

describe('files that SOPS encrypted', () => {
  it('gives YAML with its types, its layout and nothing of SOPS', async () => {
    expect(await opened('secret.enc.yaml')).toBe(
      [
        'secret: this is a secret',
        'string: string',
        'int: 7',
        'float: 3.14',
        'boolean: true',
        'complex:',
        '  value: this is a secret',
        '  array:',
        '    - one',
        '    - two',
        '    - three',
        '',
      ].join('\n'),
    );
  });

  it('gives JSON, in which every number is one of floating point', async () => {
    const text = await opened('secret.enc.json');
    expect(text.startsWith('{\n  "secret": "this is a secret",\n')).toBe(true);
    expect(text.endsWith('    ]\n  }\n}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      secret: 'this is a secret',
      string: 'string',
      int: 7,
      float: 3.14,
      boolean: true,
      complex: { value: 'this is a secret', array: ['one', 'two', 'three'] },
    });
  });

  it('gives lines of an env file', async () => {
    expect(await opened('secret.enc.env')).toBe('secret=this is a secret\nanother_secret=7\n');
  });
});
