import { openLease } from '../../agent/lease/keeper.ts';
import type { LeasePorts } from '../../agent/lease/ports.ts';
import { leaseTimes } from '../../agent/core/lease.ts';
import type {
  HeadKeeper,
  HeadWriter,
  Labels,
  LeaseKeeper,
  Reign,
} from '../../agent/reconcile/lease-ports.ts';
import type { Clock } from '../../agent/reconcile/ports.ts';

/** Writes the head as one who is alone: read, changed, swapped, once. What it is worth under a lease is tested elsewhere. */
export function aloneOn(head: HeadKeeper): HeadWriter {
  return {
    relabel: async (change, signal) => {
      const read = await head.read(signal);
      if (read.status !== 'ok') return read;
      const labels: Labels | undefined = read.value && change(read.value.labels);
      if (read.value !== undefined && labels !== undefined) {
        return head.swap(read.value, labels, signal);
      }
      const why = 'the record changed since it was read';
      return { status: 'refused', why, retry: 'after-replan', cause: 'out-of-sequence' };
    },
  };
}

/** One time in which somebody leads, who may remove something from then on. */
export function reignFrom(removalsFromMs: number): Reign {
  return { term: 1, signal: new AbortController().signal, removalsFromMs };
}

let nonces = 0;

/** The real lease of one of several on a head; `who` is its node. */
export function leaseOf(
  who: string,
  head: HeadKeeper,
  clock: Clock,
  rest: Partial<LeasePorts> = {},
): LeaseKeeper {
  return openLease({
    head,
    clock,
    times: leaseTimes,
    candidate: async () => ({
      status: 'ok',
      value: { holder: `${who}/${String(nonces)}`, node: who, version: '1' },
    }),
    isDead: async () => false,
    nonce: () => `nonce-${String(nonces++).padStart(16, '0')}`,
    read: () => undefined,
    tell: () => undefined,
    changed: () => undefined,
    ...rest,
  });
}
