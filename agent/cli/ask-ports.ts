import type { CallOutcome } from '../core/kind.ts';
import type { Clock, Shelf } from '../reconcile/ports.ts';
import type { Wanted } from './ask-options.ts';
import type { Output, Printer } from './printer.ts';

/** The Swarm as one who asks needs it: through one manager's engine. */
export interface Desk {
  /** The head with the record beside it; undefined where no agent ever ran. */
  shelf(signal: AbortSignal): Promise<CallOutcome<Shelf | undefined>>;
  /** The labels of the head, read alone. */
  labels(
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly labels: Readonly<Record<string, string>> }>>;
  /** As `ShelfKeeper.swap`. */
  swap(
    head: { readonly id: string; readonly version: number },
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>>;
  close(): void;
}

/** What the command takes from the process and the machine. */
export interface AskIo extends Output {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Who asks, for people: `root@m1`. */
  readonly by: string;
  /** 8 fresh hex digits. */
  random(): string;
  open(socket: string): Desk;
}

/** How it ended. `code` is the exit code. */
export interface Ended {
  readonly status: 'taken' | 'asked' | 'refused';
  readonly code: 0 | 1 | 6;
  readonly why?: string;
  /** Lines for people that go with `why`. */
  readonly more?: readonly string[];
}

/** What the parts of the command share. */
export interface Asking {
  readonly wanted: Wanted;
  readonly desk: Desk;
  readonly io: AskIo;
  /** Silent with `--json`. */
  readonly print: Printer;
}
