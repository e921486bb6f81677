import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tar, type TarEntry } from '../../../agent/rehearsal/tar.ts';

const entries: readonly TarEntry[] = [
  { type: 'folder', path: 'bin' },
  { type: 'folder', path: 'tmp', mode: 0o1777 },
  { type: 'file', path: 'bin/run', data: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
  { type: 'file', path: 'empty', data: Buffer.alloc(0) },
  { type: 'file', path: 'block', data: Buffer.alloc(512, 'x') },
  { type: 'link', path: 'bin/sh', target: 'run' },
];

/** The machine's own tar, in the words that it lists an archive with. */
function listed(archive: Buffer): readonly string[] {
  const result = spawnSync('tar', ['-tvf', '-', '--numeric-owner'], {
    input: archive,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', TZ: 'UTC', LC_ALL: 'C' },
  });
  expect(result.stderr).toBe('');
  return result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

describe('tar', () => {
  it("is read by the machine's tar", () => {
    expect(listed(tar(entries))).toEqual([
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/',
      'drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/',
      '-rwxr-xr-x 0/0 10 1970-01-01 00:00 bin/run',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00 empty',
      '-rw-r--r-- 0/0 512 1970-01-01 00:00 block',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/sh -> run',
    ]);
  });

  it('gives equal bytes for equal entries', () =>
    expect(tar(entries).equals(tar(entries))).toBe(true));

  it('refuses a path that does not fit', () => {
    expect(() => tar([{ type: 'folder', path: 'x'.repeat(100) }])).toThrow('too long');
  });
});
