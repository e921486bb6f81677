import type { Place } from './diagnostic.ts';
import type { Leftover, Member, Removal, RemovalRules, Spare } from './member.ts';
import type { First, FirstInput } from './first.ts';
import type { Answer, Asked } from './question.ts';

export type { Answer, Asked, Question } from './question.ts';

/** `stack/blog`, `mysql-user/blog`. */
export type Id = `${string}/${string}`;

/** One unit as the repository wants it. Plain JSON but for secrets: it crosses a process boundary. */
export interface Rendered<Spec> {
  readonly id: Id;
  readonly spec: Spec;
  /** Hash of everything that went into `spec`: equal digests ask for the same thing. Hex. */
  readonly digest: string;
  readonly place: Place;
  /** Units that must be in place first, as they are written; not part of the digest. */
  readonly dependsOn: readonly Id[];
  /** What must exist first, made by nobody here: `network:proxy`, `secret:blog_db`, `config:x`. */
  readonly needs: readonly string[];
  /** What others may need once this unit is applied. */
  readonly gives: readonly string[];
  /** Nothing is called for it while the repository says so. No part of the digest: it asks for the same thing. */
  readonly suspended?: true;
  /** The unit whose place it takes. No part of the digest either. */
  readonly movedFrom?: Id;
  /** So many of its files are encrypted and were not opened: what stands for them is not what would be deployed. */
  readonly locked?: number;
  /** Without its key nothing is known of what it asks for: what stands in `spec` says nothing. */
  readonly closed?: true;
}

/**
 * What is known about why a call did not go well. The first three lie outside the repository: they are never a
 * commit's failure. `name-taken`: something carries the name already, ours or not. `out-of-sequence`: it was changed
 * since it was read. `held-back`: we did not send it, because we may not act now. `other-content`: what is there holds
 * something else than what was sent: an answer to what was asked, and nobody's failure.
 */
export type CallCause =
  | 'unreachable'
  | 'no-leader'
  | 'not-a-manager'
  | 'name-taken'
  | 'out-of-sequence'
  | 'held-back'
  | 'other-content';

/** How a call to the outside ended. `unknown` is neither: read before doing anything else. */
export type CallOutcome<Value> =
  | { readonly status: 'ok'; readonly value: Value }
  | {
      readonly status: 'refused';
      readonly why: string;
      /** `after-replan`: read again and try anew. `never`: the same call fails the same way. */
      readonly retry: 'after-replan' | 'never';
      readonly cause?: CallCause;
    }
  | { readonly status: 'unknown'; readonly why: string; readonly cause?: CallCause };

/** One differing field. Absent = not there on that side. Secrets are shown as `[secret]`. */
export interface FieldDiff {
  /** `services.web.image` */
  readonly path: string;
  readonly observed?: string;
  readonly desired?: string;
}

/** One thing to do, as data. The provider's client carries `call` out; nobody else looks into it. */
export interface Operation<Call> {
  /** What it is done to, as people name it: `service blog_web`. */
  readonly target: string;
  readonly verb: 'create' | 'update' | 'remove';
  readonly phase: 'add' | 'change' | 'remove';
  readonly effect: 'none' | 'restart' | 'replace' | 'moves-data' | 'destructive';
  readonly fields: readonly FieldDiff[];
  /** It carries out again what is done, such as a job: right for a new digest, never to correct drift. */
  readonly reruns?: true;
  /** It finds out whether what is there is what is wanted already, and notes that on it: nothing that runs changes. */
  readonly proves?: true;
  readonly call: Call;
}

/** Why an operation that is needed is not done. */
export interface Blocked {
  readonly target: string;
  readonly why: string;
  /** True: the missing thing may come by itself, look again. False: only a commit or a person helps. */
  readonly waits: boolean;
  /** The unit that has what is in the way. */
  readonly owner?: Id;
}

/** Something that an operation gives up, such as copies of data. */
export interface Shrink {
  /** Names it, and stays the same while it is the same: `size 3 -> 2`. */
  readonly what: string;
  /** `gives up copies` */
  readonly why: string;
}

/** What separates one unit from what was observed. No operation and nothing blocked: nothing that counts does. */
export interface Difference<Call> {
  readonly operations: readonly Operation<Call>[];
  readonly blocked: readonly Blocked[];
  /** What the operations give up for good. A person releases it first. Absent: nothing. */
  readonly shrinks?: readonly Shrink[];
  /** What differs, cannot be changed and does no harm: for people, holds nothing up. */
  readonly notes?: readonly string[];
  /** What only takes away: due once everything else is in place, and nothing that depends on it may need it any more. */
  readonly later?: readonly Operation<Call>[];
}

/** Plain JSON, as it is kept in the record. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What there is to say of a unit once it took too long. Absent: no more than its summary. */
export interface Late {
  readonly evidence: string;
  /** What else is read for that, and not before. */
  readonly asks: readonly Asked[];
  /** Not all of it was answered. */
  readonly reading?: true;
}

/** How an applied unit does right now, by one observation; time is judged elsewhere. */
export type Health = {
  /** One line for people: `web 2/3`. */
  readonly summary: string;
  /** What must be known to say more. It is asked until it is wanted no more. */
  readonly asks?: readonly Asked[];
} & (
  | {
      /** Everything wanted runs, nothing else of it does. */
      readonly status: 'converged';
      /** Names what runs: while it stays the same nothing was restarted. */
      readonly members: string;
      readonly late?: Late;
    }
  | {
      readonly status: 'progressing';
      /** Grows as the unit gets on; growth restarts the timeout. */
      readonly progress: number;
      readonly late?: Late;
    }
  | {
      /** Certain: waiting does not help. */
      readonly status: 'failing';
      readonly code: string;
      readonly why: string;
      readonly evidence: string;
      /** More evidence is being read: the verdict waits for what is asked, but not for ever. */
      readonly reading?: true;
    }
  | {
      /** It cannot get on for a cause that is not its own: nobody's failure, the clock stands. */
      readonly status: 'outside';
      readonly why: string;
    }
);

