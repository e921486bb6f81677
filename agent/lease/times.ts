import type { Settings } from '../../schemas/settings.ts';
import { type LeaseTimes, leaseTimes } from '../core/lease.ts';

/** Pure. The times of the lease as the settings say, the usual ones where they say nothing. */
export function leaseTimesOf(settings: Settings['lease']): LeaseTimes {
  const { working, idle, stopBefore } = settings ?? {};
  return {
    working: paceOf(working) ?? leaseTimes.working,
    idle: paceOf(idle) ?? leaseTimes.idle,
    stopBeforeMs: stopBefore ?? leaseTimes.stopBeforeMs,
  };
}

type Pace = NonNullable<NonNullable<Settings['lease']>['working']>;

function paceOf(pace: Pace | undefined): LeaseTimes['working'] | undefined {
  return pace && { ttlMs: pace.ttl, renewMs: pace.renew, takeoverMs: pace.takeover };
}
