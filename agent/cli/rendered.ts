import type { Diagnostic } from '../core/diagnostic.ts';
import { layOut } from '../core/layout.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from '../reconcile/ports.ts';
import { openRenderer, type RenderReport, type UnitRenderer } from '../render/renderer.ts';
import { FILE_BYTES_MAX } from '../source/intake.ts';
import { opening } from './age-key.ts';

/** A person waits longer than an agent that has other things to do. */
const DEADLINE_MS = 60_000;

/** As the agent's settings have them by default. */
export const usualLimits = {
  bytesMax: 512 * 2 ** 20,
  filesMax: 50_000,
  fileBytesMax: FILE_BYTES_MAX,
};

/** A renderer for a command: what takes too long is a mistake at once. */
export function openPatientRenderer(
  environment: string,
  clock: Clock,
  {
    images,
    keyFile,
    closed,
  }: {
    readonly images?: true;
    readonly keyFile?: string | undefined;
    readonly closed: 'fine' | 'mistake';
  } = { closed: 'mistake' },
): UnitRenderer {
  return openRenderer({
    environment,
    clock,
    ...(images && { images }),
    ...(closed === 'fine' || keyFile !== undefined ? opening(keyFile) : {}),
    limits: { deadlineMs: DEADLINE_MS, secondTryAfterMs: undefined, brief: true },
  });
}

/** Pure. The environments of a revision: the one that is named, else all that it has. */
export function environmentsOf(snapshot: Snapshot, named: string | undefined): readonly string[] {
  if (named !== undefined) return [named];
  const found = [...layOut(snapshot.entries.map(({ path }) => path)).environments.keys()];
  // Without any environment one is asked for all the same: that says what is missing.
  return found.length === 0 ? ['production'] : found;
}

/** A revision, rendered for some environments. */
export interface Rendered {
  readonly reports: ReadonlyMap<string, RenderReport>;
  /** Each once: most mistakes are the same in every environment. */
  readonly diagnostics: readonly Diagnostic[];
  readonly invalid: boolean;
}

/** Renders a revision for these environments. Throws `SourceError`. */
export async function renderAll(
  renderer: UnitRenderer,
  snapshot: Snapshot,
  environments: readonly string[],
  signal: AbortSignal,
): Promise<Rendered> {
  const diagnostics = new Map<string, Diagnostic>();
  const reports = new Map<string, RenderReport>();
  for (const name of environments) {
    const report = await renderer.renderFor(name, snapshot, signal);
    for (const one of report.diagnostics) {
      const { code, message, place } = one;
      const key = JSON.stringify([code, message, place]);
      if (!diagnostics.has(key)) diagnostics.set(key, one);
    }
    reports.set(name, report);
  }
  const all = [...diagnostics.values()];
  return { reports, diagnostics: all, invalid: all.some(({ severity }) => severity === 'error') };
}
