import type { Snapshot } from '../core/snapshot.ts';

/** Held here at the same time, unless one file alone is larger. */
const BYTES_MAX = 8 * 2 ** 20;
/** Files at once, however small. */
const FILES_MAX = 4_096;

/**
 * Pure. Parts of a list of blobs, each to be read from the source in one go: as few as can be, because each costs a process
 * of git, and none larger than what may be held.
 */
export function* batches(
  blobs: readonly string[],
  { entries }: Pick<Snapshot, 'entries'>,
): Generator<readonly string[]> {
  const sizes = new Map(entries.map(({ blob, sizeBytes }) => [blob, sizeBytes]));
  let batch: string[] = [];
  let bytes = 0;
  for (const blob of blobs) {
    const sizeBytes = sizes.get(blob) ?? 0;
    if (batch.length > 0 && (bytes + sizeBytes > BYTES_MAX || batch.length === FILES_MAX)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(blob);
    bytes += sizeBytes;
  }
  if (batch.length > 0) yield batch;
}
