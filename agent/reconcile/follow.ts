import { defaultSettings, type RepositorySettings } from '../core/repository-settings.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Looks } from './looks.ts';
import type { Desired } from './pass.ts';
import { type Clock, type Renderer, type Reporter, type Source, SourceError } from './ports.ts';
import type { Wake } from './wake.ts';

/** What following needs. `publish` gets every valid revision, and once more when it is not the newest any more, or is it again. */
export interface FollowPorts<Spec> {
  readonly source: Source;
  readonly renderer: Renderer<Spec>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly wake: Wake;
  readonly publish: (desired: Desired<Spec>) => void;
  /** Is told each time that the newest revision is the one that was published. */
  readonly confirm: (revision: string) => void;
  /** The newest valid revision that was ever looked at, as the record has it. */
  readonly lastSeen: (signal: AbortSignal) => Promise<string | undefined>;
  /** Is told of each time that the repository was asked. */
  readonly looks: Pick<Looks, 'begin'>;
}

const RETRY_MS_MAX = 300_000;

/**
 * Follows the repository until aborted: asks for the newest revision, renders it, publishes it where it is valid.
 * Beside the passes, because a Git server that hangs must not keep anybody from watching what was deployed.
 */
export async function follow<Spec>(ports: FollowPorts<Spec>, signal: AbortSignal): Promise<void> {
  let settings: RepositorySettings = defaultSettings;
  let seen: string | undefined;
  let revision: string | undefined;
  let renderedWith: string | undefined;
  let trouble: Trouble | undefined;
  let invalid = false;
  let published: Desired<Spec> | undefined;
  while (!signal.aborted) {
    const looked = ports.looks.begin();
    try {
      const snapshot = await ports.source.newest(signal);
      if (snapshot.revision !== seen) {
        const { subject } = snapshot;
        ports.reporter.tell({ event: 'revision seen', revision: snapshot.revision, subject });
        seen = snapshot.revision;
      }
      const inputs = await ports.renderer.inputs?.();
      if (snapshot.revision !== revision || inputs !== renderedWith) {
        const valid = await look(ports, snapshot, signal);
        if (valid !== undefined) ports.publish(valid);
        published = valid ?? published;
        settings = valid?.settings ?? settings;
        // Only now: a revision whose files could not be read must be looked at again.
        revision = snapshot.revision;
        renderedWith = inputs;
        invalid = valid === undefined;
      }
      if (published?.revision === snapshot.revision) ports.confirm(snapshot.revision);
      if (trouble !== undefined) ports.reporter.tell({ event: 'going on', of: 'repository' });
      trouble = undefined;
      looked({ status: invalid ? 'invalid' : 'valid', revision });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof SourceError)) throw error;
      const why = error.message;
      if (trouble?.why !== why) ports.reporter.tell({ event: 'waiting', of: 'repository', why });
      trouble = { why, retry: error.retry, times: (trouble?.times ?? 0) + 1 };
      looked({ status: 'unreadable', why });
    }
    // Started anew while the newest revision cannot be had or is invalid: the last valid one stands.
    published ??= await remember(ports, signal);
    published = published && atDate(published, ports, behindOf(trouble, invalid));
    await ports.wake.wait(waitMs(settings, trouble), signal);
  }
}

/** What keeps the source from giving a revision, for so many tries in a row. */
interface Trouble {
  readonly why: string;
  readonly retry: 'soon' | 'never';
  readonly times: number;
}

function behindOf(trouble: Trouble | undefined, invalid: boolean): string | undefined {
  if (trouble !== undefined) return 'the repository cannot be read';
  return invalid ? 'the newest revision is invalid' : undefined;
}

/** The same revision, published once more where it is not the newest any more, or is it again. */
function atDate<Spec>(
  published: Desired<Spec>,
  { publish }: FollowPorts<Spec>,
  behind: string | undefined,
): Desired<Spec> {
  if (published.behind === behind) return published;
  const { behind: _behind, ...rest } = published;
  const next = behind === undefined ? rest : { ...rest, behind };
  publish(next);
  return next;
}

/** Publishes what the record saw last, as remembered only. Undefined where it could not. */
async function remember<Spec>(
  ports: FollowPorts<Spec>,
  signal: AbortSignal,
): Promise<Desired<Spec> | undefined> {
  try {
    const revision = await ports.lastSeen(signal);
    if (revision === undefined) return undefined;
    const snapshot = await ports.source.at(revision, signal);
    if (snapshot === undefined) return undefined;
    const seenAtMs = ports.clock.nowMs();
    const { units, diagnostics, settings } = await ports.renderer.render(snapshot, signal);
    if (diagnostics.some(({ severity }) => severity === 'error')) return undefined;
    const remembered = { revision, units, settings, seenAtMs, remembered: true };
    ports.publish(remembered);
    return remembered;
  } catch (error) {
    if (signal.aborted || error instanceof SourceError) return undefined;
    throw error;
  }
}

/** Renders one revision; undefined where it is invalid. */
async function look<Spec>(
  { renderer, reporter, clock }: FollowPorts<Spec>,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Desired<Spec> | undefined> {
  const { revision } = snapshot;
  const seenAtMs = clock.nowMs();
  const { units, diagnostics, settings } = await renderer.render(snapshot, signal);
  if (diagnostics.some(({ severity }) => severity === 'error')) {
    reporter.tell({ event: 'revision invalid', revision, diagnostics });
    return undefined;
  }
  if (diagnostics.length > 0) reporter.tell({ event: 'warnings', revision, diagnostics });
  return { revision, units, settings, seenAtMs, remembered: false };
}

/** What waiting does not help is asked for at the usual pace: a person may have put it right meanwhile. */
function waitMs(settings: RepositorySettings, trouble: Trouble | undefined): number {
  if (trouble === undefined || trouble.retry === 'never') return settings.intervalMs;
  return Math.min(settings.retryIntervalMs * 2 ** Math.min(trouble.times - 1, 20), RETRY_MS_MAX);
}
