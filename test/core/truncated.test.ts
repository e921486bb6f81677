import { readdir, readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import type { Memo } from '../../agent/core/folder-kind.ts';
import { renderRepository } from '../../agent/core/repository.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { filesOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

const folder = 'repo-template';
const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
  .filter((one) => one.isFile())
  .map((one) => `${one.parentPath}/${one.name}`.slice(folder.length + 1));
const template: Contents = Object.fromEntries(
  await Promise.all(
    paths.map(async (path): Promise<[string, Buffer]> => [
      path,
      await readFile(`${folder}/${path}`),
    ]),
  ),
);
const memo: Memo<StackSpec> = new Map();

function render(contents: Contents) {
  const ports = { kind: stackFolders, memo, readCron };
  const outcome = renderRepository(filesOf(contents), 'production', ports);
  if (outcome.status === 'incomplete') throw new Error('incomplete');
  const isWrong = outcome.diagnostics.some(({ severity }) => severity === 'error');
  return { isWrong, ids: outcome.units.map(({ id }) => id), units: outcome.units };
}

const whole = render(template);

describe('a file of the template that is cut off at any byte', () => {
  it('is one of a repository that is valid', () => {
    expect(whole.isWrong).toBe(false);
    expect(whole.ids.length).toBeGreaterThan(0);
  });

  // Files of other programs, such as the workflows, are not read, nor what a person may lay over the rest.
  it.each(
    paths.filter((path) => path.endsWith('.yaml') && !/^(\.|with-(mysql|ceph|both)\/)/.test(path)),
  )('%s: is an error, or takes no stack away and adds nothing', (path) => {
    const bytes = Buffer.from(template[path] ?? '');
    let errors = 0;
    for (let length = 0; length < bytes.length; length += 1) {
      const { isWrong, ids, units } = render({ ...template, [path]: bytes.subarray(0, length) });
      errors += isWrong ? 1 : 0;
      expect(ids).toEqual(isWrong ? [] : whole.ids);
      for (const [at, { spec }] of units.entries()) {
        const before = Object.keys(whole.units[at]?.spec.services ?? {});
        expect(before).toEqual(expect.arrayContaining(Object.keys(spec.services)));
      }
    }
    expect(errors).toBeGreaterThan(0);
  });
});
