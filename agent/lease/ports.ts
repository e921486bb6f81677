import type { CallOutcome } from '../core/kind.ts';
import type { LeaseTimes } from '../core/lease.ts';
import type { HeadKeeper, Labels, LeaseEvent } from '../reconcile/lease-ports.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Candidate } from './register.ts';

/** What a keeper of the lease works with. */
export interface LeasePorts {
  readonly head: HeadKeeper;
  readonly clock: Clock;
  readonly times: LeaseTimes;
  /** Who we are; asked until the engine says. */
  candidate(signal: AbortSignal): Promise<CallOutcome<Candidate>>;
  /** True where the holder is of this very node and does not live any more; every doubt is false. */
  isDead(holder: string, signal: AbortSignal): Promise<boolean>;
  /** A fresh nonce of 16 characters or more. */
  nonce(): string;
  /** Gets every reading of the labels, about one a second. */
  read(labels: Labels): void;
  tell(event: LeaseEvent | HeadTrouble): void;
  /** This agent leads now, or does not any more. */
  changed(): void;
}

/** The head cannot be read or written while we do not lead; who leads tells it by its passes. */
export type HeadTrouble =
  | { readonly event: 'waiting'; readonly of: 'swarm'; readonly why: string }
  | { readonly event: 'going on'; readonly of: 'swarm' };
