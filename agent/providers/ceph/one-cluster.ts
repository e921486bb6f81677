import type { CephClusterSettings } from '../../../schemas/settings.ts';
import type { Way } from './answers.ts';
import type { CephCall } from './call.ts';
import { carryOut, type Ended } from './carry-out.ts';
import type { ClustersPorts } from './clusters.ts';
import { type Ceph, openCeph } from './driver.ts';
import { KnownDetails } from './details.ts';
import type { Id } from '../../core/kind.ts';
import { idsOf } from './marks.ts';
import { LookBeside, WAIT_MS } from './look-beside.ts';
import type { ClusterSight, Wanted } from './observed.ts';
import { readCluster } from './read-cluster.ts';
import { isSameSeen } from './same-seen.ts';
import type { ObservedCluster } from './unit-diff.ts';

/** So long after one thing that moves data nothing else does: placement groups report every few seconds. Milliseconds. */
const CALM_MS = 30_000;
const TOO_SOON: Ended = {
  status: 'refused',
  why: 'something that moves data was begun a moment ago, or the agent was: what comes of it is looked at first',
  retry: 'after-replan',
  cause: 'held-back',
};

/** One cluster of the settings. */
export class OneCluster {
  readonly #way: Way;
  readonly #clients: ObservedCluster['clients'];
  readonly #ports: ClustersPorts;
  readonly #looks: LookBeside;
  readonly #details: KnownDetails;
  #ceph: Ceph;
  #before: ClusterSight | undefined;
  #calmFromMs: number;

  constructor({ clientPattern: pattern, ...way }: CephClusterSettings, ports: ClustersPorts) {
    this.#way = way;
    this.#clients = { self: way.client, pattern };
    this.#ports = ports;
    this.#ceph = openCeph(way, ports);
    const { clock, waitMs = WAIT_MS, seenLate } = ports;
    this.#calmFromMs = clock.nowMs();
    this.#details = new KnownDetails(() => clock.nowMs());
    this.#looks = new LookBeside({
      clock,
      waitMs,
      seenLate,
      look: async (wanted, signal) =>
        await readCluster({ ceph: this.#ceph, clock, details: this.#details }, wanted, signal),
    });
  }

  /** As `observe` of all of them. */
  async observe(wanted: Wanted, signal: AbortSignal): Promise<ObservedCluster> {
    const sight = this.#same(await this.#looks.ask(wanted, signal));
    return { sight, clients: this.#clients };
  }

  /** The very same object as before where nothing is another that anything is decided by. */
  #same(sight: ClusterSight): ClusterSight {
    if (sight.status !== 'seen') return sight;
    const before = this.#before;
    if (before?.status === 'seen' && isSameSeen(before.seen, sight.seen)) return before;
    this.#before = sight;
    return sight;
  }

  /** As `call` of all of them. */
  async carryOut({ steps, calm }: CephCall, signal: AbortSignal): Promise<Ended> {
    const { guard, clock, calmMs = CALM_MS } = this.#ports;
    if (calm === true) {
      // What one of them does shows in a look some seconds later, and another process may have sent one.
      if (clock.nowMs() - this.#calmFromMs < calmMs) return TOO_SOON;
      this.#calmFromMs = clock.nowMs();
    }
    // A question of a look may hang, and whatever is under way in the same process goes down with it: what is written does not.
    if (this.#looks.isLooking && !this.#looks.isWriting) {
      this.#ceph.close();
      this.#ceph = openCeph(this.#way, this.#ports);
    }
    const written = this.#looks.writing();
    try {
      return await carryOut(steps, { ceph: this.#ceph, guard, signal });
    } finally {
      this.#details.forget(steps.flatMap((step) => ('check' in step ? [] : [step])));
      written();
    }
  }

  /** Units of ours that the cluster knew when it was seen last, also those that left the repository. */
  marked(): readonly Id[] {
    const { owner } = this.#ports;
    return this.#before?.status === 'seen' ? idsOf(this.#before.seen, owner) : [];
  }

  /** What is remembered of single subvolumes is read anew, in the next look. */
  forget(): void {
    this.#details.forgetAll();
  }

  /** Nothing is sent from then on. */
  close(): void {
    this.#looks.close();
    this.#ceph.close();
  }
}
