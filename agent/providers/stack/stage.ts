import type { ObservedNode } from './swarm.ts';

/** `./rehearse` starts every engine with this label. An engine's labels are its machine's own to set: no manager changes them. */
export const STAGE_LABEL = 'understudy.rehearsal';

/** Pure. Whether all of this Swarm was built to try things out. */
export function isStage(nodes: readonly Pick<ObservedNode, 'engineLabels'>[]): boolean {
  return (
    nodes.length > 0 && nodes.every(({ engineLabels }) => engineLabels[STAGE_LABEL] !== undefined)
  );
}
