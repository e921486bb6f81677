import { ImagesLock } from '../../schemas/images-lock.ts';
import type { Diagnostic, Place } from './diagnostic.ts';
import { readDocument } from './document.ts';
import type { Read } from './document.ts';
import { type ImageReference, normalizeImage } from './image.ts';
import type { Located } from './parse.ts';

/** Digests by image in the familiar form. */
export type Pins = ReadonlyMap<string, string | undefined>;

/** Gives the digest of an image in the familiar form. `place`: where it stands, called only by who wants to know. */
export type Pin = (image: string, place: () => Place) => string | undefined;

/** An image without a digest of its own, and where it stands. */
export interface ImageUse {
  /** In the familiar form. */
  readonly image: string;
  readonly place: Place;
}

/** Pure. Reads images.lock.yaml. */
export function readImagesLock(file: string, text: string): Read<ImagesLock> {
  // Images may be called `x-...`: such a key below the top is no extension.
  const read = readDocument(file, text, {
    schema: ImagesLock,
    unsupported: [],
    extensions: 'top',
  });
  const { value, located } = read;
  if (value === undefined || located === undefined) return read;
  const mistakes = keyMistakes(Object.keys(value.images), located);
  return { ...read, diagnostics: [...read.diagnostics, ...mistakes] };
}

/** Pure. What a lock pins, as far as it can be read. */
export function pinsOf(read: Read<ImagesLock> | undefined): Pins {
  return new Map(Object.entries(read?.value?.images ?? {}));
}

/** Images are looked up in one form only, so an entry in another one would pin nothing without anybody noticing. */
function keyMistakes(keys: readonly string[], located: Located): readonly Diagnostic[] {
  const names = keys.map((key) => ({ key, read: normalizeImage(key) }));
  const known = new Set(keys);
  // Which entry stands for an image: the one in the right form, else the first.
  const entries = new Map<string, string>();
  for (const { key, read } of names.toReversed()) {
    if ('familiar' in read && !known.has(read.familiar)) entries.set(read.familiar, key);
  }
  return names.flatMap(({ key, read }): readonly Diagnostic[] => {
    if ('familiar' in read && read.familiar === key && !read.pinned) return [];
    const place = located.place(['images', key], 'key');
    const first = 'familiar' in read ? (entries.get(read.familiar) ?? read.familiar) : key;
    const { line } = located.place(['images', first], 'key');
    const mistake = first === key ? mistakeIn(key, read) : sameAs(line, key);
    return [{ severity: 'error', ...mistake, place }];
  });
}

type Mistake = Required<Pick<Diagnostic, 'code' | 'message' | 'hint'>>;

function sameAs(line: number, key: string): Mistake {
  const message = `\`${shown(key)}\` and the entry in line ${String(line)} are the same image`;
  return { code: 'duplicate-key', message, hint: 'remove one of them' };
}

function mistakeIn(key: string, read: ImageReference): Mistake {
  if ('problem' in read) {
    const hint = 'write an image such as `ghost:5.130`';
    return { code: 'image-reference', message: read.problem, hint };
  }
  if (read.pinned) {
    const message = `\`${shown(key)}\` names its content itself: the lock is for images with a tag`;
    const hint = 'write the name and the tag only, such as `ghost:5.130`, or remove the entry';
    return { code: 'image-reference', message, hint };
  }
  const message = `\`${shown(key)}\` is not the form in which images are looked up`;
  return { code: 'wrong-name', message, hint: `write \`${read.familiar}\`` };
}

function shown(key: string): string {
  return key.length > 60 ? `${key.slice(0, 60)}…` : key;
}
