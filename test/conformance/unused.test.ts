import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

import { projectFolder } from '../../agent/rehearsal/plan.ts';

/** A program whose zod is the project's, or one of its own. */
let top: string;
const ours = join(projectFolder, 'node_modules', 'zod');

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-zod-'));
  await mkdir(join(top, 'node_modules'));
  await symlink(ours, join(top, 'node_modules', 'zod'));
});

afterEach(async () => {
  await rm(top, { recursive: true });
});

/** What zod says of a number that should be text, and which of its languages were loaded for that. */
async function zodIn(
  folder: string,
): Promise<{ readonly said: string; readonly languages: readonly string[] }> {
  // Registered before ours, so it sees what ours lets through.
  const watch = `
    import { registerHooks } from 'node:module';
    globalThis.languages = [];
    registerHooks({
      load(url, context, next) {
        const [, name] = /\\/locales\\/([^/]+)\\.js$/.exec(url) ?? [];
        if (name !== undefined) globalThis.languages.push(name);
        return next(url, context);
      },
    });`;
  await writeFile(join(folder, 'watch.mjs'), watch);
  const main = `
    import { z } from 'zod';
    const said = z.string().safeParse(7).error.issues[0].message;
    console.log(JSON.stringify({ said, languages: globalThis.languages }));`;
  await writeFile(join(folder, 'main.mjs'), main);
  const imports = [join(folder, 'watch.mjs'), join(projectFolder, 'agent', 'unused.mjs')];
  const words = [...imports.flatMap((path) => ['--import', path]), join(folder, 'main.mjs')];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return z.object({ said: z.string(), languages: z.array(z.string()) }).parse(JSON.parse(stdout));
}

const ENGLISH = 'Invalid input: expected string, received number';

it('leaves zod its English, and loads none of its other languages', async () => {
  expect(await zodIn(top)).toEqual({ said: ENGLISH, languages: ['en'] });
});

it.each([
  [
    'takes its English from among them',
    'classic/schemas.js',
    'import en from "../locales/en.js"',
    'import { en } from "../locales/index.js"',
  ],
  [
    'has them under another name',
    'classic/external.js',
    '"../locales/index.js"',
    '"../locales/all.js"',
  ],
])('leaves a zod that %s all of its languages', async (_what, file, before, after) => {
  const own = join(top, 'node_modules', 'zod');
  await rm(own);
  const isLoaded = (path: string): boolean => !/\.(?:[cm]?ts|cjs)$|\/(?:src|v3)$/.test(path);
  await cp(ours, own, { recursive: true, filter: isLoaded });
  const index = join(own, 'v4', 'locales', 'index.js');
  await cp(index, join(own, 'v4', 'locales', 'all.js'));
  const path = join(own, 'v4', file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain(before);
  await writeFile(path, text.replace(before, after));
  const { said, languages } = await zodIn(top);
  expect(said).toBe(ENGLISH);
  expect(languages).toEqual(expect.arrayContaining(['en', 'de', 'ja']));
});
