import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnosticCodes } from '../../agent/core/codes.ts';
import { printable, type Tree, type TreeLimits } from '../../agent/source/intake.ts';
import { TreeListing } from '../../agent/source/tree.ts';

const LIMITS: TreeLimits = { filesMax: 100, bytesMax: 10_000, fileBytesMax: 1000 };
const BLOB = 'a'.repeat(40);

interface Line {
  readonly path: string | Buffer;
  readonly mode?: string;
  readonly size?: number | '-';
}

function listing(lines: readonly Line[]): Buffer {
  return Buffer.concat(
    lines.flatMap(({ path, mode = '100644', size = 1 }) => {
      const type = mode === '160000' ? 'commit' : 'blob';
      const head = `${mode} ${type} ${BLOB} ${String(size).padStart(7)}\t`;
      return [Buffer.from(head), Buffer.from(path), Buffer.from([0])];
    }),
  );
}

function read(lines: readonly Line[], limits: TreeLimits = LIMITS): Tree {
  const tree = new TreeListing(limits);
  tree.push(listing(lines));
  return tree.finish();
}

function files(count: number, size: number): Line[] {
  return Array.from({ length: count }, (_, index) => ({ path: `f${index}`, size }));
}

it('reads files, whatever their names hold that is allowed', () => {
  const names = ['README.md', 'a b/compose.yaml', 'größe.yaml', 'x/"quoted"\\', '…/日本'];
  const tree = read(names.map((path) => ({ path, size: 12 })));
  expect(tree.diagnostics).toEqual([]);
  expect(tree.entries.map(({ path }) => path).toSorted()).toEqual(names.toSorted());
  expect(tree.entries[0]).toEqual({ path: 'README.md', blob: BLOB, sizeBytes: 12 });
});

it.each([
  ['a symbolic link', { path: 'a/l.yaml', mode: '120000' }, 'symlink'],
  ['a submodule', { path: 'vendor', mode: '160000', size: '-' }, 'submodule'],
  ['an unknown mode', { path: 'x', mode: '040000' }, 'wrong-value'],
  ['a line end', { path: 'a\nb' }, 'wrong-name'],
  ['a carriage return at the end', { path: 'a\r' }, 'wrong-name'],
  ['a deleted sign', { path: 'a\u007fb' }, 'wrong-name'],
  ['git itself', { path: '.git/config' }, 'wrong-name'],
  ['git in capitals, deeper', { path: 'a/.GiT/config' }, 'wrong-name'],
  ['a parent', { path: '../x' }, 'wrong-name'],
  ['itself', { path: 'a/./x' }, 'wrong-name'],
  ['nothing', { path: 'a//x' }, 'wrong-name'],
  ['an absolute path', { path: '/etc/passwd' }, 'wrong-name'],
  ['bytes that are not UTF-8', { path: Buffer.from([0x61, 0xff, 0x62]) }, 'wrong-name'],
  ['half a surrogate pair', { path: Buffer.from([0xed, 0xa0, 0x80]) }, 'wrong-name'],
] as const)('refuses %s', (_why, line, code) => {
  const { entries, diagnostics } = read([{ path: 'good.yaml' }, line]);
  expect(entries.map(({ path }) => path)).toEqual(['good.yaml']);
  expect(diagnostics).toEqual([expect.objectContaining({ severity: 'error', code })]);
  expect(code in diagnosticCodes).toBe(true);
  // oxlint-disable-next-line no-control-regex -- finding them is the point
  expect(JSON.stringify(diagnostics)).not.toMatch(/[\u0000-\u001f\u007f]/u);
});

it.each([
  ['files', ['stacks/Web.yaml', 'stacks/web.yaml'], 1],
  ['folders', ['Stacks/a', 'stacks/b'], 1],
  ['composed and decomposed letters', ['gr\u00f6\u00dfe', 'gro\u0308\u00dfe'], 1],
  ['not files of different folders', ['a/Web', 'b/web'], 0],
  ['not a folder used twice', ['a/x', 'a/y'], 0],
])('names that differ only in case: %s', (_what, paths, count) => {
  const { diagnostics } = read(paths.map((path) => ({ path })));
  expect(diagnostics.map(({ code }) => code)).toEqual(Array(count).fill('name-conflict'));
});

