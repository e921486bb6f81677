import type { HeadWriter } from '../../reconcile/lease-ports.ts';
import type { Shelf, ShelfKeeper } from '../../reconcile/ports.ts';
import { OURS, type StackObserved } from './observed.ts';
import type { Swarm } from './swarm.ts';

/** The record's shelf on the Swarm's raft: blobs are configs, the head is written by whoever leads. */
export function swarmShelf(
  swarm: Swarm,
  headName: string,
  writer: HeadWriter,
): ShelfKeeper<StackObserved> {
  return {
    look: (observed) => shelfIn(observed, headName),
    put: (name, data, signal) =>
      swarm.call({ op: 'config-create', name, labels: {}, data }, signal),
    relabel: (change, signal) => writer.relabel(change, signal),
    remove: ({ id, name }, signal) => swarm.call({ op: 'config-remove', id, name }, signal),
  };
}

/** Pure. The head and the blobs beside it; undefined while there is no head. */
export function shelfIn(
  { state }: Pick<StackObserved, 'state'>,
  headName: string,
): Shelf | undefined {
  const head = state.configs.find(({ name }) => name === headName);
  if (head === undefined) return undefined;
  const { id, version, labels } = head;
  const blobs = state.configs
    .filter(({ name }) => name.startsWith(OURS) && name !== headName)
    .map((one) => [one.name, { id: one.id, data: one.data }] as const);
  return { head: { id, version, labels }, blobs: new Map(blobs) };
}
