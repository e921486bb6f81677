import type { Finding } from '../core/finding.ts';
import type { CallOutcome } from '../core/kind.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Output } from './printer.ts';

/** The Swarm as one who looks for trouble needs it: through one manager's engine. */
export interface SwarmDesk {
  examine(
    stuckMs: number,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly swarmId: string; readonly findings: readonly Finding[] }>>;
  close(): void;
}

/** Servers or clusters of the agent's settings, as one who looks for trouble needs them. */
export interface PlaceDesk {
  examine(
    signal: AbortSignal,
  ): Promise<
    | { readonly status: 'ok'; readonly findings: readonly Finding[] }
    | { readonly status: 'failed'; readonly why: string }
  >;
}

/** What the command takes from the process and the machine. */
export interface DoctorIo extends Output {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  open(socket: string): SwarmDesk;
  /** By the agent's settings file. */
  openMysql(path: string): PlaceDesk;
  /** The same. */
  openCeph(path: string): PlaceDesk;
}
