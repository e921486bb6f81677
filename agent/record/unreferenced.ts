import type { Shelf } from '../reconcile/ports.ts';
import { isBlobName } from './blob.ts';

/** So long a blob must have been seen with nothing pointing to it: a write that was sent may still come through. */
const UNREFERENCED_MS = 10 * 60 * 1000;

/** Since when, by our own clock, this process sees blobs that nothing points to. */
export class Unreferenced {
  readonly #sinceMs = new Map<string, number>();

  /** Notes what is on the shelf now. */
  see(shelf: Shelf, referenced: ReadonlySet<string>, nowMs: number): void {
    for (const name of this.#sinceMs.keys()) {
      if (referenced.has(name) || !shelf.blobs.has(name)) this.#sinceMs.delete(name);
    }
    for (const name of shelf.blobs.keys()) {
      if (!isBlobName(name) || referenced.has(name) || this.#sinceMs.has(name)) continue;
      this.#sinceMs.set(name, nowMs);
    }
  }

  /** The ten minutes begin anew, at the next look. */
  forget(names: Iterable<string>): void {
    for (const name of names) this.#sinceMs.delete(name);
  }

  /** Names of those that were unreferenced long enough, oldest first. */
  due(nowMs: number): readonly string[] {
    return [...this.#sinceMs]
      .filter(([, sinceMs]) => nowMs - sinceMs >= UNREFERENCED_MS)
      .map(([name]) => name);
  }
}
