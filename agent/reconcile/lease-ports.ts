import type { CallOutcome } from '../core/kind.ts';

/** Labels of a Config object. */
export type Labels = Readonly<Record<string, string>>;

/** The head as one reading found it. */
export interface HeadState {
  readonly id: string;
  readonly version: number;
  readonly labels: Labels;
}

/** The head of the Swarm, read and written without asking who leads: the lease itself is kept by it. */
export interface HeadKeeper {
  /** Read alone, one small call; undefined where there is none. */
  read(signal: AbortSignal): Promise<CallOutcome<HeadState | undefined>>;
  /** Makes one with a fresh key; `name-taken` where another was faster. */
  make(signal: AbortSignal): Promise<CallOutcome<unknown>>;
  /** Refused (`out-of-sequence`) where it changed since it was read. Replaces all labels. */
  swap(
    head: { readonly id: string; readonly version: number },
    labels: Labels,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>>;
}

/** Writes the head for whoever leads, and in the same write renews the lease. */
export interface HeadWriter {
  /**
   * `change` gets the labels as they are now, more than once where somebody else wrote in between; undefined: they are
   * not what it was made for, and the write is refused as `out-of-sequence`. `held-back`: this agent does not lead.
   */
  relabel(
    change: (labels: Labels) => Labels | undefined,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>>;
}

/** Is asked right before everything that is written to the outside. */
export interface Guard {
  /** Why nothing may be sent now; undefined where a call that ends within `deadlineMs` may. */
  refusal(deadlineMs: number): string | undefined;
}

/** One time in which this agent leads, from when it knows of it until it knows of its end. */
export interface Reign {
  readonly term: number;
  /** Aborted when another leads, or nobody can tell any more. */
  readonly signal: AbortSignal;
  /** From when on something may be removed, by the monotonic clock; Infinity: not before a person says so. */
  readonly removalsFromMs: number;
}

/** What this agent knows of who leads. */
export interface Leadership extends HeadWriter, Guard {
  /** Undefined while another leads, or nobody. */
  reign(): Reign | undefined;
  /** How much is under way: renewals come oftener then. Counts from the next write. */
  expect(load: 'working' | 'idle'): void;
}

/** The lease as the loop drives it. */
export interface LeaseKeeper extends Leadership {
  /** Looks at the head again and again, takes the lease when nobody holds it and keeps it; until aborted. */
  keep(signal: AbortSignal): Promise<void>;
  /** Gives the lease back, so that another may act at once. Never rejects; takes a few seconds at most. */
  release(): Promise<void>;
}

/** What is told of the lease. */
export type LeaseEvent =
  | {
      readonly event: 'lease acquired';
      readonly term: number;
      /** The node that led before; absent: nobody did. */
      readonly from?: string;
      /** Since this agent saw the last sign of life of the holder before. */
      readonly ms?: number;
    }
  | { readonly event: 'lease lost'; readonly term: number; readonly why: string }
  | { readonly event: 'lease released'; readonly term: number }
  /** Another one leads. */
  | { readonly event: 'following'; readonly leader: string; readonly term: number };
