import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { validateCommand } from '../../agent/cli/validate.ts';
import { systemClock } from '../../agent/clock.ts';
import { Repository } from './git-support.ts';

const { signal } = new AbortController();
const template = fileURLToPath(new URL('../../repo-template', import.meta.url));
let top = '';
let folder = '';

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-validate-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(top, 'case-'));
  await cp(template, folder, { recursive: true });
});
afterAll(async () => rm(top, { recursive: true, force: true }));

async function validate(...args: readonly string[]) {
  const text = { out: '', err: '' };
  const io = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: true,
    clock: systemClock,
    environment: {},
  };
  const code = await validateCommand(args, io, signal);
  return { code, ...text };
}

const broken = async (): Promise<void> =>
  writeFile(
    join(folder, 'stacks/hello/compose.yaml'),
    'services:\n  web:\n    image: ${IMGE}\n    helthcheck: {}\n',
  );

describe('understudy validate', () => {
  it('finds the template valid, in every environment', async () => {
    expect(await validate(template)).toEqual({
      code: 0,
      out: 'valid: 1 stack, 1 service, environment production\nvalid: 1 stack, 1 service, environment rehearsal\n',
      err: '',
    });
  });

  it('finds it valid with the database laid over it, as its page says', async () => {
    await cp(join(folder, 'with-mysql'), folder, { recursive: true });
    await rm(join(folder, 'with-mysql'), { recursive: true });
    const each = 'valid: 2 stacks, 2 services, 1 database, 1 user, environment';
    expect(await validate(folder)).toEqual({
      code: 0,
      out: `${each} production\n${each} rehearsal\n`,
      err: '',
    });
  });

  it('finds it valid with storage laid over it, and the database beside', async () => {
    for (const part of ['with-mysql', 'with-ceph']) {
      await cp(join(folder, part), folder, { recursive: true });
      await rm(join(folder, part), { recursive: true });
    }
    const { code, out } = await validate(folder, '--environment', 'rehearsal');
    expect(code).toBe(0);
    expect(out).toContain('3 stacks');
    expect(out).toContain('1 subvolume');
    await cp(join(folder, 'with-both'), folder, { recursive: true });
    await rm(join(folder, 'with-both'), { recursive: true });
    const all = await validate(folder, '--environment', 'rehearsal');
    expect(all.code).toBe(0);
    expect(all.out).toContain('2 subvolumes');
  });

  it.each(['production', 'rehearsal'])('in %s alone', async (environment) => {
    const { code, out } = await validate(template, '--environment', environment);
    expect(code).toBe(0);
    expect(out).toBe(`valid: 1 stack, 1 service, environment ${environment}\n`);
  });

  it('shows every mistake once, with its line', async () => {
    await broken();
    await writeFile(join(folder, 'environments/third.yaml'), 'kind: Environment\nname: thrid\n');
    await symlink('/etc/passwd', join(folder, 'stacks/hello/passwd'));
    const { code, out, err } = await validate(folder, '--no-colour');
    expect(code).toBe(3);
    expect(err).toBe('');
    await expect(out).toMatchFileSnapshot('../golden/validate/mistakes.txt');
  });

  it('is as strict as the agent, and reads what a commit would take', async () => {
    await writeFile(join(folder, 'big.yaml'), 'x'.repeat(2 ** 21));
    await writeFile(join(folder, 'A.txt'), '');
    await writeFile(join(folder, 'a.txt'), '');
    await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
    await symlink('../tool', join(folder, 'node_modules/.bin/tool'));
    await writeFile(join(folder, '.gitignore'), 'node_modules/\n');
    const found = async () => {
      const { out } = await validate(folder, '--format', 'json', '--environment', 'production');
      const { diagnostics }: { diagnostics: { code: string }[] } = JSON.parse(out);
      return diagnostics.map(({ code }) => code).toSorted();
    };
    expect(await found()).toEqual(['name-conflict', 'symlink', 'too-large']);
    const work = new Repository(folder);
    expect(await found()).toEqual(['name-conflict', 'too-large']);
    work.commit();
    expect(await found()).toEqual(['name-conflict', 'too-large']);
  });

  it('is coloured where wanted', async () => {
    await broken();
    expect((await validate(folder)).out).toContain('\u001b[');
    expect((await validate(folder, '--no-colour')).out).not.toContain('\u001b[');
  });

  it('names the environment that lacks what another one has', async () => {
    const file = join(folder, 'environments/production.yaml');
    await writeFile(file, 'kind: Environment\nname: production\n');
    const { code, out } = await validate(folder);
    expect(code).toBe(3);
    expect(out).toContain('define it in `variables` of environments/production.yaml');
  });

  it('speaks JSON', async () => {
    const fine = await validate(template, '--format', 'json');
    expect(fine.code).toBe(0);
    expect(JSON.parse(fine.out)).toEqual({ errors: 0, warnings: 0, diagnostics: [] });
    await broken();
    const bad = await validate(folder, '--format=json', '--environment', 'production');
    expect(bad.code).toBe(3);
    expect(JSON.parse(bad.out)).toMatchObject({
      errors: 2,
      diagnostics: [
        { code: 'undefined-variable', place: { file: 'stacks/hello/compose.yaml', line: 3 } },
        { code: 'unknown-key', place: { file: 'stacks/hello/compose.yaml', line: 4 } },
      ],
    });
  });

  it('speaks to GitHub', async () => {
    await broken();
    const { out } = await validate(folder, '--format', 'github', '--environment', 'production');
    expect(out).toMatch(/^::error file=stacks\/hello\/compose\.yaml,line=3,/m);
  });

  it.each([
    ['an environment that is not there', ['--environment', 'staging'], 'missing-document'],
    ['an empty folder', [], 'missing-file'],
  ])('%s is invalid', async (why, args, code) => {
    if (why === 'an empty folder') {
      await rm(folder, { recursive: true });
      folder = await mkdtemp(join(top, 'empty-'));
    }
    const result = await validate(folder, '--format', 'json', ...args);
    expect(result.code).toBe(3);
    expect(result.out).toContain(`"${code}"`);
  });

  it.each([
    ['no folder', []],
    ['two folders', [template, template]],
    ['a folder that is not there', ['/nowhere/at/all']],
    ['a file', [join(template, 'README.md')]],
    ['an option nobody knows', [template, '--enviroment', 'production']],
    ['an option without its value', [template, '--environment']],
    ['a format nobody knows', [template, '--format', 'xml']],
  ])('%s is wrong use', async (_, args) => {
    const { code, out, err } = await validate(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^understudy validate: .+\n\nusage: /);
  });

  it('tells how it is used', async () => {
    const { code, out } = await validate('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/^usage: understudy validate FOLDER/);
    expect(out).toContain(
      'In a Git work tree the files are those that a commit of everything would take',
    );
  });
});
