import type { Unapproved } from '../core/approve.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Freeze } from '../core/freeze.ts';
import type { Answer, Asked, CallOutcome, Id, Rendered } from '../core/kind.ts';
import type { Instant } from '../core/lease.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';
import type { HeldUnits } from '../core/rollout-end.ts';
import type { Secret } from '../core/secret.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Request, UnitRecord } from '../core/unit.ts';
import type { UnitEvent } from '../core/unit-event.ts';
import type { Comparison, Wanted } from './comparison.ts';
import type { History, LookAnswer } from './history.ts';
import type { HeadWriter, LeaseEvent } from './lease-ports.ts';

/** Time as the agent may use it. The only source of time and timers below main.ts. */
export interface Clock {
  /** Monotonic milliseconds: for durations and deadlines, never for people. */
  nowMs(): number;
  /** All clocks of the machine at once, where one alone may lie. Its wall clock also says whether a window is open. */
  instant(): Instant;
  /** The wall clock, ISO 8601 in UTC: for people. No decision reads it but whether a freeze is over. */
  date(): string;
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
  /** A revision that was fetched before, also before a restart, without asking anybody. Undefined where it is not whole there. */
  at(revision: string, signal: AbortSignal): Promise<Snapshot | undefined>;
  /** Whether `later` has `earlier` among its ancestors, as far as is known here: false where nobody knows. Asks nobody, never throws but for an abort. */
  descends(earlier: string, later: string, signal: AbortSignal): Promise<boolean>;
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

/** A revision, rendered. With any error among the diagnostics `units` is empty: nothing may be applied. */
export interface RenderResult<Spec> {
  readonly units: readonly Rendered<Spec>[];
  readonly diagnostics: readonly Diagnostic[];
  readonly settings: RepositorySettings;
}

/** Turns a snapshot into units, outside this process. Never throws for repository content, however hostile. */
export interface Renderer<Spec> {
  render(snapshot: Snapshot, signal: AbortSignal): Promise<RenderResult<Spec>>;
  /** What it renders with beside the files, by a name: once it is another one, the same revision may come out otherwise. */
  inputs?(): Promise<string>;
  /** Begins what a first render would have to wait for. */
  warm?(): void;
  /** Gives back what renders left behind. */
  compact?(): void;
  close(): Promise<void>;
}

/** Carries out the calls of one unit, in order: what an earlier one made is known to the later ones. */
export interface Caller<Call> {
  call(call: Call, signal: AbortSignal): Promise<CallOutcome<{ readonly id: string }>>;
}

/** The outside world of one kind. */
export interface Provider<Observed, Call> extends Comparison<Observed> {
  /** Bulk, once a pass. `wanted`: what the repository has, absent where nobody decides by what is seen. */
  observe(signal: AbortSignal, wanted?: Wanted): Promise<CallOutcome<Observed>>;
  caller(observed: Observed): Caller<Call>;
}

/** What happens, for people and for machines that follow the log. `event` is the constant message. */
export type AgentEvent =
  | UnitEvent
  | LeaseEvent
  | Unapproved
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
      /** Something is gone that only another deploy brings back. */
      readonly destructive?: true;
      readonly ms: number;
    }
  | {
      /** Earlier contents of configs and secrets that nothing needs any more are gone: so many, and the first of them. */
      readonly event: 'contents collected';
      readonly count: number;
      readonly targets: readonly string[];
      /** What went wrong with one that was to go; it is tried again later. */
      readonly why?: string;
    }
  | {
      readonly event: 'change failed';
      readonly id: Id;
      readonly target: string;
      readonly status: 'refused' | 'unknown';
      readonly why: string;
    }
  /** What nobody can read was compared, and is not what the repository wants. */
  | { readonly event: 'content differs'; readonly id: Id; readonly target: string }
  | { readonly event: 'unit held'; readonly id: Id; readonly why: string }
  | {
      /** What differs from the repository and is left as it is. */
      readonly event: 'unit notes';
      readonly id: Id;
      readonly notes: readonly string[];
    }
  | {
      readonly event: 'unit verifying';
      readonly id: Id;
      readonly tasks: string;
      /** It is the healthy release that is brought back. */
      readonly rollback: boolean;
    }
  | {
      /** A healthy unit is not as it should be any more; the engine may put it right by itself. */
      readonly event: 'unit degraded';
      readonly id: Id;
      readonly tasks: string;
    }
  | { readonly event: 'unit recovered'; readonly id: Id; readonly tasks: string }
  | {
      readonly event: 'revision healthy';
      readonly revision: string;
      readonly units: number;
      /** Units that stay at an earlier release because what the repository wants failed with an earlier revision. */
      readonly quarantined: readonly Id[];
      /** Units that wait for one of these, as they did before; absent: none. */
      readonly waiting?: readonly Id[];
      /** Units that it did not wait for, because they are suspended. */
      readonly suspended: readonly Id[];
      /** Units that the brake holds because a person held a canary; absent: none. */
      readonly held?: HeldUnits;
      readonly ms: number;
    }
  | {
      /** The brake holds the rest of the revision until another one or a person comes. */
      readonly event: 'rollout stopped';
      readonly revision: string;
      readonly why: string;
      readonly held: HeldUnits;
    }
  | {
      /**
       * Nothing is under way any more, and these units failed; `rolledBack` of them are healthy as they were before.
       * `waiting`: units that may not begin because of such a unit; absent: none.
       */
      readonly event: 'revision failed';
      readonly revision: string;
      readonly failed: readonly Id[];
      readonly rolledBack: readonly Id[];
      readonly waiting?: readonly Id[];
      /** Units that the brake holds as they were; absent: none. */
      readonly held?: HeldUnits;
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
  /** Nothing is called anywhere from now on. */
  | ({ readonly event: 'frozen' } & Omit<Freeze, 'leftMs'>)
  | { readonly event: 'unfrozen'; readonly was: string }
  /** A part of the record cannot be read: its units are taken as they are found. Or old releases had to go. */
  | { readonly event: 'record notes'; readonly notes: readonly string[] }
  /** Somebody asked to look at the repository now, and this is what came of it. */
  | ({ readonly event: 'reconcile taken'; readonly by: string } & LookAnswer)
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

/** Asks beside the passes and keeps the last answers in memory. Never throws, never waits. */
export interface Prober {
  /** From now on these are asked, and nothing else; what was asked under the same name before goes on. */
  ask(asked: readonly Asked[]): void;
  /** By name; a question that was not answered yet is not in it. */
  answers(): ReadonlyMap<string, Answer>;
  close(): void;
}

/** All that outlives the agent. */
export interface Known {
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly history: History;
}

/** The record by one observation. */
export interface Loaded extends Known {
  /** What people ask for; taken by the next save. */
  readonly requests: readonly Request[];
  /** While there is one nothing is called and nothing recorded. */
  readonly freeze?: Freeze;
  /** It is of another repository, branch or folder than what is followed now. */
  readonly elsewhere?: true;
  /** Not all of it could be read. */
  readonly incomplete?: true;
  /** What could not be read, for people: those units are as if nothing had been recorded of them. */
  readonly notes: readonly string[];
}

/** What is to be recorded. `calls`: calls follow, so the head is written in any case; that write is their fence. */
export interface Next extends Known {
  readonly calls?: boolean;
}

/** Reads and writes the record. The same units are the same objects as long as nothing else wrote. */
export interface Recorder<Observed> {
  /** Pure but for what it keeps of the last reading. `refused`: nobody may act on this record. */
  load(observed: Observed): CallOutcome<Loaded>;
  /**
   * Writes what differs between `loaded` and `next`, takes the requests of `loaded` away in the same write, and writes
   * nothing where neither gives anything to write. Anything but `ok`: the pass ends, the next one reads again.
   */
  save(
    observed: Observed,
    loaded: Loaded,
    next: Next,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly notes: readonly string[] }>>;
  /** Removes what nothing points to for ten minutes. Called when nothing else is written. Gives how many went. */
  collect(observed: Observed, signal: AbortSignal): Promise<CallOutcome<{ removed: number }>>;
}

/** The head and the blobs beside it, by one observation. */
export interface Shelf {
  readonly head: {
    readonly id: string;
    readonly version: number;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** By name; `data` is base64. Only names that begin with `understudy.`, without the head. */
  readonly blobs: ReadonlyMap<string, { readonly id: string; readonly data: string }>;
}

/** Where the record lies: immutable blobs, and labels of the head that are compared and swapped. */
export interface ShelfKeeper<Observed> extends HeadWriter {
  /** Pure. Undefined while there is no head. */
  look(observed: Observed): Shelf | undefined;
  /** `name-taken` where it is there already. `data` is base64. */
  put(name: string, data: string, signal: AbortSignal): Promise<CallOutcome<unknown>>;
  /** By full id; `ok` where it is gone already. */
  remove(
    blob: { readonly id: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>>;
}
