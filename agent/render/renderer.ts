import type { Diagnostic } from '../core/diagnostic.ts';
import type { ImageUse } from '../core/images-lock.ts';
import type { Rendered } from '../core/kind.ts';
import { defaultSettings } from '../core/repository-settings.ts';
import type { KeySource, KeysRead } from '../age/key-file.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type Clock, type RenderResult, type Renderer, SourceError } from '../reconcile/ports.ts';
import { converse } from './converse.ts';
import type { Answer, Question, RenderWatcher } from './converse.ts';
import { ChildFailure, startProcess } from './process.ts';
import type { ProcessLimits, RenderProcess } from './process.ts';
import { mistakeOf, notBegun } from './failures.ts';
import { fingerprintOf } from './fingerprint.ts';
import { remember } from './remember.ts';
import type { UnitSpec } from './unit-spec.ts';

/** Bounds of one render. */
export interface RenderLimits extends ProcessLimits {
  /** Milliseconds of the child's time on processors (see `Budget`); reading files from the source does not count. */
  readonly deadlineMs: number;
  /**
   * Milliseconds until a revision that took too long is tried once more: the machine may have been busy. Until then
   * `render` throws `SourceError`. Undefined: it is refused at once.
   */
  readonly secondTryAfterMs: number | undefined;
}

/** A render with how much of it was work. */
export interface RenderReport extends RenderResult<UnitSpec> {
  /** Images that the lock may pin, and where they stand; empty unless the renderer was opened for them. */
  readonly images: readonly ImageUse[];
  readonly work: { readonly rendered: number; readonly kept: number };
}

/** The renderer of all units; one render at a time. */
export interface UnitRenderer extends Renderer<UnitSpec> {
  /** As `render`, for another environment than the agent's. The watcher is told nothing where the answer is known. */
  renderFor(
    environment: string,
    snapshot: Snapshot,
    signal: AbortSignal,
    watcher?: RenderWatcher,
  ): Promise<RenderReport>;
  /** Starts the process ahead of the first render, which then need not wait for its program. */
  warm(): void;
  /** Has the process give back what renders left behind, if it runs. */
  compact(): void;
  /** The warm child, for tests and for people who look. */
  readonly pid: number | undefined;
}

/** What a renderer needs. */
export interface RendererOptions {
  readonly environment: string;
  readonly clock: Clock;
  readonly limits?: Partial<RenderLimits>;
  /** Also says where images stand. It renders each environment once then, as what is kept of it says nothing of that. */
  readonly images?: true;
  /** What opens encrypted files; absent: nothing does. */
  readonly keys?: KeySource;
  /** Encrypted files may stay closed where there is no key: their form is checked, and units say so. */
  readonly mayStayLocked?: boolean;
}

const defaults: RenderLimits = {
  deadlineMs: 10_000,
  secondTryAfterMs: 300_000,
  heapMib: 256,
  outputBytesMax: 128 * 2 ** 20,
};

const WAITING_MAX = 8;
const ENVIRONMENTS_MAX = 8;
const REMEMBERED_MAX = 16;

interface Last {
  readonly fingerprint: string;
  readonly report: RenderReport;
  /** By digest: what the child need not send again. */
  readonly units: ReadonlyMap<string, Rendered<UnitSpec>>;
}

/** A revision that no answer came for. */
interface Failed {
  readonly mistake: Diagnostic;
  /** When it may be tried once more; undefined: not again. */
  readonly againAtMs?: number;
}

/**
 * Starts no process yet: the first render does. `render` throws `SourceError` where the machine, and not the revision,
 * is in the way.
 */
export function openRenderer(options: RendererOptions): UnitRenderer {
  return new ChildRenderer(options);
}

class ChildRenderer implements UnitRenderer {
  readonly #environment: string;
  readonly #clock: Clock;
  readonly #limits: RenderLimits;
  readonly #images: { readonly images?: true };
  readonly #last = new Map<string, Last>();
  /** By environment and files. */
  readonly #failed = new Map<string, Failed>();
  #process: RenderProcess | undefined;
  #settings = defaultSettings;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;
  readonly #keys: KeySource | undefined;
  readonly #mayStayLocked: boolean;

  constructor({ environment, clock, limits, images, keys, mayStayLocked }: RendererOptions) {
    this.#images = images === undefined ? {} : { images };
    this.#environment = environment;
    this.#clock = clock;
    this.#keys = keys;
    this.#mayStayLocked = mayStayLocked === true;
    this.#limits = { ...defaults, withKeys: keys !== undefined, ...limits };
  }

  get pid(): number | undefined {
    return this.#process?.alive === true ? this.#process.pid : undefined;
  }

