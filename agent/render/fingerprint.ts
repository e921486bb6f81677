import { createHash } from 'node:crypto';

import type { Snapshot } from '../core/snapshot.ts';

/** The source gives the same snapshot again while nothing moved: a quiet pass computes nothing. */
const fingerprints = new WeakMap<Snapshot, string>();

/** Equal for snapshots with the same files and the same mistakes of the tree, whatever their revision is called. */
export function fingerprintOf(snapshot: Snapshot): string {
  const known = fingerprints.get(snapshot);
  if (known !== undefined) return known;
  const files = snapshot.entries.map(
    ({ path, blob, sizeBytes }) => `${path}\0${blob}\0${String(sizeBytes)}`,
  );
  const mistakes = JSON.stringify(snapshot.diagnostics);
  const hash = createHash('sha256').update(files.join('\n')).update(mistakes).digest('hex');
  fingerprints.set(snapshot, hash);
  return hash;
}
