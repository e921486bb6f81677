import type { CallOutcome } from '../core/kind.ts';
import type { Loaded, Shelf } from '../reconcile/ports.ts';
import { type Reading, readShelf } from './reading.ts';
import { readRequests } from './requests.ts';
import type { Owner } from './root.ts';

/** The record with whose it is; nobody's before the first write. */
export interface OwnedRecord extends Loaded {
  readonly owner: Owner | undefined;
}

/** Pure. The record for whoever only wants to look at it. `refused` where a newer version wrote it. */
export function readRecord(shelf: Shelf | undefined): CallOutcome<OwnedRecord> {
  const reading = readShelf(shelf, []);
  const { refusal, root } = reading;
  if (refusal !== undefined) return { status: 'refused', why: refusal, retry: 'never' };
  const owner = root && { environment: root.environment, repository: root.repository };
  return { status: 'ok', value: { ...loadedFrom(shelf, reading), owner } };
}

/** Pure. A reading with what people ask for. */
export function loadedFrom(shelf: Shelf | undefined, reading: Reading): Loaded {
  const { units, history, notes } = reading;
  const { requests, damaged } = readRequests(shelf?.head.labels ?? {});
  const unclear = damaged.map(
    (key) => `label ${key} asks for nothing that can be understood: it is removed`,
  );
  const incomplete = reading.complete ? {} : ({ incomplete: true } as const);
  return { units, history, requests, notes: [...notes, ...unclear], ...incomplete };
}
