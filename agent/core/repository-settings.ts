import { defaultRemovals, type RemovalPolicy } from './removal.ts';
import type { RolloutPolicy } from './rollout.ts';
import type { WindowRule } from './windows.ts';

/** What the repository as a whole says about how the agent works. Milliseconds. */
export interface RepositorySettings {
  readonly intervalMs: number;
  readonly retryIntervalMs: number;
  /** How much a revision may remove without a person. */
  readonly removals: RemovalPolicy;
  /** How the units of a revision change; absent: as where nobody wrote it. */
  readonly rollout?: RolloutPolicy;
  /** When units may change; absent or empty: always. */
  readonly windows?: readonly WindowRule[];
  /** Absent: `healthy`. */
  readonly dataMovement?: DataMovement;
}

/** Whether what moves data in a cluster is begun: never, only while it is healthy, or always. */
export type DataMovement = 'never' | 'healthy' | 'always';

const INTERVAL_MS = 60_000;
const RETRY_INTERVAL_MS = 10_000;

/** How the agent works while understudy.yaml does not say otherwise, or cannot be read. */
export const defaultSettings: RepositorySettings = {
  intervalMs: INTERVAL_MS,
  retryIntervalMs: RETRY_INTERVAL_MS,
  removals: defaultRemovals,
};