describe('limits, just below and just above', () => {
  it.each([
    ['files', files(100, 1), files(101, 1)],
    ['bytes together', files(10, 1000), files(11, 1000)],
    ['the length of a name', [{ path: 'x'.repeat(8000) }], [{ path: 'x'.repeat(9000) }]],
  ])('%s', (_what, below, above) => {
    expect(read(below).diagnostics).toEqual([]);
    expect(read(below).entries).toHaveLength(below.length);
    const tree = new TreeListing(LIMITS);
    let answer: string = 'more';
    const bytes = listing(above);
    for (let at = 0; at < bytes.length && answer === 'more'; at += 4096) {
      answer = tree.push(bytes.subarray(at, at + 4096));
    }
    expect(answer).toBe('enough');
    // Never a part of a revision: what is left out would look removed.
    expect(tree.finish().entries).toEqual([]);
    expect(tree.finish().diagnostics[0]).toMatchObject({ severity: 'error', code: 'too-large' });
  });

  it.each([
    ['x.yaml', 1000, []],
    ['x.yaml', 1001, ['error']],
    ['x.YML', 1001, ['error']],
    ['photo.jpg', 1001, ['warning']],
  ])('one file: %s with %d bytes', (path, size, severities) => {
    const { entries, diagnostics } = read([{ path, size }]);
    expect(diagnostics.map(({ severity }) => severity)).toEqual(severities);
    expect(entries).toHaveLength(severities.length === 0 ? 1 : 0);
  });

  it('the number of diagnostics, and the last place is for an error', () => {
    const photos: Line[] = Array.from({ length: 120 }, (_, index) => ({
      path: `p${index}.jpg`,
      size: 1001,
    }));
    const limits = { ...LIMITS, filesMax: 1000, bytesMax: 1_000_000 };
    const { diagnostics } = read([...photos, { path: 'l', mode: '120000' }], limits);
    expect(diagnostics).toHaveLength(100);
    expect(diagnostics.at(-1)).toMatchObject({ code: 'symlink', severity: 'error' });
    const after = read([{ path: 'l', mode: '120000' }, ...photos], limits);
    expect(after.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
  });
});

it('a listing that ends in mid-name is an error, never a smaller tree', () => {
  const bytes = listing([{ path: 'a' }, { path: 'b' }, { path: 'c' }]);
  const record = listing([{ path: 'a' }]).length;
  for (let end = 1; end < bytes.length; end += 1) {
    const tree = new TreeListing(LIMITS);
    tree.push(bytes.subarray(0, end));
    const { entries, diagnostics } = tree.finish();
    const whole = end % record === 0;
    expect(entries).toHaveLength(whole ? end / record : 0);
    expect(diagnostics).toHaveLength(whole ? 0 : 1);
  }
});

describe('properties', () => {
  const path = fc
    .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('/'));

  it('the pieces in which the listing comes do not matter, and entries are sorted bytewise', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { maxLength: 30 }),
        fc.integer({ min: 1, max: 50 }),
        (paths, step) => {
          const bytes = listing(paths.map((one) => ({ path: one })));
          const tree = new TreeListing(LIMITS);
          for (let at = 0; at < bytes.length; at += step) tree.push(bytes.subarray(at, at + step));
          const result = tree.finish();
          expect(result).toEqual(read(paths.map((one) => ({ path: one }))));
          const raw = result.entries.map((entry) => Buffer.from(entry.path));
          expect(raw).toEqual(raw.toSorted((a, b) => Buffer.compare(a, b)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throws, whatever comes, and says so', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const tree = new TreeListing(LIMITS);
        tree.push(bytes);
        const { entries, diagnostics } = tree.finish();
        expect(entries.length === 0 && (bytes.length === 0 || diagnostics.length > 0)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

it('shows names without control characters and cuts them', () => {
  expect(printable('a\u001b[31m\n')).toBe('a\\x1b[31m\\x0a');
  expect(printable('x'.repeat(300))).toHaveLength(201);
});
