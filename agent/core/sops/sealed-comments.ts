import { looksSealed, placeOf } from './cipher.ts';
import type { Leaf, SopsText } from './text.ts';

/** So much is tried beyond one place for each comment, in KiB that are decrypted. */
const MORE_MAX = 20_000;

/** Opens a ciphertext as part of one place, or does not. */
export type Opener = (sealed: string, place: string) => string | undefined;

/** What the encrypted comments of a file say. `tooMany`: of those from this one on nobody tried to find out. */
export interface OpenedComments {
  readonly texts: ReadonlyMap<Leaf, string>;
  readonly tooMany?: Leaf;
}

/**
 * Pure. As SOPS: a comment that does not open is one that nobody encrypted. Where SOPS counted it to can only be guessed, so
 * each is tried where it seems to belong, then around that, then everywhere. That is bounded, whatever a file holds.
 */
export function openComments(
  { leaves }: Pick<SopsText, 'leaves'>,
  comments: readonly Leaf[],
  opener: Opener,
): OpenedComments {
  const texts = new Map<Leaf, string>();
  let places: ReadonlySet<string> | undefined;
  let left = MORE_MAX;
  for (const comment of comments) {
    const sealed = typeof comment.value === 'string' ? comment.value.trim() : '';
    if (!looksSealed(sealed)) continue;
    let text = opener(sealed, placeOf(comment.path));
    if (text === undefined) {
      places ??= placesOf(leaves);
      for (const place of elsewhere(comment, places)) {
        left -= Math.ceil(sealed.length / 1024);
        if (left < 0) return { texts, tooMany: comment };
        text = opener(sealed, place);
        if (text !== undefined) break;
      }
    }
    if (text !== undefined) texts.set(comment, text);
  }
  return { texts };
}

/** Everywhere but where it seems to belong: around that first. */
function* elsewhere(comment: Leaf, places: ReadonlySet<string>): Generator<string> {
  const tried = new Set([placeOf(comment.path)]);
  for (const around of [placesOf([comment]), places]) {
    for (const place of around) {
      if (tried.has(place)) continue;
      if (around !== places) tried.add(place);
      yield place;
    }
  }
}

/** Of every mapping around these, the innermost first. */
function placesOf(leaves: readonly Pick<Leaf, 'path'>[]): ReadonlySet<string> {
  const places = new Set<string>();
  for (const { path } of leaves) {
    for (let depth = path.length - 1; depth >= 0; depth -= 1) {
      const place = placeOf(path.slice(0, depth));
      // Then those around it are known, too.
      if (places.has(place)) break;
      places.add(place);
    }
  }
  return places;
}
