import type { Diagnostic } from '../core/diagnostic.ts';
import type { CallOutcome, Id, Rendered } from '../core/kind.ts';
import type { Secret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** Time as the agent may use it. The only source of time and timers below main.ts. */
export interface Clock {
  /** Monotonic milliseconds: for durations and deadlines, never for people. */
  nowMs(): number;
  /** Resolves after `ms`, rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Runs `callback` once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Where revisions come from. */
export interface Source {
  /**
   * Fetches and gives the newest revision of the followed branch. Throws `SourceError`.
   * Where nothing moved since the last call the same object comes back.
   */
  newest(signal: AbortSignal): Promise<Snapshot>;
  close(): Promise<void>;
}

/** Why the source could not give a revision. `never` waits for a person: settings or repository are wrong. */
export class SourceError extends Error {
  readonly retry: 'soon' | 'never';

  constructor(message: string, options: { retry: 'soon' | 'never'; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'SourceError';
    this.retry = options.retry;
  }
}

/** What the repository as a whole says about how the agent works. Milliseconds. */
export interface RepositorySettings {
  readonly intervalMs: number;
  readonly retryIntervalMs: number;
}

/** A revision, rendered. With any error among the diagnostics `units` is empty: nothing may be applied. */
export interface RenderResult<Spec> {
  readonly units: readonly Rendered<Spec>[];
  readonly diagnostics: readonly Diagnostic[];
  readonly settings: RepositorySettings;
}

/** Turns a snapshot into units, outside this process. Never throws for repository content, however hostile. */
export interface Renderer<Spec> {
  render(snapshot: Snapshot, signal: AbortSignal): Promise<RenderResult<Spec>>;
  close(): Promise<void>;
}

/** Carries out the calls of one unit, in order: what an earlier one made is known to the later ones. */
export interface Caller<Call> {
  call(call: Call, signal: AbortSignal): Promise<CallOutcome<{ readonly id: string }>>;
}

/** The outside world of one kind. */
export interface Provider<Observed, Call> {
  /** Bulk, once a pass. */
  observe(signal: AbortSignal): Promise<CallOutcome<Observed>>;
  /** Makes what must exist before any unit is looked at. `made`: something was written, read again. */
  prepare(
    observed: Observed,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly made: boolean }>>;
  caller(observed: Observed): Caller<Call>;
}

/** What happens, for people and for machines that follow the log. `event` is the constant message. */
export type AgentEvent =
  | { readonly event: 'agent started'; readonly version: string; readonly environment: string }
  | { readonly event: 'revision seen'; readonly revision: string; readonly subject: string }
  | {
      readonly event: 'revision invalid';
      readonly revision: string;
      readonly diagnostics: readonly Diagnostic[];
    }
  | {
      readonly event: 'warnings';
      readonly revision: string;
      readonly diagnostics: readonly Diagnostic[];
    }
  | {
      readonly event: 'change applied';
      readonly id: Id;
      readonly target: string;
      readonly verb: string;
      readonly fields: readonly string[];
      readonly ms: number;
    }
  | {
      readonly event: 'change failed';
      readonly id: Id;
      readonly target: string;
      readonly status: 'refused' | 'unknown';
      readonly why: string;
    }
  | { readonly event: 'unit held'; readonly id: Id; readonly why: string }
  | {
      /** What differs from the repository and is left as it is. */
      readonly event: 'unit notes';
      readonly id: Id;
      readonly notes: readonly string[];
    }
  | { readonly event: 'unit verifying'; readonly id: Id; readonly tasks: string }
  | { readonly event: 'unit healthy'; readonly id: Id; readonly ms: number }
  | {
      /** A healthy unit is not as it should be any more; the engine may put it right by itself. */
      readonly event: 'unit degraded';
      readonly id: Id;
      readonly tasks: string;
    }
  | { readonly event: 'unit recovered'; readonly id: Id; readonly tasks: string }
  | {
      readonly event: 'unit failed';
      readonly id: Id;
      readonly code: string;
      readonly why: string;
      readonly evidence: string;
    }
  | {
      readonly event: 'revision healthy';
      readonly revision: string;
      readonly units: number;
      readonly ms: number;
    }
  | {
      /** Nothing is under way any more, and these units failed. */
      readonly event: 'revision failed';
      readonly revision: string;
      readonly failed: readonly Id[];
      readonly units: number;
      readonly ms: number;
    }
  | {
      readonly event: 'waiting';
      /** What cannot be reached. */
      readonly of: 'repository' | 'swarm';
      readonly why: string;
    }
  | { readonly event: 'going on'; readonly of: 'repository' | 'swarm' }
  | { readonly event: 'agent stopped'; readonly why: string };

/** Tells people. Never throws, never waits. */
export interface Reporter {
  tell(event: AgentEvent): void;
}

/** What the head of this Swarm says: the one object that belongs to all agents together. */
export type Head =
  | { readonly status: 'missing' }
  | { readonly status: 'damaged'; readonly why: string }
  | { readonly status: 'there'; readonly digestKey: Secret };

/** How the head is written and read. The provider that talks to the Swarm carries it. */
export interface HeadFormat {
  /** Of the Config object. */
  readonly name: string;
  /** Pure. `data` is base64; undefined where there is no such config. */
  parse(data: string | undefined): Head;
  /** The data of a new head, base64, with a fresh random key. */
  make(swarmId: string): string;
}
