import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { recipientsIn } from '../../agent/cli/recipients.ts';
import { sealCommand } from '../../agent/cli/seal.ts';
import type { SealVerb } from '../../agent/cli/seal-options.ts';
import { planWantedOf } from '../../agent/cli/plan-options.ts';
import { validateCommand } from '../../agent/cli/validate.ts';
import { systemClock } from '../../agent/clock.ts';

const { signal } = new AbortController();
let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-seal-'));
});
afterAll(async () => rm(folder, { recursive: true }));

async function run(
  verb: SealVerb,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const text = { out: '', err: '' };
  const io = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: false,
    environment,
    date: () => '2026-11-30T08:00:00.000Z',
  };
  const code = await sealCommand(verb, args, io, signal);
  return { code, ...text };
}

describe('a key and a file', () => {
  it('is made, for its owner alone, and never over another one', async () => {
    const made = await run('keygen', [at('key')]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toMatch(/^age1[a-z0-9]{58}\n$/);
    expect((await stat(at('key'))).mode & 0o777).toBe(0o600);
    const text = await readFile(at('key'), 'utf8');
    const again = await run('keygen', [at('key')]);
    expect(again.code).toBe(1);
    expect(again.err).toContain('EEXIST');
    expect(await readFile(at('key'), 'utf8')).toBe(text);
    expect(again.err + made.out).not.toContain('AGE-SECRET');
  });

  it('is encrypted for who is named, and opened with the key alone', async () => {
    const { recipient } = JSON.parse((await run('keygen', [at('k2'), '--json'])).out);
    await writeFile(at('a.yaml'), 'user: admin\npassword: hunter2\n');
    const made = await run('encrypt', [at('a.yaml'), '--recipient', recipient, '--in-place']);
    expect(made).toEqual({ code: 0, out: '', err: '' });
    expect(await readFile(at('a.yaml'), 'utf8')).not.toContain('hunter2');
    const own = await run('decrypt', [at('a.yaml'), '--age-key-file', at('k2')]);
    expect(own).toEqual({ code: 0, out: 'user: admin\npassword: hunter2\n', err: '' });
    const byEnvironment = await run('decrypt', [at('a.yaml')], { SOPS_AGE_KEY_FILE: at('k2') });
    expect(byEnvironment.out).toBe(own.out);
    const other = await run('decrypt', [at('a.yaml'), '--age-key-file', at('key')]);
    expect(other.code).toBe(3);
    expect(other.err).toContain('encrypted-for-others');
    expect(await run('decrypt', [at('a.yaml')])).toMatchObject({ code: 1, out: '' });
    expect(await run('encrypt', [at('a.yaml'), '--recipient', recipient])).toMatchObject({
      code: 3,
      err: expect.stringContaining('encrypted already'),
    });
  });

  const compose = [
    '# what runs',
    'services:',
    '  web:',
    '    image: nginx:1.29 # pinned elsewhere',
    '    environment:',
    '      # of the database',
    '      PASSWORD: hunter2',
    '      PORT: 5432',
    '    labels: {a: b}',
    '',
  ].join('\n');
  const environment = ['--encrypted-regex', '^environment$', '--mac-only-encrypted'];

  it('is a document, of which only what is secret is encrypted, and the rest may change', async () => {
    const recipient = (await run('keygen', [at('k-compose')])).out.trim();
    const key = ['--age-key-file', at('k-compose')];
    await writeFile(at('compose.yaml'), compose);
    await run('encrypt', [at('compose.yaml'), '--recipient', recipient, '--in-place', ...environment]); // prettier-ignore
    const sealed = await readFile(at('compose.yaml'), 'utf8');
    expect(sealed).toContain('    image: nginx:1.29 # pinned elsewhere\n');
    expect(sealed).not.toMatch(/hunter2|5432|of the database/);
    expect((await run('decrypt', [at('compose.yaml'), ...key])).out).toBe(compose);
    await writeFile(at('compose.yaml'), sealed.replace('1.29', '1.30'));
    const changed = await run('decrypt', [at('compose.yaml'), ...key]);
    expect(changed.out).toBe(compose.replace('1.29', '1.30'));
    const edited = `sed -i s/hunter2/hunter3/`;
    expect((await run('edit', [at('compose.yaml'), ...key], { EDITOR: edited })).code).toBe(0);
    expect((await run('decrypt', [at('compose.yaml'), ...key])).out).toContain('hunter3');
    expect(await readFile(at('compose.yaml'), 'utf8')).toContain(
      'encrypted_regex: "^environment$"',
    );
  });

  it('is no document with an alias, which nobody could write back', async () => {
    const recipient = (await run('keygen', [at('k-alias')])).out.trim();
    await writeFile(at('alias.yaml'), 'x-env: &env {A: b}\nservices: {web: {environment: *env}}\n');
    await writeFile(at('merge.yaml'), 'x-env: &env {A: b}\nservices: {web: {<<: *env}}\n');
    for (const name of ['alias.yaml', 'merge.yaml']) {
      const made = await run('encrypt', [at(name), '--recipient', recipient, ...environment]);
      expect(made.code).toBe(3);
      expect(made.err).toContain('an alias or a merge cannot stand in an encrypted file');
    }
  });

  it('is binary byte for byte, into a file that was not there', async () => {
    const recipient = (await run('keygen', [at('k3')])).out.trim();
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    await writeFile(at('blob'), bytes);
    await run('encrypt', [at('blob'), '--recipient', recipient, '--output', at('blob.sops')]);
    const key = ['--age-key-file', at('k3')];
    expect(await run('decrypt', [at('blob.sops'), ...key])).toMatchObject({ code: 1, out: '' });
    expect((await run('decrypt', [at('blob.sops'), ...key, '--output', at('back')])).code).toBe(0);
    expect(await readFile(at('back'))).toEqual(bytes);
    expect((await stat(at('back'))).mode & 0o777).toBe(0o600);
    expect((await run('decrypt', [at('blob.sops'), ...key, '--output', at('back')])).code).toBe(1);
  });

  it.each`
    verb         | args                                    | why
    ${'keygen'}  | ${[]}                                   | ${'name the file'}
    ${'encrypt'} | ${['a', 'b']}                           | ${'one file only'}
    ${'encrypt'} | ${['a', '--type', 'toml']}              | ${'is one of'}
    ${'encrypt'} | ${['a', '--in-place', '--output', 'b']} | ${'do not go together'}
    ${'decrypt'} | ${['a', '--recipient', 'age1']}         | ${'Unknown option'}
  `('is refused to $verb $args', async ({ verb, args, why }) => {
    expect(await run(verb, args)).toMatchObject({ code: 2, err: expect.stringContaining(why) });
  });

  it.each(['ssh-ed25519 AAAA', 'age1yubikey1qqqqqqqqqqqqqq', 'AGE-PLUGIN-X', 'age1qqq'])(
    'is encrypted for no %s',
    async (recipient) => {
      await writeFile(at('plain.yaml'), 'a: 1\n');
      expect(await run('encrypt', [at('plain.yaml'), '--recipient', recipient])).toMatchObject({
        code: 1,
        err: expect.stringContaining('is no age recipient'),
      });
    },
  );
});

describe('.sops.yaml', () => {
  const rules = [
    'creation_rules:',
    '  - path_regex: ^prod/',
    '    age: age1a, age1b',
    '    encrypted_regex: ^environment$',
    '    mac_only_encrypted: true',
    '  - path_regex: "(("',
    '    age: age1c',
    '  - path_regex: kms',
    '    kms: arn:aws:kms:x',
    '  - key_groups: [{age: [age1d]}]',
    '',
  ].join('\n');
  it.each`
    file          | found
    ${'prod/x'}   | ${{ recipients: ['age1a', 'age1b'], rules: { encrypted_regex: '^environment$', mac_only_encrypted: true } }}
    ${'dev/x'}    | ${{ recipients: ['age1d'], rules: {} }}
    ${'kms.yaml'} | ${{ wrong: 'the rule of .sops.yaml that fits kms.yaml names no age recipient' }}
  `('says for whom $file is', ({ file, found }) => {
    expect(recipientsIn(rules, file)).toEqual(found);
  });
});

describe('edit', () => {
  const editor = async (script: string): Promise<Readonly<Record<string, string>>> => {
    await writeFile(at('editor'), `#!/bin/sh\n${script}\n`);
    await chmod(at('editor'), 0o700);
    return { EDITOR: at('editor'), UNDERSTUDY_AGE_KEY_FILE: at('k4') };
  };

  it('encrypts what changed and nothing else, and leaves nothing in clear', async () => {
    const recipient = (await run('keygen', [at('k4')])).out.trim();
    await writeFile(at('e.yaml'), 'user: admin\npassword: hunter2\n');
    await run('encrypt', [at('e.yaml'), '--recipient', recipient, '--in-place']);
    const before = (await readFile(at('e.yaml'), 'utf8')).split('\n');
    const seen = await editor(`stat -c '%a' "$(dirname "$1")" "$1" > ${at('seen')}; echo "$1" >> ${at('seen')}; sed -i s/hunter2/hunter3/ "$1"`); // prettier-ignore
    expect(await run('edit', [at('e.yaml')], seen)).toEqual({ code: 0, out: '', err: '' });
    const after = (await readFile(at('e.yaml'), 'utf8')).split('\n');
    expect(after.filter((line, index) => line !== before[index])).toHaveLength(2);
    expect(after[0]).toBe(before[0]);
    expect((await run('decrypt', [at('e.yaml')], seen)).out).toBe(
      'user: admin\npassword: hunter3\n',
    );
    const [folderMode, fileMode, path = ''] = (await readFile(at('seen'), 'utf8')).split('\n');
    expect([folderMode, fileMode]).toEqual(['700', '600']);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('leaves the file as it was where nothing changed, or the editor fails', async () => {
    const before = await readFile(at('e.yaml'), 'utf8');
    expect(await run('edit', [at('e.yaml')], await editor('true'))).toMatchObject({ code: 0, err: 'nothing changed\n' }); // prettier-ignore
    expect(await run('edit', [at('e.yaml')], await editor('echo x > "$1"; exit 1'))).toMatchObject({ code: 1 }); // prettier-ignore
    expect(await readFile(at('e.yaml'), 'utf8')).toBe(before);
  });

  it('opens the editor again for what cannot be encrypted', async () => {
    const script = `if [ -e ${at('twice')} ]; then sed -i 's/\\[/x/' "$1"; else touch ${at('twice')}; echo 'more: [' >> "$1"; fi`;
    const { code, err } = await run('edit', [at('e.yaml')], await editor(script));
    expect(code).toBe(0);
    expect(err).toContain('error[syntax]');
    expect(err).not.toContain('hunter3');
    const seen = { UNDERSTUDY_AGE_KEY_FILE: at('k4') };
    expect((await run('decrypt', [at('e.yaml')], seen)).out).toContain('more: x\n');
    const left = await readdir('/dev/shm').catch(() => []);
    expect(left.filter((name) => name.startsWith('understudy-edit-'))).toEqual([]);
  });
});

describe('what was typed and cannot be written back', () => {
  const path = '"$1"';
  const editor = async (script: string): Promise<Readonly<Record<string, string>>> => {
    await writeFile(at('typist'), `#!/bin/sh\n${script}\n`);
    await chmod(at('typist'), 0o700);
    return { EDITOR: at('typist'), UNDERSTUDY_AGE_KEY_FILE: at('k6') };
  };
  /** Where it is kept, by what is said; it is taken away. */
  const kept = async (err: string) => {
    const [, where = ''] = /what you typed is in (\S+), in clear and for you alone/.exec(err) ?? [];
    const [file, around] = await Promise.all([stat(where), stat(dirname(where))]);
    const text = await readFile(where, 'utf8');
    await rm(dirname(where), { recursive: true });
    return { where, text, modes: [file.mode & 0o777, around.mode & 0o777] };
  };

  beforeAll(async () => {
    const recipient = (await run('keygen', [at('k6')])).out.trim();
    await mkdir(at('repository'));
    await writeFile(at('repository/f.yaml'), 'password: hunter2\n');
    await run('encrypt', [at('repository/f.yaml'), '--recipient', recipient, '--in-place']);
  });

  const type = `sed -i s/hunter2/hunter3/ ${path}`;
  it.each<[string, () => string, RegExp]>([
    [
      'the file changed meanwhile',
      () => `${type}; echo '# by somebody else' >> ${at('repository/f.yaml')}`,
      /f\.yaml changed meanwhile: nothing is written/,
    ],
    ['the file is gone', () => `${type}; rm ${at('repository/f.yaml')}`, /ENOENT/],
    [
      'nothing can be written there',
      () => `${type}; rm -r ${at('repository')}; touch ${at('repository')}`,
      /ENOTDIR/,
    ],
    ['the editor was killed', () => `${type}; kill -PIPE $$`, /code 1\d\d: nothing is written/],
    [
      'it was left as something that cannot be encrypted',
      () => `grep -q more ${path} || echo 'more: [' >> ${path}; chmod 644 ${path}`,
      /nothing is written/,
    ],
  ])('is kept for its owner alone where %s', async (_what, script, why) => {
    const before = await readFile(at('repository/f.yaml'), 'utf8');
    const result = await run('edit', [at('repository/f.yaml')], await editor(script()));
    expect(result).toMatchObject({ code: 1, out: '', err: expect.stringMatching(why) });
    expect(result.err).not.toContain('hunter');
    const { where, text, modes } = await kept(result.err);
    expect(text).toMatch(/hunter3|more: \[/);
    expect(modes).toEqual([0o600, 0o700]);
    expect(where).not.toContain(folder);
    // Nothing of it was written.
    const now = await readFile(at('repository/f.yaml'), 'utf8').catch(() => undefined);
    expect([undefined, before, `${before}# by somebody else\n`]).toContain(now);
    await rm(at('repository'), { recursive: true });
    await mkdir(at('repository'));
    await writeFile(at('repository/f.yaml'), before);
  });
});

describe('without a key', () => {
  it('a repository is valid as far as that can be seen, and it is said', async () => {
    const recipient = (await run('keygen', [at('k5')])).out.trim();
    const repository = await mkdtemp(at('infra-'));
    const files = {
      'understudy.yaml': 'version: 1\n',
      'compose.yaml':
        'services: {web: {image: "nginx:1", secrets: [x]}}\nsecrets: {x: {file: x.yaml}}\n',
      'x.yaml': 'a: b\n',
    };
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(repository, 'stacks/web'), { recursive: true });
    await mkdir(join(repository, 'environments'));
    await writeFile(join(repository, 'environments/p.yaml'), 'kind: Environment\nname: p\n');
    for (const [name, text] of Object.entries(files)) {
      const path = name === 'understudy.yaml' ? name : `stacks/web/${name}`;
      await writeFile(join(repository, path), text);
    }
    const secret = join(repository, 'stacks/web/x.yaml');
    await run('encrypt', [secret, '--recipient', recipient, '--in-place']);
    const validate = async (...args: string[]) => {
      const text = { out: '', err: '' };
      const io = {
        out: (more: string) => void (text.out += more),
        err: (more: string) => void (text.err += more),
        colour: false,
        clock: systemClock,
        environment: {},
      };
      return { code: await validateCommand([repository, ...args], io, signal), ...text };
    };
    expect(await validate()).toMatchObject({
      code: 0,
      err: 'note: 1 encrypted file of 1 stack not opened: only their form was checked; --age-key-file names a key\n', // prettier-ignore
    });
    expect(await validate('--age-key-file', at('k5'))).toMatchObject({ code: 0, err: '' });
    expect(await validate('--age-key-file', at('key'))).toMatchObject({
      code: 3,
      out: expect.stringContaining('encrypted-for-others'),
    });
    const document = join(repository, 'stacks/web/stack.yaml');
    await writeFile(document, 'kind: Stack\nhealth: {timeout: 5m}\n');
    await run('encrypt', [document, '--recipient', recipient, '--in-place']);
    expect(await validate()).toMatchObject({
      code: 0,
      err: expect.stringContaining('stack/web is encrypted: not compared without the key\n'),
    });
    expect(await validate('--age-key-file', at('k5'))).toMatchObject({ code: 0, err: '' });
    const [line = ''] = (await readFile(secret, 'utf8')).split('\n');
    await writeFile(secret, (await readFile(secret, 'utf8')).replace(line, 'a: hunter2'));
    const bare = await validate();
    expect(bare.code).toBe(3);
    expect(bare.out).toContain('stacks/web/x.yaml:1:4');
    expect(bare.out).not.toContain('hunter2');
  });

  it('a plan takes the key from its option or the environment', () => {
    const key = (args: readonly string[], environment = {}) => {
      const wanted = planWantedOf(['.', ...args], environment, false);
      return typeof wanted === 'object' && 'keyFile' in wanted ? wanted.keyFile : 'none';
    };
    expect(key(['--age-key-file', 'a'], { UNDERSTUDY_AGE_KEY_FILE: 'b' })).toBe('a');
    expect(key([], { UNDERSTUDY_AGE_KEY_FILE: 'b', SOPS_AGE_KEY_FILE: 'c' })).toBe('b');
    expect(key([])).toBeUndefined();
  });
});
