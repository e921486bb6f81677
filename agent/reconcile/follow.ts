import type { Snapshot } from '../core/snapshot.ts';
import type { Desired } from './pass.ts';
import {
  type Clock,
  type Renderer,
  type Reporter,
  type RepositorySettings,
  type Source,
  SourceError,
} from './ports.ts';
import type { Wake } from './wake.ts';

/** What following needs. `publish` gets every valid revision once; the last one stands until the next. */
export interface FollowPorts<Spec> {
  readonly source: Source;
  readonly renderer: Renderer<Spec>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly wake: Wake;
  readonly publish: (desired: Desired<Spec>) => void;
}

/** Until the repository says otherwise (its own defaults). */
const BEFORE_ANY: RepositorySettings = { intervalMs: 60_000, retryIntervalMs: 10_000 };

const RETRY_MS_MAX = 300_000;

/**
 * Follows the repository until aborted: asks for the newest revision, renders it, publishes it where it is valid.
 * Beside the passes, because a Git server that hangs must not keep anybody from watching what was deployed.
 */
export async function follow<Spec>(ports: FollowPorts<Spec>, signal: AbortSignal): Promise<void> {
  let settings = BEFORE_ANY;
  let revision: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const snapshot = await ports.source.newest(signal);
      if (failures > 0) ports.reporter.tell({ event: 'going on' });
      failures = 0;
      if (snapshot.revision !== revision) {
        revision = snapshot.revision;
        settings = (await look(ports, snapshot, signal)) ?? settings;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SourceError)) throw error;
      if (failures === 0) ports.reporter.tell({ event: 'waiting', why: error.message });
      failures += 1;
    }
    await ports.wake.wait(
      failures === 0 ? settings.intervalMs : retryMs(settings, failures),
      signal,
    );
  }
}

/** Renders one revision; its settings where it is valid. */
async function look<Spec>(
  { renderer, reporter, clock, publish }: FollowPorts<Spec>,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<RepositorySettings | undefined> {
  const { revision, subject } = snapshot;
  const seenAtMs = clock.nowMs();
  reporter.tell({ event: 'revision seen', revision, subject });
  const { units, diagnostics, settings } = await renderer.render(snapshot, signal);
  if (diagnostics.some(({ severity }) => severity === 'error')) {
    reporter.tell({ event: 'revision invalid', revision, diagnostics });
    return undefined;
  }
  if (diagnostics.length > 0) reporter.tell({ event: 'warnings', revision, diagnostics });
  publish({ revision, units, settings, seenAtMs });
  return settings;
}

function retryMs({ retryIntervalMs }: RepositorySettings, failures: number): number {
  return Math.min(retryIntervalMs * 2 ** Math.min(failures - 1, 20), RETRY_MS_MAX);
}
