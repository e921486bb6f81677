import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { isFolder, readFolder } from '../../agent/source/folder.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { localSettings, Repository } from './git-support.ts';

const { signal } = new AbortController();
const limits = { bytesMax: 10_000, filesMax: 10, fileBytesMax: 5000 };
const options = { limits, clock: systemClock };
let top = '';
let root = '';

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-folder-'));
});
beforeEach(async () => {
  root = await mkdtemp(join(top, 'case-'));
});
afterAll(async () => rm(top, { recursive: true, force: true }));

async function put(path: string, content: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), content);
}

describe('a folder as a snapshot', () => {
  it('has its files, sorted, with the ids that Git gives', async () => {
    await put('stacks/blog/compose.yaml', 'services: {}\n');
    await put('understudy.yaml', 'version: 1\n');
    await put('.git/config', '[core]');
    await put('stacks/.git', 'gitdir: elsewhere');
    await put('é.md', '');
    await put('Z.md', 'same');
    await put('a.md', 'same');
    const snapshot = await readFolder(root, options, signal);
    expect(snapshot).toMatchObject({ revision: 'folder', diagnostics: [] });
    expect(snapshot.entries.map(({ path }) => path)).toEqual([
      'Z.md',
      'a.md',
      'stacks/blog/compose.yaml',
      'understudy.yaml',
      'é.md',
    ]);
    for (const { path, blob, sizeBytes } of snapshot.entries) {
      const git = execFileSync('git', ['hash-object', join(root, path)], { encoding: 'utf8' });
      expect(`${path} ${blob}`).toBe(`${path} ${git.trim()}`);
      const content = (await snapshot.read([blob], signal)).get(blob);
      expect(content).toHaveLength(sizeBytes);
    }
  });

  it('follows no link, and shows nothing of what it leads to', async () => {
    await writeFile(join(top, 'outside'), 'canary-5b2e');
    await put('stacks/blog/compose.yaml', 'x');
    await symlink(join(top, 'outside'), join(root, 'stacks/blog/page'));
    await symlink('/etc', join(root, 'stacks/etc'));
    await symlink('nowhere', join(root, 'understudy.yaml'));
    const snapshot = await readFolder(root, options, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['stacks/blog/compose.yaml']);
    expect(
      snapshot.diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`).toSorted(),
    ).toEqual(['symlink stacks/blog/page', 'symlink stacks/etc', 'symlink understudy.yaml']);
    expect(JSON.stringify(snapshot)).not.toContain('canary');
  });

  it('does not wait for the other end of a pipe', async () => {
    await put('understudy.yaml', 'version: 1\n');
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const snapshot = await readFolder(root, options, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['understudy.yaml']);
  });

  it.each([
    ['as many files as allowed', 10, 1, ''],
    ['one more', 11, 1, 'more than 10 files'],
    ['as many bytes as allowed', 10, 1000, ''],
    ['more', 10, 1001, 'larger than 10000 bytes'],
  ])('%s', async (_, files, bytes, message) => {
    for (let file = 0; file < files; file += 1) await put(`${file}.md`, 'x'.repeat(bytes));
    const { diagnostics } = await readFolder(root, options, signal);
    expect(diagnostics.map(({ code }) => code)).toEqual(message === '' ? [] : ['too-large']);
    expect(diagnostics.map((one) => one.message).join()).toContain(message);
  });

  it('refuses names that no terminal should see', async () => {
    await put('a\u001b[31m.md', '');
    const { diagnostics, entries } = await readFolder(root, options, signal);
    expect(entries).toEqual([]);
    expect(diagnostics.map(({ code }) => code)).toEqual(['wrong-name']);
  });

  it('looks at sizes before it reads', async () => {
    await put('stacks/blog/compose.yaml', 'x');
    // Larger than any memory: it would not end well.
    execFileSync('truncate', ['--size', '4T', join(root, 'docs.yaml')]);
    const wide = { ...options, limits: { ...limits, bytesMax: Number.MAX_SAFE_INTEGER } };
    const snapshot = await readFolder(root, wide, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['stacks/blog/compose.yaml']);
    expect(snapshot.diagnostics).toMatchObject([
      { severity: 'error', code: 'too-large', place: { file: 'docs.yaml' } },
    ]);
  });

  it('gives what it named, and later nothing that changed meanwhile', async () => {
    await put('understudy.yaml', 'version: 1\n');
    const snapshot = await readFolder(root, options, signal);
    await put('understudy.yaml', 'version: 2\n');
    const blob = snapshot.entries[0]?.blob ?? '';
    const given = await snapshot.read([blob], signal);
    expect(Buffer.from(given.get(blob) ?? []).toString()).toBe('version: 1\n');
    await expect(snapshot.read([blob], signal)).rejects.toMatchObject({
      name: 'SourceError',
      retry: 'soon',
    });
  });

  it('keeps a bounded part of what it read, and reads the rest again', async () => {
    const large = 'x'.repeat(3 * 2 ** 20);
    for (const name of ['a', 'b', 'c']) await put(`docs/${name}`, `${name}${large}`);
    const wide = { ...options, limits: { ...limits, bytesMax: 2 ** 30, fileBytesMax: 2 ** 30 } };
    const snapshot = await readFolder(root, wide, signal);
    for (const name of ['a', 'b', 'c']) await put(`docs/${name}`, `${name}!${large.slice(1)}`);
    const read = snapshot.entries.map(async ({ blob }) =>
      snapshot.read([blob], signal).then(
        () => 'kept',
        (error: unknown) => String(error),
      ),
    );
    expect(await Promise.all(read)).toEqual([
      'kept',
      'kept',
      'SourceError: docs/c changed while it was read',
    ]);
  });

  it('is not there, or not a folder', async () => {
    await put('file', 'x');
    expect(await isFolder(root, signal)).toBe(true);
    expect(await isFolder(join(root, 'file'), signal)).toBe(false);
    expect(await isFolder(join(root, 'nowhere'), signal)).toBe(false);
    await expect(readFolder(join(root, 'nowhere'), options, signal)).rejects.toMatchObject({
      name: 'SourceError',
    });
  });

  it('is left when nobody waits for it any more', async () => {
    await expect(readFolder(root, options, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});

/** What the agent makes of it once everything is committed. */
async function committed(repository: Repository) {
  repository.commit();
  const source = await openGitSource(
    { ...localSettings(root, repository.folder), maxBytes: 10_000_000, maxFiles: 10 },
    { clock: systemClock },
  );
  try {
    return await source.newest(signal);
  } finally {
    await source.close();
  }
}

describe('a work tree', () => {
  let repository: Repository;
  const wide = {
    ...options,
    limits: { bytesMax: 10_000_000, filesMax: 10, fileBytesMax: 1024 * 1024 },
  };
  beforeEach(() => {
    repository = new Repository(join(root, 'work'));
  });

  it.each<readonly [string, (work: Repository) => void, readonly string[]]>([
    ['plain files', () => undefined, []],
    [
      'a huge document',
      (work) => work.write('docs/big.yaml', 'x'.repeat(2 ** 21)),
      ['error too-large docs/big.yaml'],
    ],
    [
      'a huge picture',
      (work) => work.write('docs/big.png', 'x'.repeat(2 ** 21)),
      ['warning too-large docs/big.png'],
    ],
    [
      'names that differ in case',
      (work) => {
        work.write('A.txt', '1');
        work.write('a.txt', '2');
      },
      ['error name-conflict a.txt'],
    ],
    ['a link', (work) => work.link('docs/link', 'elsewhere'), ['error symlink docs/link']],
    [
      'links in an ignored folder',
      (work) => {
        work.write('.gitignore', 'node_modules/\n');
        work.link('node_modules/.bin/tool', '../tool');
      },
      [],
    ],
    [
      'a repository in the repository',
      (work) => {
        const inner = new Repository(join(work.folder, 'vendor/inner'));
        inner.write('file', 'x');
        inner.commit();
      },
      ['error submodule vendor/inner'],
    ],
    ['a backslash', (work) => work.write('a\\b.md', ''), []],
    ['a control character', (work) => work.write('a\tb.md', ''), ['error wrong-name a\\x09b.md']],
    [
      'a name that is not UTF-8',
      (work) => {
        const name = Buffer.concat([Buffer.from(join(work.folder, 'a')), Buffer.from([0xff])]);
        writeFileSync(name, 'x');
      },
      ['error wrong-name a\u00ff'],
    ],
    [
      'too many files',
      (work) => {
        for (let file = 0; file < 11; file += 1) work.write(`${file}.md`, '');
      },
      ['error too-large '],
    ],
  ])('%s: the same before and after it is committed', async (_, make, expected) => {
    repository.write('stacks/blog/compose.yaml', 'services: {}\n');
    make(repository);
    const before = await readFolder(repository.folder, wide, signal);
    const after = await committed(repository);
    expect(before.entries).toEqual(after.entries);
    expect(before.diagnostics).toEqual(after.diagnostics);
    expect(
      before.diagnostics.map(
        ({ severity, code, place }) => `${severity} ${code} ${place?.file ?? ''}`,
      ),
    ).toEqual(expected);
    // And again where everything is tracked.
    expect(await readFolder(repository.folder, wide, signal)).toMatchObject({
      entries: after.entries,
      diagnostics: after.diagnostics,
    });
  });

  it('is taken as a commit of everything would take it', async () => {
    repository.write('kept.md', 'old');
    repository.write('gone.md', 'x');
    repository.write('folder/inside.md', 'x');
    repository.write('.gitignore', '*.log\n');
    repository.write('forced.log', 'x');
    repository.git(['add', '-A']);
    repository.git(['add', '-f', 'forced.log']);
    repository.git(['commit', '-q', '-m', 'first']);
    repository.write('kept.md', 'changed and not staged');
    repository.write('new.md', 'x');
    repository.write('some.log', 'x');
    await rm(join(repository.folder, 'gone.md'));
    // A folder becomes a link: what it leads to is nobody's business.
    await rm(join(repository.folder, 'folder'), { recursive: true });
    await mkdir(join(root, 'outside'));
    await put('outside/inside.md', 'canary-09ab');
    repository.link('folder', join(root, 'outside'));

    const snapshot = await readFolder(repository.folder, wide, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual([
      '.gitignore',
      'forced.log',
      'kept.md',
      'new.md',
    ]);
    expect(snapshot.diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`)).toEqual([
      'symlink folder',
    ]);
    expect((await committed(repository)).entries).toEqual(snapshot.entries);
  });

  it('may be asked for a part of it, and for a part that Git ignores', async () => {
    repository.write('.gitignore', 'scratch/\nclusters/eu/local.md\n');
    repository.write('clusters/eu/understudy.yaml', 'version: 1\n');
    repository.write('clusters/eu/local.md', 'x');
    repository.write('scratch/understudy.yaml', 'version: 1\n');
    for (const part of ['clusters/eu', 'scratch']) {
      const { entries } = await readFolder(join(repository.folder, part), wide, signal);
      expect(entries.map(({ path }) => path)).toEqual(['understudy.yaml']);
    }
  });

  it('may be a linked one, or lie behind a link', async () => {
    repository.write('understudy.yaml', 'version: 1\n');
    repository.write('.gitignore', '*.log\n');
    repository.commit();
    repository.git(['worktree', 'add', '-q', '-b', 'other', join(root, 'other')]);
    await put('other/some.log', 'x');
    await symlink(join(root, 'other'), join(root, 'link'));
    for (const folder of ['other', 'link']) {
      const { entries } = await readFolder(join(root, folder), wide, signal);
      expect(entries.map(({ path }) => path)).toEqual(['.gitignore', 'understudy.yaml']);
    }
  });

  it('starts nothing that its own configuration names, and does not look where that points', async () => {
    repository.write('understudy.yaml', 'version: 1\n');
    repository.commit();
    const program = join(root, 'program');
    await writeFile(program, `#!/bin/sh\ntouch '${join(root, 'ran')}'\n`);
    await chmod(program, 0o755);
    await mkdir(join(root, 'elsewhere'));
    await put('elsewhere/canary', 'x');
    repository.git(['config', 'core.fsmonitor', program]);
    repository.git(['config', 'core.hooksPath', root]);
    repository.git(['config', 'core.worktree', join(root, 'elsewhere')]);
    repository.git(['config', 'core.bare', 'true']);
    const { entries } = await readFolder(repository.folder, wide, signal);
    expect(entries.map(({ path }) => path)).toEqual(['understudy.yaml']);
    expect(await readdir(root)).not.toContain('ran');
  });

  it('that is damaged is told', async () => {
    repository.write('understudy.yaml', 'version: 1\n');
    repository.commit();
    await writeFile(join(repository.folder, '.git/index'), 'nonsense');
    await expect(readFolder(repository.folder, wide, signal)).rejects.toMatchObject({
      name: 'SourceError',
      message: expect.stringMatching(/^git cannot list the files of /),
    });
  });
});
