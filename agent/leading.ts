import { randomBytes } from 'node:crypto';

import type { CallOutcome } from './core/kind.ts';
import type { LeaseTimes } from './core/lease.ts';
import { type AskContainer, isHolderDead, nameOfProcess } from './lease/holder.ts';
import { openLease } from './lease/keeper.ts';
import type { Candidate } from './lease/register.ts';
import { swarmHead } from './providers/stack/head.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import type { Labels, LeaseKeeper } from './reconcile/lease-ports.ts';
import type { Clock, HeadFormat, Reporter } from './reconcile/ports.ts';
import type { Wake } from './reconcile/wake.ts';
import { version } from './version.ts';

/** What the lease of one agent is made of. */
export interface LeadingParts {
  readonly swarm: Swarm;
  readonly head: HeadFormat;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  readonly reporter: Reporter;
  /** Rung when somebody else leads from now on. */
  readonly wake: Wake;
  /** Gets every reading of the labels, about one a second. */
  read(labels: Labels): void;
  /** Of this process. */
  readonly pid: number;
}

/** The lease of this process, on the head of the Swarm that its engine belongs to. */
export function leaseOn(parts: LeadingParts): LeaseKeeper {
  const { swarm, head, clock, times, reporter, wake, pid } = parts;
  let nodeId = '';
  const ask: AskContainer = (id, ended) => swarm.containerRuns(id, ended);
  async function candidate(signal: AbortSignal): Promise<CallOutcome<Candidate>> {
    const found = await swarm.identity(signal);
    if (found.status !== 'ok') return found;
    ({ nodeId } = found.value);
    const holder = `${nodeId}/${await nameOfProcess(pid, { ask }, signal)}`;
    return { status: 'ok', value: { holder, node: found.value.nodeName, version } };
  }
  return openLease({
    head: swarmHead(swarm, head),
    clock,
    times,
    candidate,
    isDead: async (holder, signal) => {
      if (nodeId === '') await candidate(signal);
      return isHolderDead(holder, { nodeId, ask }, signal);
    },
    nonce: () => randomBytes(16).toString('hex'),
    read: (labels) => parts.read(labels),
    tell: (event) => reporter.tell(event),
    changed: () => wake.ring(),
  });
}
