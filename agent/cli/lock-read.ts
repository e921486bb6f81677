import type { Diagnostic } from '../core/diagnostic.ts';
import { type ImageUse, pinsOf, readImagesLock } from '../core/images-lock.ts';
import { IMAGES_LOCK } from '../core/layout.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from '../reconcile/ports.ts';
import { environmentsOf, openPatientRenderer, renderAll } from './rendered.ts';

/** The images of a repository and what its lock has of them. */
export interface LockRead {
  /** The file as it is; undefined: there is none. */
  readonly text: string | undefined;
  readonly pins: ReadonlyMap<string, string>;
  /** Each image once, where it stands first. */
  readonly uses: readonly ImageUse[];
}

const EMPTY = new TextEncoder().encode('version: 1\nimages: {}\n');
/** No content of a file is called so. */
const EMPTY_BLOB = 'no lock yet';

/**
 * Reads them as the agent would: variables put in, for these environments. A lock that is missing counts as an empty one,
 * so that `policy.images` is what it will be with it. Gives the mistakes where there is any. Throws `SourceError`.
 */
export async function readForLock(
  snapshot: Snapshot,
  { environment, clock }: { readonly environment: string | undefined; readonly clock: Clock },
  signal: AbortSignal,
): Promise<LockRead | { readonly mistakes: readonly Diagnostic[] }> {
  const names = environmentsOf(snapshot, environment);
  const renderer = openPatientRenderer(names[0] ?? '', clock, { images: true, closed: 'fine' });
  try {
    const { reports, diagnostics } = await renderAll(renderer, withLock(snapshot), names, signal);
    const mistakes = diagnostics.filter(
      // What has no digest is what this is for.
      ({ severity, code }) => severity === 'error' && code !== 'unpinned-image',
    );
    if (mistakes.length > 0) return { mistakes };
    const uses = new Map<string, ImageUse>();
    for (const { images } of reports.values()) {
      for (const use of images) if (!uses.has(use.image)) uses.set(use.image, use);
    }
    return { ...(await lockOf(snapshot, signal)), uses: [...uses.values()] };
  } finally {
    await renderer.close();
  }
}

function withLock(snapshot: Snapshot): Snapshot {
  if (snapshot.entries.some(({ path }) => path === IMAGES_LOCK)) return snapshot;
  const entry = { path: IMAGES_LOCK, blob: EMPTY_BLOB, sizeBytes: EMPTY.length };
  const entries = [...snapshot.entries, entry].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    ...snapshot,
    entries,
    read: async (blobs, signal) => {
      const found = await snapshot.read(
        blobs.filter((blob) => blob !== EMPTY_BLOB),
        signal,
      );
      return blobs.includes(EMPTY_BLOB) ? new Map([...found, [EMPTY_BLOB, EMPTY]]) : found;
    },
  };
}

async function lockOf(
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Pick<LockRead, 'text' | 'pins'>> {
  const entry = snapshot.entries.find(({ path }) => path === IMAGES_LOCK);
  if (entry === undefined) return { text: undefined, pins: new Map() };
  const content = await snapshot.read([entry.blob], signal);
  const text = new TextDecoder().decode(content.get(entry.blob));
  const pins = new Map<string, string>();
  for (const [image, digest] of pinsOf(readImagesLock(IMAGES_LOCK, text))) {
    if (digest !== undefined) pins.set(image, digest);
  }
  return { text, pins };
}
