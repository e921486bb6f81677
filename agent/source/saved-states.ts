import { createHash } from 'node:crypto';

import type { Snapshot } from '../core/snapshot.ts';
import { type Source, SourceError } from '../reconcile/ports.ts';

/** States of a folder as revisions, each as somebody saved it and handed it over. For a stage: nobody reviewed them. */
export class SavedStates implements Source {
  #changed: (() => void) | undefined;
  #current: Snapshot | undefined;

  /** From now on `changed` is called with every state that is another one. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** From now on this is the newest revision. */
  offer(snapshot: Snapshot): void {
    const revision = nameOf(snapshot);
    if (this.#current?.revision === revision) return;
    this.#current = { ...snapshot, revision, subject: 'as it was saved' };
    this.#changed?.();
  }

  async newest(signal: AbortSignal): Promise<Snapshot> {
    signal.throwIfAborted();
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    throw new SourceError('no valid state was saved yet', { retry: 'soon' });
  }

  async at(revision: string): Promise<Snapshot | undefined> {
    return Promise.resolve(this.#current?.revision === revision ? this.#current : undefined);
  }

  /** One state follows the other: whoever saved it has seen the one before. */
  async descends(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

/** By its files: no commit is called so. */
function nameOf({ entries }: Snapshot): string {
  const files = entries.map(({ path, blob }) => `${path}\0${blob}`);
  const hash = createHash('sha256').update(files.join('\n')).digest('hex');
  return `saved-${hash.slice(0, 34)}`;
}
