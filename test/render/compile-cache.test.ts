import { chmod, chown, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { compileCache } from '../../agent/render/compile-cache.ts';
import { NOBODY } from '../../agent/render/privileges.ts';

const asRoot = process.getuid?.() === 0;
let top: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-cache-'));
});

afterEach(async () => {
  await rm(top, { recursive: true });
});

describe("where renderers keep their program's compiled form", () => {
  it('is a folder of root, and nowhere for others', async () => {
    const folder = join(top, 'a', 'b');
    expect(compileCache(folder)).toBe(asRoot ? folder : undefined);
  });

  it('is nowhere where another one could have put something', async () => {
    await chmod(top, 0o777);
    expect(compileCache(top)).toBeUndefined();
    await chmod(top, 0o755);
    if (asRoot) await chown(top, NOBODY, NOBODY);
    expect(compileCache(top)).toBe(undefined);
  });

  it('is nowhere where no folder can be made', async () => {
    await writeFile(join(top, 'file'), '');
    expect(compileCache(join(top, 'file', 'below'))).toBeUndefined();
  });

  it('is never behind a link', async () => {
    await symlink(tmpdir(), join(top, 'link'));
    expect(compileCache(join(top, 'link'))).toBeUndefined();
  });
});
