import type { Id, Operation } from './kind.ts';

/** What happens to what leaves the repository. */
export interface RemovalRules {
  /** The whole unit waits for a person. */
  readonly hold: boolean;
  /** Parts that left a healthy unit are removed. */
  readonly prune: boolean;
}

/** One object of a unit that is there, as the record names it. */
export interface Member {
  /** As people name it: `service blog_web`. */
  readonly target: string;
  /** Whole: a name may be somebody else's by now. */
  readonly id: string;
}

/** How far the removal of some members is. */
export interface Removal<Call> {
  /** What can go now, in order. */
  readonly operations: readonly Operation<Call>[];
  /** Those that are there and still the unit's; with none of them it is over. */
  readonly left: readonly Member[];
  /** What has to end first and does so by itself. */
  readonly ending?: string;
  /** Why some of them cannot go, until somebody helps. */
  readonly waits: readonly string[];
  /** What of the unit is there still when it is over, in words: it is said once. */
  readonly stays?: readonly string[];
}

/** What is there still of a unit that left the repository, and whose time is over. */
export interface Leftover<Call> {
  /** Names it for as long as it is there. */
  readonly id: string;
  /** The unit that it was of. */
  readonly unit: Id;
  /** What takes it away. */
  readonly operation: Operation<Call>;
}

/** An object that was made for a unit and holds a content which that does not want any more. */
export interface Spare<Call> {
  readonly id: string;
  /** As units name what they need: `config:blog_page-1a2b3c4d`. */
  readonly need: string;
  /** What takes it away. */
  readonly operation: Operation<Call>;
}
