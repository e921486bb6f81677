import type { CallOutcome, Id } from './kind.ts';
import type { Secret } from './secret.ts';

// What holds data is never deleted by an agent. A person does it, with a login of his own; each kind says how.

/** What is known of the repository and of the agents that follow it. */
export interface PurgeGround {
  /** Units that the repository has, and those of which something is still under way. */
  readonly units: ReadonlySet<Id>;
  /** As whom the agents write. */
  readonly environment: string;
}

/** As whom a person comes. */
export type PurgeLogin =
  | { readonly by: 'password'; readonly user: string; readonly password: Secret }
  /** The key stays in its file: whoever speaks to the cluster reads it there. */
  | { readonly by: 'keyring'; readonly user: string; readonly keyringFile: string };

/** One thing that is known of it. */
export interface PurgeFact {
  /** For programs: `bytes`. */
  readonly key: string;
  readonly value: string | number;
  /** For people: `size  12.3 MB`. */
  readonly label: string;
  readonly words: string;
}

/** What would go, as one look shows it. */
export interface Doomed {
  /** False: it is gone already, and a note of it is left. */
  readonly isThere: boolean;
  /** Where it is found: `db1:3306`. */
  readonly host: string;
  /** Tells it from another one by the same name, where that is known. */
  readonly identity?: string;
  readonly facts: readonly PurgeFact[];
  /** Why it is not to go now, each in words that stand alone. Empty: it may. */
  readonly refusals: readonly string[];
  /** What people should know beside that. */
  readonly notes: readonly string[];
}

/** What is to be deleted now. */
export interface PurgeOrder {
  /** As it is now: a document may have come back since the first look. */
  readonly ground: PurgeGround;
  /** What was shown. The name of what was gone then was not asked for. */
  readonly shown: Pick<Doomed, 'isThere' | 'identity'>;
  /** For the deletion alone. Milliseconds. */
  readonly deadlineMs: number;
}

/** A login at the place where it is. */
export interface Purger {
  /** Looks, and writes nothing. Rejects with the signal's reason. */
  look(ground: PurgeGround, signal: AbortSignal): Promise<CallOutcome<Doomed>>;
  /**
   * Looks once more, and deletes it where nothing speaks against it, and where it is not there again since it was shown. `refused`: it is there as it was, unless `why` says otherwise.
   * `unknown`: it may be deleted still. Rejects with the signal's reason before anything was
   * written, and never later.
   */
  purge(order: PurgeOrder, signal: AbortSignal): Promise<CallOutcome<Doomed>>;
}

/** One thing that may hold data, by its id and the agent's settings. */
export type PurgeTarget = TargetFor<'password'> | TargetFor<'keyring'>;

/** The same for one way to log in. */
export interface TargetFor<By extends PurgeLogin['by']> {
  readonly by: By;
  /** `database blog on server main`. */
  readonly what: string;
  /** What a person types so that it goes. */
  readonly name: string;
  /** Pure. Why it stays, by what the repository has; undefined: nothing there speaks against it. */
  kept(ground: PurgeGround): string | undefined;
  open(login: Extract<PurgeLogin, { readonly by: By }>): Purger;
}

/** Pure. What nobody was shown, and nobody typed the name of, stays. */
export function againRefusals(
  shown: Pick<Doomed, 'isThere' | 'identity'>,
  { isThere, identity }: Pick<Doomed, 'isThere' | 'identity'>,
): readonly string[] {
  if (!isThere) return [];
  if (!shown.isThere) return ['it is there now, and was not when it was shown: begin again'];
  if (shown.identity === identity) return [];
  return ['it is another one by the same name than what was shown: begin again'];
}

/** Of one deletion. */
export interface PurgeLimits {
  /** For the deletion alone. Milliseconds. */
  readonly deadlineMs: number;
  /** Counts until the deletion is sent. */
  readonly signal: AbortSignal;
}

/** How often it is looked whether a deletion of which no answer came is done, and how long that takes at most. Milliseconds. */
export const READ_BACK = { everyMs: 1_000, forMs: 15_000 } as const;
