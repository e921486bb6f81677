import type {
  Answer,
  Asked,
  Blocked,
  Difference,
  Failure,
  Health,
  Kind,
  Operation,
  Rendered,
  Seen,
} from './kind.ts';
import type { Dependant } from './needed.ts';
import type { Attempt, UnitRecord } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';
import type { Watch } from './watch.ts';
import type { Windows } from './windows.ts';

/** What every unit of one step is looked at with. */
export interface Look<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly observed: Observed;
  /** The revision that is followed now. */
  readonly revision: string;
  readonly nowMs: number;
  /** For people, ISO 8601. */
  readonly date: string;
  /** Nodes that cannot run anything now. */
  readonly absent: readonly string[];
  readonly answers: ReadonlyMap<string, Answer>;
  /** Digests of what a person released. */
  readonly approvals: ReadonlySet<string>;
  /** Why nothing at all may be removed now. */
  readonly removalsOff: string | undefined;
  /** Units that left the repository are still there: nobody knows what they need. */
  readonly leaving?: boolean;
  /** What leaves a unit now does so with a revision that does not descend from the one before. */
  readonly rewound?: boolean;
  /** Digest of the parts that wait for a person. */
  readonly heldParts?: string;
  /** Why nothing at all may be called now. */
  readonly frozen?: string;
  /** When units may change. Absent: always. */
  readonly windows?: Windows;
}

/** What keeps a unit from beginning. */
export interface Wait {
  /** One line for people: `waits for stack/db, which is verifying`. */
  readonly why: string;
  /**
   * Absent: another unit that it depends on is not in place. `rollout`: the rest of the revision is held; `turn`: enough
   * units are under way; `move`: what left the repository has to go before it takes another one's place.
   */
  readonly gate?: 'window' | 'rollout' | 'turn' | 'move';
  /** Only a commit or a person helps: the other one failed, or somebody took it back by hand. */
  readonly ended?: 'failed' | 'by-hand';
}

/** One unit, from where it is looked at. */
export interface Standing<Spec> {
  /** As the repository wants it; absent where it left the repository on its way back. */
  readonly unit: Rendered<Spec> | undefined;
  readonly record: UnitRecord;
  readonly watch: Watch;
  /** The engine refused a call of the last round for good. */
  readonly refusal: Failure | undefined;
  /** It may go on with what it began, and go back, but begin nothing. */
  readonly wait?: Wait;
  /** It may lose nothing: this one may still need it. */
  readonly neededBy?: Dependant;
  /** Another one that it depends on is not well: what fails now is no failure of its own. */
  readonly outage?: Wait;
}

/** What a unit may do now, and where it stands after this. */
export interface Moved<Call> {
  /** Undefined: nothing is recorded of it yet. */
  readonly record: UnitRecord | undefined;
  readonly watch: Watch;
  readonly operations: readonly Operation<Call>[];
  /** What is to be taken away once these are done and settled. */
  readonly later?: readonly Operation<Call>[];
  readonly events: readonly UnitEvent[];
  readonly held?: string;
  /** It would begin, and waits. */
  readonly wait?: Wait;
  /** It is not to move, by somebody's will. */
  readonly gate?: 'suspended' | 'frozen';
  readonly blocked?: readonly Blocked[];
  readonly notes?: readonly string[];
  readonly health?: Health;
  /** What is to be known beside its health. */
  readonly asks?: readonly Asked[];
  /** What is held is only what left the unit: it is itself in place. */
  readonly partsHeld?: true;
  /** Digest of what a person may release or has released, as long as it is not carried out. */
  readonly approval?: string;
  /** Nothing but what wakes us anyway ends what holds it. */
  readonly patient?: true;
  /** What it waits for ends by itself in a moment. */
  readonly soon?: true;
  /** These operations find out what differs: what a person released may be of that. */
  readonly undecided?: true;
  /** It leaves the record. */
  readonly gone?: true;
}

/** Pure. Nothing is to be done. */
export function unmoved<Call>(record: UnitRecord | undefined, watch: Watch): Moved<Call> {
  return { record, watch, operations: [], events: [] };
}

/** Pure. What is known of an attempt beside the observation. */
export function seenBy<Spec, Observed, Call>(
  { answers }: Look<Spec, Observed, Call>,
  attempt: Attempt,
  { lost }: Watch,
): Seen {
  const baseline = new Set(attempt.baseline);
  return { baseline, lost: new Set(lost), answers, judged: true, logs: true };
}

/** Pure. How a unit does that nobody judges: old failures are no news. */
export function healthNow<Spec, Observed, Call>(
  { kind, observed }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
): Health {
  const baseline = new Set(kind.baseline(unit, observed));
  return kind.health(unit, observed, {
    baseline,
    lost: new Set(),
    answers: new Map(),
    judged: false,
  });
}

/** Pure. Calls went well again and again and what they should change did not change. */
export function noEffect<Call>(operations: readonly Operation<Call>[]): Failure {
  const paths = operations.flatMap(({ target, fields }) =>
    fields.length === 0 ? [target] : fields.map(({ path }) => path),
  );
  const why = 'the engine took the change and stores something else';
  return { code: 'no-effect', why, evidence: paths.slice(0, 10).join(', ') };
}

/** Pure. Why blocked operations are not done, in one line. */
export function heldBy(blocked: readonly Blocked[]): string | undefined {
  return blocked.length === 0 ? undefined : blocked.map(({ why }) => why).join('; ');
}

/** Pure. The calls of a difference that are due now: none while something blocks them, or before the next try. */
export function due<Call>(
  record: UnitRecord,
  watch: Watch,
  { operations, blocked, notes, later }: Difference<Call>,
  nowMs: number,
): Moved<Call> {
  const held = heldBy(blocked);
  const ready = held === undefined && nowMs >= watch.retryAtMs;
  return {
    record,
    watch,
    operations: ready ? operations : [],
    events: [],
    blocked,
    ...(held !== undefined && { held }),
    ...(notes && { notes }),
    ...(later && { later }),
  };
}
