import { isMap, isScalar, parseDocument, Scalar } from 'yaml';

import type { ImageUse, Pins } from './images-lock.ts';

/** What becomes of a lock. Sorted, in the familiar form. */
export interface LockPlan {
  /** Without a digest so far. */
  readonly missing: readonly string[];
  /** In the lock, and used by nothing that was looked at. */
  readonly unused: readonly string[];
  /** Whose digest is asked for. */
  readonly asked: readonly string[];
  /** Named by the person, and used by nothing. */
  readonly strange: readonly string[];
}

/** Which entries that are there are asked for again: `none`, `all`, or some images in the familiar form. */
export type Anew = 'none' | 'all' | ReadonlySet<string>;

/** Pure. What a lock lacks and has too much. `part`: there are environments that were not looked at: nothing is unused. */
export function planLock(
  uses: readonly ImageUse[],
  pins: Pins,
  { anew, part }: { readonly anew: Anew; readonly part: boolean },
): LockPlan {
  const used = new Set(uses.map(({ image }) => image));
  const isAnew = (image: string): boolean => anew === 'all' || (anew !== 'none' && anew.has(image));
  const known = [...used].toSorted(bytewise);
  return {
    missing: known.filter((image) => !pins.has(image)),
    unused: part ? [] : [...pins.keys()].filter((image) => !used.has(image)).toSorted(bytewise),
    asked: known.filter((image) => !pins.has(image) || isAnew(image)),
    strange: typeof anew === 'string' ? [] : [...anew].filter((image) => !used.has(image)),
  };
}

/** Pure. The file with these entries and no other, sorted, one a line; comments of `before`, a valid lock, stay. */
export function lockText(before: string | undefined, pins: ReadonlyMap<string, string>): string {
  const document = parseDocument(before ?? 'version: 1\nimages: {}\n');
  const images = document.get('images');
  if (!isMap(images)) throw new Error('bug: a lock without images is written');
  // The library takes what stands above the first entry for the whole; it is that entry's, wherever that one goes.
  const first = images.items[0]?.key;
  if (isScalar(first) && images.commentBefore && pins.has(nameOf(first))) {
    first.commentBefore = images.commentBefore;
    images.commentBefore = null;
  }
  const kept = images.items.filter(({ key }) => pins.has(nameOf(key)));
  const there = new Map(kept.map((pair) => [nameOf(pair.key), pair]));
  for (const [image, digest] of pins) {
    const pair = there.get(image) ?? document.createPair(quoted(image), null);
    const { value } = pair;
    if (!isScalar(value) || value.value !== digest) {
      const next = quoted(digest);
      if (isScalar(value) && value.comment) next.comment = value.comment;
      pair.value = next;
    }
    there.set(image, pair);
  }
  images.items = [...there].toSorted(([a], [b]) => bytewise(a, b)).map(([, pair]) => pair);
  images.flow = images.items.length === 0;
  return document.toString({ lineWidth: 0, singleQuote: true });
}

function nameOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_SINGLE;
  return scalar;
}

/** Names of images are ASCII. */
function bytewise(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
