import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checked, dataKey, opened, sealedText } from './sops.ts';

const yaml = [
  '# who may log in',
  'user: admin',
  'password: "p: w#d"',
  'count: 3',
  'ratio: 1.50',
  'on: true',
  'nothing:',
  'empty: ""',
  'plain_unencrypted: seen',
  'deep:',
  '    # inside',
  '    list:',
  '        - one # beside',
  '        - two: 2',
  '    pem: |',
  '        -----BEGIN KEY-----',
  '        abc',
  '        -----END KEY-----',
  '',
].join('\n');

describe('what is encrypted', () => {
  it('is every value and comment of YAML but those with the suffix, empty ones and null', () => {
    const text = sealedText('a.yaml', yaml);
    for (const clear of ['admin', 'p: w#d', 'who may log in', 'inside', 'beside', 'BEGIN KEY'])
      expect(text).not.toContain(clear);
    expect(text).toContain('plain_unencrypted: seen\n');
    expect(text).toContain('empty: ""\n');
    expect(text).toContain('nothing:\n');
    expect(text).toMatch(/^count: ENC\[AES256_GCM,data:\S+,type:int\]$/m);
    expect(text).toMatch(/^ratio: \S+,type:float\]$/m);
    expect(text).toMatch(/^on: \S+,type:bool\]$/m);
    expect(text).toMatch(/^#\S+,type:comment\]$/m);
  });

  it('comes back as `sops` would print it', () => {
    const expected = yaml
      .replace('password: "p: w#d"', "password: 'p: w#d'")
      .replace('1.50', '1.5')
      .replace('on: true', 'on: true');
    expect(opened('a.yaml', sealedText('a.yaml', yaml))).toBe(expected);
  });

  it('is YAML inside of brackets, where ciphertext has to be quoted', () => {
    const text = 'a: {b: one, c: [two, 3, "x, y"]}\nd: [{e: f}]\n';
    const sealed = sealedText('a.yaml', text);
    expect(sealed).toMatch(/\{b: "ENC\[\S+\]", c: \["ENC\[/);
    expect(opened('a.yaml', sealed)).toBe(text.replace('"x, y"', "'x, y'"));
  });

  it('is JSON, with tabs or without, and numbers as they are', () => {
    const text = '{\n\t"a": "<x>",\n\t"n": 12345678901234567000000,\n\t"list": [1, 0.5, true, null, "é"],\n\t"o": {}\n}\n'; // prettier-ignore
    const back = opened('a.json', sealedText('a.json', text));
    expect(back).toContain('"a": "\\u003cx\\u003e"');
    expect(JSON.parse(String(back))).toEqual(JSON.parse(text));
    expect(opened('b.json', sealedText('b.json', '{}\n'))).toBe('{}\n');
  });

  it('is an env file, without its empty lines, with what follows `=` as it is', () => {
    const text = '# a comment\n\nA=1\nB="x y"\n\n\nEMPTY=\nL=one\\ntwo\nE=a=b\n';
    expect(opened('a.env', sealedText('a.env', text))).toBe(text.replaceAll(/\n\n+/g, '\n'));
  });

  it('is anything else as a whole, byte for byte', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const text = sealedText('a.bin', bytes);
    const sealed = checked('a.bin', text);
    expect(sealed).toMatchObject({ document: { format: 'binary' } });
    expect(JSON.parse(text)).toMatchObject({ sops: { lastmodified: '2026-11-30T08:00:00Z' } });
  });

  it('comes back whatever the values are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme' })),
        (values) => {
          // `sops` itself is a name that SOPS takes.
          const entries = Object.entries(values).filter(([key]) => key !== 'sops');
          const text = JSON.stringify(Object.fromEntries(entries));
          const back = opened('a.json', sealedText('a.json', text));
          expect(JSON.parse(String(back))).toEqual(Object.fromEntries(entries));
          const lines = entries
            .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
            .join('');
          const again = opened('a.yaml', sealedText('a.yaml', lines));
          const once = sealedText('a.yaml', String(again));
          expect(opened('a.yaml', once)).toBe(again);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each`
    text                                            | why
    ${'a: &x 1\nb: *x\n'}                           | ${'alias'}
    ${'- a\n'}                                      | ${'only a mapping'}
    ${'a: 2026-01-01\n'}                            | ${'in quotes'}
    ${'a: 1\nsops:\n  mac: x\n  lastmodified: y\n'} | ${'encrypted already'}
  `('is not what SOPS cannot hold: $text', ({ text, why }) => {
    expect(() => sealedText('a.yaml', text)).toThrow(why);
  });
});

