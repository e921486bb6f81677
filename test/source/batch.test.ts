import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BatchError, BatchReader } from '../../agent/source/batch.ts';

const id = (index: number): string => index.toString(16).padStart(40, '0');

function answer(contents: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    contents.flatMap((content, index) => [
      Buffer.from(`${id(index)} blob ${content.length}\n`),
      content,
      Buffer.from('\n'),
    ]),
  );
}

function reader(contents: readonly Uint8Array[]): BatchReader {
  return new BatchReader(contents.map((content, index) => [id(index), content.length] as const));
}

it('gives every blob its bytes, in whatever pieces they come', () => {
  const content = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.array(content, { maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
      (all, step) => {
        const bytes = answer(all);
        const batch = reader(all);
        for (let at = 0; at < bytes.length; at += step) batch.push(bytes.subarray(at, at + step));
        expect([...batch.finish()]).toEqual(all.map((one, index) => [id(index), one]));
      },
    ),
  );
});

it('an answer that is cut anywhere is an error', () => {
  const all = [Buffer.from('one'), Buffer.from(''), Buffer.from('three\n')];
  const bytes = answer(all);
  for (let end = 0; end < bytes.length; end += 1) {
    const batch = reader(all);
    batch.push(bytes.subarray(0, end));
    expect(() => batch.finish()).toThrow(BatchError);
  }
});

it.each([
  ['a missing object', `${id(0)} missing\n`],
  ['another kind', `${id(0)} tree 3\nabc\n`],
  ['another size', `${id(0)} blob 4\nabcd\n`],
  ['another object', `${id(9)} blob 3\nabc\n`],
  ['more than was asked for', `${id(0)} blob 3\nabc\n${id(1)} blob 1\nx\n`],
  ['no line end', 'x'.repeat(600)],
])('%s is an error', (_what, said) => {
  const batch = new BatchReader([[id(0), 3]]);
  expect(() => batch.push(Buffer.from(said))).toThrow(BatchError);
});
