import { z } from 'zod';

/** What must be there. */
export interface Readiness {
  readonly osds: number;
  readonly pools: number;
}

const Status = z.looseObject({
  health: z.looseObject({ status: z.string() }),
  osdmap: z.looseObject({ num_osds: z.int(), num_up_osds: z.int() }),
  mgrmap: z.looseObject({ available: z.boolean() }),
  pgmap: z.looseObject({
    num_pools: z.int(),
    pgs_by_state: z.array(z.looseObject({ state_name: z.string(), count: z.int() })),
  }),
});

/** Pure. Whether the answer to `status` says that nothing is wrong, everybody is there and all data is where it should be. */
export function isReady(text: string, { osds, pools }: Readiness): boolean {
  const { health, osdmap, mgrmap, pgmap } = Status.parse(JSON.parse(text));
  return (
    health.status === 'HEALTH_OK' &&
    osdmap.num_up_osds === osds &&
    mgrmap.available &&
    // Health alone does not say so, and before the first report there is nothing that could be elsewhere.
    pgmap.num_pools >= pools &&
    pgmap.pgs_by_state.every(({ state_name: state }) => state === 'active+clean')
  );
}
