import type { CallOutcome, Id, Release } from '../core/kind.ts';
import type { Live } from '../core/live.ts';
import type { Clock, Shelf } from '../reconcile/ports.ts';
import type { Output } from './printer.ts';

/** One reading of the Swarm, all lists at once. */
export interface Sight {
  /** The head with the record beside it; undefined where no agent ever ran. */
  readonly shelf: Shelf | undefined;
  /** When the head was written last, by the Swarm's clock, ISO 8601: each renewal of the lease writes it. */
  readonly headAt?: string;
  /** Pure. What runs of a unit. `release`: the healthy one that should run. Undefined: nobody here knows its kind. */
  live(id: Id, release: Release | undefined): Live | undefined;
}

/** The Swarm as one who looks needs it: through one manager's engine. */
export interface SightDesk {
  sight(signal: AbortSignal): Promise<CallOutcome<Sight>>;
  close(): void;
}

/** What a command that looks takes from the process and the machine. */
export interface SightIo extends Output {
  readonly clock: Pick<Clock, 'date'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the terminal; absent where there is none. */
  readonly columns?: number;
  open(socket: string): SightDesk;
}