  warm(): void {
    // What goes wrong here goes wrong again for the first render, which tells it.
    const started = this.#turn.then(async () => {
      if (!this.#closed) await this.#child();
    });
    this.#turn = started.catch(() => undefined);
  }

  compact(): void {
    const sent = this.#turn.then(async () => {
      // One that does not run takes no memory.
      if (this.#process?.alive === true) await this.#process.send({ type: 'compact' });
    });
    // What goes wrong here goes wrong again for the next render, which tells it.
    this.#turn = sent.catch(() => undefined);
  }

  render(snapshot: Snapshot, signal: AbortSignal): Promise<RenderReport> {
    return this.renderFor(this.#environment, snapshot, signal);
  }

  async renderFor(
    environment: string,
    snapshot: Snapshot,
    signal: AbortSignal,
    watcher?: RenderWatcher,
  ): Promise<RenderReport> {
    if (this.#waiting >= WAITING_MAX) throw new Error('too many renders wait for their turn');
    this.#waiting += 1;
    const before = this.#turn;
    const turn = Promise.withResolvers<void>();
    this.#turn = turn.promise;
    try {
      await before;
      signal.throwIfAborted();
      if (this.#closed) throw new Error('the renderer is closed');
      return await this.#rendered({ environment, snapshot, watcher }, signal);
    } finally {
      this.#waiting -= 1;
      turn.resolve();
    }
  }

  async inputs(): Promise<string> {
    return nameOf(await this.#keys?.read());
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process?.close();
  }

  async #rendered(
    { environment, snapshot, watcher }: Pick<Question, 'environment' | 'snapshot' | 'watcher'>,
    signal: AbortSignal,
  ): Promise<RenderReport> {
    const keys = await this.#keys?.read();
    const fingerprint = `${nameOf(keys)} ${fingerprintOf(snapshot)}`;
    const last = this.#last.get(environment);
    if (last?.fingerprint === fingerprint) return withKeys(last.report, keys);
    const key = `${environment}\0${fingerprint}`;
    const before = this.#failed.get(key);
    if (before !== undefined) {
      if (before.againAtMs === undefined) return this.#refused(before.mistake);
      if (this.#clock.nowMs() < before.againAtMs) throw this.#late(before.mistake);
    }
    const at = { file: '' };
    const identities = keys?.status === 'ok' ? keys.identities : [];
    const question = {
      environment,
      snapshot,
      keys: { identities, locked: this.#mayStayLocked },
      known: last?.units ?? new Map(),
      ...this.#images,
      at,
      watcher,
    };
    try {
      const answer = await this.#answered(question, signal);
      this.#failed.delete(key);
      return withKeys(this.#kept(environment, fingerprint, snapshot, answer), keys);
    } catch (error) {
      if (!(error instanceof ChildFailure)) throw error;
      return this.#failure(error, at.file, key);
    }
  }

  /** Whose fault it was decides what follows. Throws `SourceError` where it is, or may be, not the revision's. */
  #failure(error: ChildFailure, file: string, key: string): RenderReport {
    if (error.blame === 'start') throw notBegun(error);
    const mistake = mistakeOf(error, file);
    if (error.blame === 'us') return this.#refused(mistake);
    const { secondTryAfterMs } = this.#limits;
    if (error.blame === 'late' && secondTryAfterMs !== undefined && !this.#failed.has(key)) {
      const againAtMs = this.#clock.nowMs() + secondTryAfterMs;
      remember(this.#failed, key, { mistake, againAtMs }, REMEMBERED_MAX);
      throw this.#late(mistake);
    }
    remember(this.#failed, key, { mistake }, REMEMBERED_MAX);
    return this.#refused(mistake);
  }

  #late({ message }: Diagnostic): SourceError {
    const minutes = Math.round((this.#limits.secondTryAfterMs ?? 0) / 60_000);
    const next = `it is tried once more after ${String(minutes)} minutes`;
    return new SourceError(`${message}; ${next}`, { retry: 'soon' });
  }

  /** A child that somebody else ended is replaced once, at once: the files may have nothing to do with it. */
  async #answered(question: Question, signal: AbortSignal): Promise<Answer> {
    const patience = { clock: this.#clock, deadlineMs: this.#limits.deadlineMs };
    for (let attempt = 1; ; attempt += 1) {
      const child = await this.#child();
      try {
        return await converse(child, question, patience, signal);
      } catch (error) {
        // Broken off in the middle: what this child says next would be an answer to an old question.
        child.fail(new ChildFailure('it was given up', 'us'));
        const outside = error instanceof ChildFailure && error.blame === 'signal';
        if (!outside || attempt > 1 || this.#closed) throw error;
      }
    }
  }

  async #child(): Promise<RenderProcess> {
    const child = this.#process?.alive === true ? this.#process : await startProcess(this.#limits);
    this.#process = child;
    if (this.#closed) await child.close();
    child.reset();
    return child;
  }

  #kept(
    environment: string,
    fingerprint: string,
    snapshot: Snapshot,
    answer: Answer,
  ): RenderReport {
    const diagnostics = [...snapshot.diagnostics, ...answer.diagnostics];
    const invalid = diagnostics.some(({ severity }) => severity === 'error');
    const report = { ...answer, diagnostics, units: invalid ? [] : answer.units };
    const units = new Map(answer.units.map((unit) => [unit.digest, unit]));
    this.#settings = answer.settings;
    remember(this.#last, environment, { fingerprint, report, units }, ENVIRONMENTS_MAX);
    return report;
  }

  #refused(mistake: Diagnostic): RenderReport {
    const work = { rendered: 0, kept: 0 };
    return { units: [], diagnostics: [mistake], images: [], settings: this.#settings, work };
  }
}

/** Stands for the keys without saying anything of them. */
function nameOf(keys: KeysRead | undefined): string {
  if (keys === undefined) return 'none';
  return keys.status === 'ok' ? keys.name : keys.why;
}

/** A key that should be there and is not is a fault of this machine. Throws `SourceError` where it was needed. */
function withKeys(report: RenderReport, keys: KeysRead | undefined): RenderReport {
  if (keys?.status !== 'unreadable') return report;
  const isNeeded =
    report.diagnostics.some(({ code }) => code === 'missing-age-key') ||
    report.units.some(({ locked }) => locked !== undefined);
  if (isNeeded) throw new SourceError(keys.why, { retry: 'soon' });
  return report;
}