describe('encrypting again', () => {
  it('keeps the ciphertext of what did not change', () => {
    const first = sealedText('a.yaml', yaml);
    const before = checked('a.yaml', first);
    if (!('document' in before)) throw new Error(before.join('\n'));
    const second = sealedText('a.yaml', yaml.replace('admin', 'root'), { before });
    const changed = second.split('\n').filter((line, at) => line !== first.split('\n')[at]);
    expect(changed).toHaveLength(2);
    expect(changed[0]).toMatch(/^user: /);
    expect(changed[1]).toMatch(/^ {4}mac: /);
    expect(opened('a.yaml', second)).toContain('user: root\n');
  });

  it('gives other ciphertext without the file of before: nonces are never used twice', () => {
    expect(sealedText('a.yaml', yaml)).not.toBe(sealedText('a.yaml', yaml));
  });
});

describe('a file that was changed by hand', () => {
  const good = sealedText('a.yaml', 'user: admin\npassword: hunter2\nlist:\n    - a\n    - b\nseen_unencrypted: 1\n'); // prettier-ignore
  const line = (name: string): string => new RegExp(`^ *${name}(.*)$`, 'm').exec(good)?.[1] ?? '';
  it.each`
    what                       | change                                                                                                                        | problem
    ${'two values swapped'}    | ${(t: string) => t.replace(line('user: '), '#').replace(line('password: '), line('user: ')).replace('#', line('password: '))} | ${/^encryption-damaged 1:7 `user` is damaged, or was moved/}
    ${'a value in clear'}      | ${(t: string) => t.replace(line('password: '), 'hunter2')}                                                                    | ${/^not-encrypted 2:11 `password` is not encrypted/}
    ${'a number in clear'}     | ${(t: string) => t.replace(line('password: '), '7')}                                                                          | ${/^not-encrypted 2:11 `password`/}
    ${'damaged base64'}        | ${(t: string) => t.replace('data:', 'data:!')}                                                                                | ${/^encryption-damaged 1:7 `user` is damaged: it is not what SOPS writes/}
    ${'a value taken out'}     | ${(t: string) => t.replace(/^user.*\n/, '')}                                                                                  | ${/^encryption-damaged 1:1 the digest \(`mac`\) of the file is not/}
    ${'list items swapped'}    | ${(t: string) => t.replace(/( {4}- .*\n)( {4}- .*\n)/, '$2$1')}                                                               | ${/^encryption-damaged 1:1 the digest \(`mac`\) of the file is not/}
    ${'a plain value changed'} | ${(t: string) => t.replace('_unencrypted: 1', '_unencrypted: 2')}                                                             | ${/^encryption-damaged 1:1 the digest \(`mac`\) of the file is not/}
    ${'another time'}          | ${(t: string) => t.replace('2026', '2025')}                                                                                   | ${/^encryption-damaged 1:1 the digest \(`mac`\) of the file is damaged/}
    ${'no digest'}             | ${(t: string) => t.replace(/^ *mac:.*\n/m, '')}                                                                               | ${/^encryption-damaged 1:1 what SOPS writes about the file is not whole/}
    ${'nothing of SOPS left'}  | ${(t: string) => t.replace(/^sops:[^]*/m, '')}                                                                                | ${/^encryption-damaged 1:1 the file holds values that SOPS encrypted/}
    ${'key groups'}            | ${(t: string) => t.replace('    age:', '    key_groups: [1]\n    age:')}                                                      | ${/^encryption-unsupported 1:1 .*key groups/}
    ${'another service alone'} | ${(t: string) => t.replace('    age:', '    pgp:')}                                                                           | ${/^encryption-unsupported 1:1 .*not encrypted for age/}
    ${'two rules'}             | ${(t: string) => t.replace('    age:', '    encrypted_regex: ^x$\n    age:')}                                                 | ${/^encryption-unsupported 1:1 .*more than one rule/}
    ${'comments as rules'}     | ${(t: string) => t.replace('    age:', '    encrypted_comment_regex: x\n    age:')}                                           | ${/^encryption-unsupported 1:1 .*comments say/}
  `('is refused: $what', ({ change, problem }) => {
    const changed = change(good);
    expect(changed).not.toBe(good);
    const [first] = opened('a.yaml', changed);
    expect(first).toMatch(problem);
    expect(JSON.stringify(opened('a.yaml', changed))).not.toContain('hunter2');
  });

  it('is refused where hardly anything of SOPS is left', () => {
    const cut = `${good.slice(0, good.indexOf('sops:'))}sops:\n    version: 3.9.0\n`;
    expect(opened('a.yaml', cut)).toEqual([
      expect.stringMatching(/^encryption-damaged 1:1 the file holds values that SOPS encrypted/),
    ]);
  });

  it('opens with its own data key only', () => {
    expect(opened('a.yaml', good, Buffer.alloc(32, 8))[0]).toMatch(/^encryption-damaged/);
    expect(opened('a.yaml', good, Buffer.alloc(16, 7))[0]).toMatch(/has not 32 bytes/);
    expect(opened('a.yaml', good, dataKey)).toContain('password: hunter2\n');
  });
});

