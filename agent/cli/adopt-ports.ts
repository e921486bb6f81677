import type { Diagnostic } from '../core/diagnostic.ts';
import type { Blocked, CallOutcome } from '../core/kind.ts';
import type { PlannedOperation } from '../core/plan.ts';
import type { Output } from './printer.ts';

/** A stack as files, and what comes of them. */
export interface Adopted {
  /** By their path from the stack's folder; `compose.yaml` is the last one. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What an Environment must allow for it, as lines of YAML; empty: nothing. */
  readonly policy: readonly string[];
  readonly notes: readonly string[];
  /** Mistakes in what was written: with any of them nothing was compared. */
  readonly mistakes: readonly Diagnostic[];
  /** What an agent would still do, and what differs and cannot be done. */
  readonly changes: readonly PlannedOperation[];
  readonly blocked: readonly Blocked[];
}

/** One look at the Swarm; `stacks`: those that there are, where the wanted one is not among them. */
export type Adoption = { readonly adopted: Adopted } | { readonly stacks: readonly string[] };

/** The Swarm as one who adopts needs it: it is read and never written. */
export interface AdoptDesk {
  adopt(stack: string, signal: AbortSignal): Promise<CallOutcome<Adoption>>;
  close(): void;
}

/** What the command takes from the process and the machine. */
export interface AdoptIo extends Output {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Opens nothing yet: the first look does. */
  open(socket: string): AdoptDesk;
}
