import { type Finding, sortedFindings } from '../../../core/finding.ts';
import type { Inspection } from './inspection.ts';
import { managerFindings } from './managers.ts';
import { networkFindings } from './networks.ts';
import { overlapFindings } from './overlaps.ts';
import { settingFindings } from './settings.ts';
import { taskFindings } from './tasks.ts';

/**
 * Pure. All that is noticed about a Swarm, the worst first. `nowMs` is by the wall clock; a task that does not get on for longer
 * than `stuckMs` is stuck.
 */
export function examine(
  inspection: Inspection,
  { nowMs, stuckMs }: { readonly nowMs: number; readonly stuckMs: number },
): readonly Finding[] {
  return sortedFindings([
    ...managerFindings(inspection, nowMs),
    ...networkFindings(inspection, nowMs),
    ...overlapFindings(inspection),
    ...settingFindings(inspection, nowMs),
    ...taskFindings(inspection, nowMs, stuckMs),
  ]);
}
