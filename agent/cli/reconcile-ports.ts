import type { Id } from '../core/kind.ts';
import type { RevisionRecord } from '../reconcile/history.ts';
import type { AskIo, Desk } from './ask-ports.ts';
import type { Printer } from './printer.ts';
import type { ReconcileWanted } from './reconcile-options.ts';

/** How it ended. `code` is the exit code. */
export interface ReconcileEnded {
  readonly status: 'asked' | 'looked' | 'settled' | 'refused';
  readonly code: 0 | 1 | 3 | 5 | 6;
  /** What the repository holds. */
  readonly revision?: string;
  readonly outcome?: RevisionRecord['outcome'];
  /** Units of which a step is due and not done. */
  readonly held?: readonly Id[];
  readonly why?: string;
}

/** What the parts of the command share. */
export interface Reconciling {
  readonly wanted: ReconcileWanted;
  readonly desk: Desk;
  readonly io: AskIo;
  /** Silent with `--json`. */
  readonly print: Printer;
  /** Names the request, and its answer. */
  readonly nonce: string;
  /** When it must end, by the monotonic clock. */
  readonly untilMs: number;
}