/** What is known of an attempt beside one observation. */
export interface Seen {
  /** Tasks that were there before it: old failures never count against it. */
  readonly baseline: ReadonlySet<string>;
  /** Nodes that went away since it began, also those that came back: what failed there does not count. */
  readonly lost: ReadonlySet<string>;
  /** By the name of the question. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** A verdict is due. Else only the tasks are looked at, and nothing is asked. */
  readonly judged: boolean;
  /** What a task wrote last can be asked for. */
  readonly logs?: true;
}

/** Milliseconds a unit may take without progress, and must stay well before it counts as healthy. */
export interface HealthTimes {
  readonly timeoutMs: number;
  readonly stableForMs: number;
}

/** What happens to a unit that fails, and how many healthy releases are kept. */
export interface RollbackRules {
  /** `forward`: what failed stays as far as it came, and nothing of it ever goes back. */
  readonly mode: 'auto' | 'hold' | 'forward';
  readonly keep: number;
}

/** A unit as it was healthy, or as it was found, kept in the record. */
export interface Release {
  /** The digest of the unit as it was rendered. */
  readonly digest: string;
  /** The revision that brought it; empty: it was there before us. */
  readonly revision: string;
  /** For people, ISO 8601. */
  readonly at: string;
  /** What the kind needs to bring it back; nobody else looks into it. */
  readonly content: Json;
  /** It was there before us, equal to the repository, and nobody has seen it healthy yet. */
  readonly unproven?: true;
}

/** One kind of unit. All of it is pure; the provider does the input and output. */
export interface Kind<Spec, Observed, Call> {
  readonly kind: string;
  /** `made`: targets that may stand still because we stopped them: what is live of those is nobody's will. */
  diff(unit: Rendered<Spec>, observed: Observed, made?: readonly string[]): Difference<Call>;
  /** Whether what its first calls need is to be had. Absent: nobody is asked. */
  first?(unit: Rendered<Spec>, observed: Observed, input: FirstInput<Call>): First;
  /** What runs before an attempt, so that old failures never count against the new one. */
  baseline(unit: Rendered<Spec>, observed: Observed): readonly string[];
  /** Nodes that cannot run anything now. */
  absent(observed: Observed): readonly string[];
  /** By the tasks that fit what is in place now: where that is not the unit's, it says nothing of the unit. */
  health(unit: Rendered<Spec>, observed: Observed, seen: Seen): Health;
  /**
   * How an attempt does that the engine gave up by itself, where what it holds is not what was sent. Never converged:
   * failing, or not known yet, or for a cause outside. Undefined where it did not give up.
   */
  givenUp(unit: Rendered<Spec>, observed: Observed, seen: Seen): Health | undefined;
  /** What makes the engine go on with an attempt that it stopped for no failure of the attempt's own. */
  resume(unit: Rendered<Spec>, observed: Observed): readonly Operation<Call>[];
  times(unit: Rendered<Spec>): HealthTimes;
  rollback(unit: Rendered<Spec>): RollbackRules;
  /** Whether anything of it is there, whoever made it. */
  isThere(unit: Rendered<Spec>, observed: Observed): boolean;
  /**
   * What is there now, so that `restore` brings exactly that back. `wanted`: the parts that the unit has;
   * `all`: also what nobody asks for any more.
   */
  release(unit: Rendered<Spec>, observed: Observed, parts: 'wanted' | 'all'): Json;
  /** A release as a unit; the same object for the same release. Undefined where this version cannot read it. */
  restore(id: Id, release: Release): Rendered<Spec> | undefined;
  /** Targets of the operations that could make what runs of it. */
  parts(unit: Rendered<Spec>): readonly string[];
  /** What stops these parts of a unit (targets of operations) and removes nothing, or touches what is not the unit's. Nothing to do where they stand still. */
  stop(id: Id, targets: readonly string[], observed: Observed): readonly Operation<Call>[];
  removal(unit: Rendered<Spec>): RemovalRules;
  /** Targets of all that goes from the Swarm when it leaves the unit. */
  makes(unit: Rendered<Spec>): readonly string[];
  /** All objects that are there under the unit's own mark, in the order in which they can go. Never what holds data. */
  members(id: Id, observed: Observed): readonly Member[];
  /** Removes these and nothing else, each only while it still bears the unit's mark, and the later ones only after the earlier ones. */
  remove(id: Id, members: readonly Member[], observed: Observed): Removal<Call>;
  /** Why nobody can know now what is there of a unit that left: then nothing of it begins. Absent: all is seen. */
  hidden?(id: Id, observed: Observed): string | undefined;
  /** What is there of units that left before and goes now, without the record: whether such a unit is back is not looked at. Absent: nothing. */
  leftovers?(observed: Observed): readonly Leftover<Call>[];
  /** What of it still runs, in words, whoever made it; undefined: it stands still. */
  runs(id: Id, observed: Observed): string | undefined;
  /** What of it others use, in words: that keeps it from being removed. */
  users(id: Id, observed: Observed): readonly string[];
  /** What is in no use that was observed. Releases and other units are not looked at: their `needs` name what they name. */
  spares(unit: Rendered<Spec>, observed: Observed): readonly Spare<Call>[];
  /** How long each list is that was read. */
  sizes(observed: Observed): Readonly<Record<string, number>>;
}

/** Why a digest is given up: a slug, a sentence, and what was seen. */
export interface Failure {
  readonly code: string;
  readonly why: string;
  readonly evidence: string;
}