describe('which values are encrypted', () => {
  it.each`
    rule                                    | sealed
    ${{ encrypted_regex: '^(?:pass|key)' }} | ${['password', 'key']}
    ${{ encrypted_regex: '(?i)^PASS' }}     | ${['password']}
    ${{ unencrypted_regex: '^user$' }}      | ${['password', 'key']}
    ${{ encrypted_suffix: 'word' }}         | ${['password']}
    ${{ unencrypted_suffix: 'key' }}        | ${['user', 'password']}
  `('is said by $rule', ({ rule, sealed }) => {
    const clear = 'user: u\npassword: p\nkey: k\n';
    const first = checked('a.yaml', sealedText('a.yaml', clear));
    if (!('document' in first)) throw new Error(first.join('\n'));
    const { unencrypted_suffix: _suffix, ...metadata } = first.metadata;
    for (const only of [false, true]) {
      const before = { ...first, metadata: { ...metadata, ...rule, mac_only_encrypted: only } };
      const text = sealedText('a.yaml', clear, { before });
      const found = [...text.matchAll(/^(\w+): ENC/gm)].map(([, key]) => key);
      expect(found).toEqual(sealed);
      expect(opened('a.yaml', text)).toBe(clear);
      // What is in clear is under the digest, or it is not.
      const touched = text.replace(/: [upk]$/m, ': x');
      expect(touched).not.toBe(text);
      expect(typeof opened('a.yaml', touched)).toBe(only ? 'string' : 'object');
    }
  });

  it('is not guessed from an expression that cannot be read', () => {
    const text = sealedText('a.yaml', 'a: b\n').replace('    age:', '    encrypted_regex: "(("\n    age:').replace(/ *unencrypted_suffix.*\n/, ''); // prettier-ignore
    expect(opened('a.yaml', text)[0]).toMatch(/^encryption-unsupported .*regular expression/);
  });
});

describe('a file that is not encrypted', () => {
  it.each([
    'a: 1\n',
    'sops: yes\n',
    'sops:\n  editor: vim\n',
    'sops: [\n',
    '{"sops": {"version": "3"}}',
    'sops_mode=1\n',
    '{"sops": ',
    'see https://getsops.io\n',
  ])('stays what it is: %s', (text) => {
    expect(checked('x', text)).toEqual(['plain']);
  });

  it('is refused where it is INI that SOPS encrypted', () => {
    const text = '[a]\nb = ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]\n[sops]\nmac = x\n';
    expect(opened('a.ini', text)[0]).toMatch(/^encryption-unsupported 1:1 an INI file/);
  });
});
