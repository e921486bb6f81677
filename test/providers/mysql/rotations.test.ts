import { describe, expect, it } from 'vitest';

import type { Memo } from '../../../agent/core/folder-kind.ts';
import type { Rendered } from '../../../agent/core/kind.ts';
import type { DocumentMemo } from '../../../agent/core/render-documents.ts';
import { renderRepository } from '../../../agent/core/repository.ts';
import { mysqlDocuments } from '../../../agent/providers/mysql/documents.ts';
import type { MysqlSpec } from '../../../agent/providers/mysql/spec.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { seal, vaultOf } from '../../core/sealed-support.ts';
import { dataKey } from '../../core/sops/sops.ts';
import { blobOf, type Contents, filesOf, small } from '../../fakes/repository.ts';

/** A stack that asks for a secret that it does not make. */
const stack = (secret: string): Contents => ({
  'stacks/blog/compose.yaml': `services:\n  web:\n    image: nginx:1.29\n    secrets: [${secret}]\nsecrets:\n  ${secret}: {external: true}\n`,
});
const account = (password: string, more = ''): Contents => ({
  'mysql/blog.yaml': `kind: MySQLUser\nname: blog\npassword: {${password}}\n${more}`,
});
const generated = (rotate?: string): Contents =>
  account('generate: true, secret: blog_db', rotate === undefined ? '' : `rotate: "${rotate}"\n`);
const FILE = 'secrets/blog.sops.yaml';
const written = (text: string, key = 'db'): Contents => ({
  ...account(`fromFile: ${FILE}, key: ${key}, secret: blog_db`),
  ...seal(FILE, text),
});

/** One process that renders revision after revision. */
function renderer() {
  const memo: Memo<StackSpec> = new Map();
  const documents: DocumentMemo<MysqlSpec> = new Map();
  const vault = vaultOf('holder');
  /** Digests of what was told as rendered, before all was looked at. */
  const told: string[] = [];
  const once = (contents: Contents, absent?: ReadonlySet<string>) =>
    renderRepository(filesOf({ ...small, ...contents }, absent), 'production', {
      kind: stackFolders,
      memo,
      documents: { folders: [mysqlDocuments], memo: documents },
      readCron,
      vault,
      ended: (unit) => told.push(unit.digest),
    });
  const blog = (contents: Contents): Rendered<StackSpec | MysqlSpec> => {
    for (;;) {
      const outcome = once(contents);
      if (outcome.status === 'rendered') {
        const unit = outcome.units.find(({ id }) => id === 'stack/blog');
        if (unit === undefined) throw new Error(JSON.stringify(outcome.diagnostics));
        return unit;
      }
      for (const blob of vault.waiting.keys()) vault.settle(blob, dataKey);
    }
  };
  return { once, blog, told };
}

describe('a stack that needs the password of an account', () => {
  const alone = renderer().blog(stack('blog_db')).digest;

  it('is the same with an account that was never rotated', () => {
    expect(renderer().blog({ ...stack('blog_db'), ...generated() }).digest).toBe(alone);
  });

  it('is another one with each `rotate`, and the same with the same', () => {
    const [one, two, again] = ['2026', '2027', '2026'].map(
      (rotate) => renderer().blog({ ...stack('blog_db'), ...generated(rotate) }).digest,
    );
    expect(new Set([alone, one, two]).size).toBe(3);
    expect(again).toBe(one);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one also where it was rendered before and nothing of its own changed', () => {
    const { blog } = renderer();
    const digests = [undefined, '2026', '2027', undefined].map(
      (rotate) => blog({ ...stack('blog_db'), ...generated(rotate) }).digest,
    );
    expect(digests[0]).toBe(alone);
    expect(new Set(digests).size).toBe(3);
    expect(digests[3]).toBe(alone);
    const fresh = renderer().blog({ ...stack('blog_db'), ...generated('2026') });
    expect(digests[1]).toBe(fresh.digest);
    expect(blog({ ...stack('blog_db'), ...generated('2026') })).toEqual(fresh);
  });

  it('is the same when it is kept as when it is rendered', () => {
    const { blog } = renderer();
    const all = { ...stack('blog_db'), ...generated('2026') };
    expect(blog(all).digest).toBe(blog(all).digest);
  });

  it('finds it without regard to capitals', () => {
    const digest = (rotate: string) =>
      renderer().blog({ ...stack('Blog_DB'), ...generated(rotate) }).digest;
    expect(digest('2026')).not.toBe(digest('2027'));
  });

  it('is another one with each text of a file, and knows nothing else of that', () => {
    const { blog } = renderer();
    const digest = (text: string, key?: string) =>
      blog({ ...stack('blog_db'), ...written(text, key) }).digest;
    expect(digest('db: one\n')).not.toBe(digest('db: two\n'));
    expect(digest('db: one\n')).toBe(digest('db: one\nother: x\n'));
  });

  it('is told at once, as it is with the account', () => {
    const { blog, told } = renderer();
    const { digest } = blog({ ...stack('blog_db'), ...generated('2026') });
    expect([told, digest === alone]).toEqual([[digest], false]);
  });

  it('is not told before the account is known', () => {
    const { blog, told } = renderer();
    const { digest } = blog({ ...stack('blog_db'), ...written('db: one\n') });
    expect(told.every((one) => one === digest)).toBe(true);
    const later = renderer();
    const all = { ...stack('blog_db'), ...generated('2026') };
    const blob = blobOf(all['mysql/blog.yaml'] ?? '');
    // Likely ones are asked for at once; larger ones only when they are read.
    expect(later.once(all, new Set([blob])).status).toBe('incomplete');
    expect(later.told).toEqual([]);
    const whole = later.blog(all);
    expect(later.told.every((one) => one === whole.digest)).toBe(true);
  });
});

it('a stack that needs another secret is the same whatever becomes of the account', () => {
  const { blog } = renderer();
  const one = blog({ ...stack('other'), ...generated('2026') });
  expect(blog({ ...stack('other'), ...generated('2027') })).toBe(one);
});
