import type { Place } from './diagnostic.ts';

/** `stack/blog`, `mysql-user/blog`. */
export type Id = `${string}/${string}`;

/** One unit as the repository wants it. Plain JSON but for secrets: it crosses a process boundary. */
export interface Rendered<Spec> {
  readonly id: Id;
  readonly spec: Spec;
  /** Hash of everything that went into `spec`: equal digests ask for the same thing. Hex. */
  readonly digest: string;
  readonly place: Place;
  /** What must exist first, made by nobody here: `network:proxy`, `secret:blog_db`, `config:x`. */
  readonly needs: readonly string[];
  /** What others may need once this unit is applied. */
  readonly gives: readonly string[];
}

/**
 * What is known about why a call did not go well. The first three lie outside the repository: they are never a
 * commit's failure. `name-taken`: something carries the name already, ours or not. `out-of-sequence`: it was changed
 * since it was read.
 */
export type CallCause =
  'unreachable' | 'no-leader' | 'not-a-manager' | 'name-taken' | 'out-of-sequence';

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
  readonly effect: 'none' | 'restart' | 'replace' | 'destructive';
  readonly fields: readonly FieldDiff[];
  readonly call: Call;
}

/** Why an operation that is needed is not done. */
export interface Blocked {
  readonly target: string;
  readonly why: string;
  /** True: the missing thing may come by itself, look again. False: only a commit or a person helps. */
  readonly waits: boolean;
}

/** What separates one unit from what was observed. No operation and nothing blocked: nothing that counts does. */
export interface Difference<Call> {
  readonly operations: readonly Operation<Call>[];
  readonly blocked: readonly Blocked[];
  /** What differs, cannot be changed and does no harm: for people, holds nothing up. */
  readonly notes?: readonly string[];
}

/** How an applied unit does right now, by one observation; time is judged elsewhere. */
export type Health =
  | {
      /** Everything wanted runs, nothing else of it does. */
      readonly status: 'converged';
      /** Names what runs: while it stays the same nothing was restarted. */
      readonly members: string;
      readonly summary: string;
    }
  | {
      readonly status: 'progressing';
      /** Grows as the unit gets on; growth restarts the timeout. */
      readonly progress: number;
      readonly summary: string;
    }
  | {
      /** Certain: waiting does not help. */
      readonly status: 'failing';
      readonly code: string;
      readonly why: string;
      readonly evidence: string;
      readonly summary: string;
    };

/** Milliseconds a unit may take without progress, and must stay well before it counts as healthy. */
export interface HealthTimes {
  readonly timeoutMs: number;
  readonly stableForMs: number;
}

/** One kind of unit. All of it is pure; the provider does the input and output. */
export interface Kind<Spec, Observed, Call> {
  readonly kind: string;
  diff(unit: Rendered<Spec>, observed: Observed): Difference<Call>;
  /** What ran before an attempt, so that old failures never count against the new one. */
  baseline(unit: Rendered<Spec>, observed: Observed): readonly string[];
  health(unit: Rendered<Spec>, observed: Observed, baseline: ReadonlySet<string>): Health;
  times(unit: Rendered<Spec>): HealthTimes;
}
