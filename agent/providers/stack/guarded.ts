import type { CallOutcome } from '../../core/kind.ts';
import { SWARM_CALL_MS } from '../../core/lease.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import type { Swarm } from './swarm.ts';

/** The Swarm for whoever may change it only while the guard lets it: each write is asked about right before it is sent. */
export function guardedSwarm(swarm: Swarm, guard: Guard): Swarm {
  return {
    ...swarm,
    call: async (call, signal): Promise<CallOutcome<{ readonly id: string }>> => {
      const why = guard.refusal(SWARM_CALL_MS);
      if (why === undefined) return swarm.call(call, signal);
      return { status: 'refused', why, retry: 'after-replan', cause: 'held-back' };
    },
  };
}
