import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { isFolder, readFolder } from '../../agent/source/folder.ts';

const { signal } = new AbortController();
const limits = { maxBytes: 10_000, maxFiles: 10 };
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
    const snapshot = await readFolder(root, limits, signal);
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
    const snapshot = await readFolder(root, limits, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['stacks/blog/compose.yaml']);
    expect(
      snapshot.diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`).toSorted(),
    ).toEqual(['symlink stacks/blog/page', 'symlink stacks/etc', 'symlink understudy.yaml']);
    expect(JSON.stringify(snapshot)).not.toContain('canary');
  });

  it('does not wait for the other end of a pipe', async () => {
    await put('understudy.yaml', 'version: 1\n');
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const snapshot = await readFolder(root, limits, signal);
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['understudy.yaml']);
  });

  it.each([
    ['as many files as allowed', 10, 1, ''],
    ['one more', 11, 1, 'more than 10 files'],
    ['as many bytes as allowed', 10, 1000, ''],
    ['more', 10, 1001, 'more than 10000 bytes'],
  ])('%s', async (_, files, bytes, message) => {
    for (let file = 0; file < files; file += 1) await put(`${file}.md`, 'x'.repeat(bytes));
    const { diagnostics } = await readFolder(root, limits, signal);
    expect(diagnostics.map(({ code }) => code)).toEqual(message === '' ? [] : ['too-large']);
    expect(diagnostics.map((one) => one.message).join()).toContain(message);
  });

  it('refuses names that no terminal should see', async () => {
    await put('a\u001b[31m.md', '');
    await put('b\\c.md', '');
    const { diagnostics, entries } = await readFolder(root, limits, signal);
    expect(entries).toEqual([]);
    expect(diagnostics.map(({ code }) => code)).toEqual(['file-name', 'file-name']);
  });

  it('does not give content that changed meanwhile', async () => {
    await put('understudy.yaml', 'version: 1\n');
    const snapshot = await readFolder(root, limits, signal);
    await put('understudy.yaml', 'version: 2\n');
    const blob = snapshot.entries[0]?.blob ?? '';
    await expect(snapshot.read([blob], signal)).rejects.toMatchObject({
      name: 'SourceError',
      retry: 'soon',
    });
  });

  it('is not there, or not a folder', async () => {
    await put('file', 'x');
    expect(await isFolder(root, signal)).toBe(true);
    expect(await isFolder(join(root, 'file'), signal)).toBe(false);
    expect(await isFolder(join(root, 'nowhere'), signal)).toBe(false);
    await expect(readFolder(join(root, 'nowhere'), limits, signal)).rejects.toMatchObject({
      name: 'SourceError',
    });
  });

  it('is left when nobody waits for it any more', async () => {
    await expect(readFolder(root, limits, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});
