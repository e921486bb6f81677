import { join } from 'node:path';

/** Where something of a stage lives that is no node of the Swarm. */
export interface Place {
  readonly address: string;
  /** Its network namespace, as under /run/netns. */
  readonly namespace: string;
  readonly folder: string;
}

/** Of which stage. `network`: the first three numbers of its addresses. */
export interface StageGround {
  readonly name: string;
  readonly network: string;
  readonly folder: string;
}

/** Pure. `last`: the last number of its address. */
export function placeOf(
  { name, network, folder }: StageGround,
  own: { readonly called: string; readonly last: number; readonly folder: string },
): Place {
  return {
    address: `${network}.${own.last}`,
    namespace: `${name}-${own.called}`,
    folder: join(folder, own.folder),
  };
}
