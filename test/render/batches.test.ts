import { expect, it } from 'vitest';

import { batches } from '../../agent/render/batches.ts';

const MIB = 2 ** 20;

/** Blobs of these sizes, cut up; gives the sizes of each part. */
function cut(sizes: readonly number[]): readonly (readonly number[])[] {
  const entries = sizes.map((sizeBytes, index) => ({
    path: `file-${String(index)}`,
    blob: `blob-${String(index)}`,
    sizeBytes,
  }));
  const sizeOf = (blob: string): number => sizes[Number(blob.slice('blob-'.length))] ?? -1;
  const blobs = entries.map(({ blob }) => blob);
  const parts = [...batches(blobs, { entries })];
  expect(parts.flat()).toEqual(blobs);
  return parts.map((part) => part.map(sizeOf));
}

it('reads two thousand small files in one go', () => {
  expect(cut(Array.from({ length: 2_000 }, () => 500))).toHaveLength(1);
});

it('holds eight MiB at once', () => {
  expect(cut([4 * MIB, 4 * MIB, 1])).toEqual([[4 * MIB, 4 * MIB], [1]]);
  expect(cut([8 * MIB, 1])).toEqual([[8 * MIB], [1]]);
});

it('gives a file that is larger than that a part of its own', () => {
  expect(cut([1, 9 * MIB, 1])).toEqual([[1], [9 * MIB], [1]]);
});

it('asks for a bounded number of files at once, however small they are', () => {
  expect(cut(Array.from({ length: 5_000 }, () => 0)).map(({ length }) => length)).toEqual([
    4_096, 904,
  ]);
});

it('gives nothing for nothing', () => {
  expect(cut([])).toEqual([]);
});
