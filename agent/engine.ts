import { randomBytes } from 'node:crypto';

import type { Settings } from '../schemas/settings.ts';
import { leaseTimesOf } from './lease/times.ts';
import { leaseOn } from './leading.ts';
import { openSwarm } from './providers/stack/client.ts';
import { guardedSwarm } from './providers/stack/guarded.ts';
import type { Guard, Labels } from './reconcile/lease-ports.ts';
import type { Looks } from './reconcile/looks.ts';
import type { Clock, Reporter } from './reconcile/ports.ts';
import type { Wake } from './reconcile/wake.ts';
import { HeadWatch } from './record/head-watch.ts';
import { headFormat } from './record/head.ts';
import { readRequests } from './record/requests.ts';

/** Calls that hang must not keep the lease from being renewed. */
const LEASE_CALLS_AT_ONCE = 2;

/** What the engine is opened with. */
export interface EngineParts {
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Of this process. */
  readonly pid: number;
  readonly wake: Wake;
  readonly looks: Looks;
}

/** The engine of this manager: the lease has connections of its own, everything else asks it before it writes. */
export function openEngine(
  { docker, atOnce, lease: leaseSettings, registries }: Settings,
  parts: EngineParts,
  signal: AbortSignal,
) {
  const { clock, reporter, pid, wake, looks } = parts;
  const head = headFormat(randomBytes);
  const swarm = openSwarm(
    { socket: docker.socket, atOnce, ...(registries && { registries }) },
    clock,
  );
  const apart = openSwarm({ socket: docker.socket, atOnce: LEASE_CALLS_AT_ONCE }, clock);
  const times = leaseTimesOf(leaseSettings);
  const headWatch = new HeadWatch(clock);
  const read = (labels: Labels): void => {
    looks.heard(readRequests(labels).requests);
    if (headWatch.heard(labels)) wake.ring();
  };
  const lease = leaseOn({ swarm: apart, head, clock, times, reporter, wake, read, pid });
  const guard: Guard = {
    refusal: (ms) =>
      signal.aborted ? 'this agent is stopping' : (lease.refusal(ms) ?? headWatch.refusal()),
  };
  const close = (): void => {
    swarm.close();
    apart.close();
  };
  return { swarm: guardedSwarm(swarm, guard), head, lease, guard, close };
}
