import type { Diagnostic } from '../core/diagnostic.ts';
import type { CallOutcome, Rendered } from '../core/kind.ts';
import type { Plan } from '../core/plan.ts';
import type { RepositorySettings } from '../core/repository-settings.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { UnitSpec } from '../render/unit-spec.ts';
import type { Output } from './printer.ts';

/** The units of one environment. */
export type Units = readonly Rendered<UnitSpec>[];

/** What the command takes from the process and the machine. */
export interface PlanIo extends Output {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether somebody watches the error output: a terminal. */
  readonly progress: boolean;
  /** Pure but for a key of its own. What the later units change on a Swarm that holds the earlier ones. */
  compare(environment: string, before: Units, after: Units): Plan;
  /** Opens nothing yet: the first look does. */
  openSight(of: SightWanted): Sight;
}

/** What is looked at. */
export interface SightWanted {
  readonly socket: string;
  /** The agent's settings, which name the servers of databases; absent: those of the agent on this machine. */
  readonly settings?: string;
  /** What is planned is applied, to servers that were named and no others. */
  readonly apply?: boolean;
}

/** The Swarm as one who plans needs it: it is read and never written. */
export interface Sight {
  look(signal: AbortSignal): Promise<CallOutcome<Looked>>;
  close(): void;
}

/** What an agent would do about. */
export interface Wish {
  readonly environment: string;
  readonly units: Units;
  readonly settings: RepositorySettings;
  readonly revision: string;
  /** What left the repository did so with a revision that does not descend from the one before. */
  readonly rewound: boolean;
  readonly notes: readonly string[];
}

/** One look at the Swarm and the agents' record. */
export interface Looked {
  /** That the agents are set to; undefined where none has run here yet. */
  readonly environment: string | undefined;
  /** The newest revision that they saw; empty before the first. */
  readonly seen: string;
  /** It was built to try things out: `./rehearse` said so to every engine of it. */
  readonly isStage: boolean;
  /** Why the servers of databases were not looked at. */
  readonly unseen?: string;
  /** Compares one unit of the wish before all of them are there. What comes of that is remembered, and no plan depends on it. */
  compareAhead(unit: Units[number]): void;
  /** Looks at clusters where documents are about them. Rejects with the signal's reason. */
  plan(wish: Wish, signal: AbortSignal): Promise<Plan>;
}

/** A revision for people. */
export interface Named {
  /** The commit; `folder` for what lies in the folder. */
  readonly revision: string;
  readonly subject: string;
}

/** What was planned. */
export interface Plans {
  /** The revision that was compared with; absent: the Swarm. */
  readonly from?: Named;
  readonly to: Named;
  readonly environments: readonly Plan[];
  readonly notes: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

/** How planning ended. `code` is the exit code. */
export type Planned =
  | { readonly status: 'planned'; readonly plans: Plans }
  | { readonly status: 'invalid'; readonly of: Named; readonly diagnostics: readonly Diagnostic[] }
  | { readonly status: 'failed'; readonly code: 1 | 2 | 6; readonly why: string };
