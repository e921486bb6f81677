import type { LooksPorts } from '../../agent/reconcile/looks.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import type { VirtualClock } from './clock.ts';

/** Of an agent of which nobody asks to look at the repository. */
export function quietLooks(clock: VirtualClock): Looks {
  const ports: LooksPorts = { wake: new Wake(clock), sourceWake: new Wake(clock) };
  return new Looks(ports);
}
