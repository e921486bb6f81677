import type { Id, Rendered } from './kind.ts';
import type { Moved, Wait } from './look.ts';
import { isInPlace, type UnitRecord } from './unit.ts';
import type { Watch } from './watch.ts';

/** How the units of one revision change, one after another. Durations in milliseconds. */
export interface RolloutPolicy {
  /** So many units are under way at most. */
  readonly atOnce: number;
  /** After so many failed ones the rest of the revision stays as it is. */
  readonly maxFailures: number;
  /** So long the place of a unit that came to rest stays taken. */
  readonly pauseMs: number;
  /** These go first, with what they depend on. */
  readonly canary: readonly Id[];
  /** What becomes of those that are healthy when the rest is stopped. */
  readonly onFailure: 'pause' | 'rollback';
}

/** What `rollout` says where nobody wrote it. */
export const defaultRollout: RolloutPolicy = {
  atOnce: 50,
  maxFailures: 3,
  pauseMs: 0,
  canary: [],
  onFailure: 'pause',
};

/** What the brake is computed from. */
export interface RolloutInput<Spec> {
  readonly policy: RolloutPolicy;
  readonly revision: string;
  readonly desired: readonly Rendered<Spec>[];
  /** After what people asked for. */
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly nowMs: number;
}

/**
 * The brake of one step. It is derived from the record each time: how many units are under way, how many digests this
 * revision had quarantined, how the canaries are. Only the pause goes by clocks in memory. Units are noted as they are
 * looked at, so that what this very step begins or ends counts.
 */
export class Rollout<Spec> {
  readonly #input: RolloutInput<Spec>;
  readonly #canaries: ReadonlySet<Id>;
  /** Canaries that are not in place, or were not looked at yet. */
  readonly #open = new Map<Id, Canary>();
  #underWay = 0;
  #failed = 0;
  /** When the places of units that came to rest are free again. */
  readonly #rests: number[] = [];
  #canaryRestsMs = 0;
  #waits = false;
  #changed = false;

  constructor(input: RolloutInput<Spec>) {
    this.#input = input;
    const { policy, desired, units } = input;
    const canaries = new Set(policy.canary);
    this.#canaries = canaries;
    const byId = new Map(desired.map((unit) => [unit.id, unit]));
    for (const [id, record] of units) if (isMoving(byId.get(id), record)) this.#underWay += 1;
    for (const unit of desired) {
      const record = units.get(unit.id);
      if (record !== undefined) this.#count(unit, record);
      if (!canaries.has(unit.id) || isInPlace(record, unit.digest)) continue;
      this.#open.set(unit.id, { why: `waits for the canary ${unit.id}` });
    }
  }

  get policy(): RolloutPolicy {
    return this.#input.policy;
  }

  get revision(): string {
    return this.#input.revision;
  }

  /** Canaries that are still to become healthy. */
  get open(): readonly Id[] {
    return [...this.#open.keys()];
  }

  /** Why nothing more of the revision begins, where only a person or another revision ends it. */
  get stopped(): string | undefined {
    const { maxFailures } = this.#input.policy;
    if (this.#failed >= maxFailures) {
      return `${inUnits(maxFailures)} of the revision failed (\`rollout.maxFailures\`)`;
    }
    return this.#ended()?.why;
  }

  /** Whether too many units of the revision failed. */
  get isBroken(): boolean {
    return this.#failed >= this.#input.policy.maxFailures;
  }

  /** Whether one more unit may be under way. */
  get hasPlace(): boolean {
    return this.#underWay + this.#rests.length < this.#input.policy.atOnce;
  }

  /** How soon looking again can matter to what waits here. */
  get wakeMs(): number {
    if (this.#changed && (this.#waits || this.isBroken)) return 0;
    if (!this.#waits || this.#rests.length === 0) return Infinity;
    const first = this.#rests.reduce((soonest, untilMs) => Math.min(soonest, untilMs));
    return Math.max(1, first - this.#input.nowMs);
  }

  /** Why a unit may not begin, whoever has a place. `isFirst`: it is a canary, or one depends on it. */
  holdOf(isFirst: boolean): Wait | undefined {
    if (this.isBroken) return held(this.stopped, 'failed');
    if (isFirst) return undefined;
    const canary = this.#ended() ?? this.#open.values().next().value;
    if (canary !== undefined) {
      this.#waits = true;
      return held(canary.why, canary.ended);
    }
    return this.#canaryRestsMs > this.#input.nowMs ? this.#turn() : undefined;
  }

  /** Why a unit has to wait for a place. */
  turnOf(unit: Rendered<Spec>, record: UnitRecord | undefined): Wait | undefined {
    return this.hasPlace || isMoving(unit, record) ? undefined : this.#turn();
  }

  /** Where a unit stands after this step, and stood before it. */
  note<Call>(unit: Rendered<Spec>, before: UnitRecord | undefined, moved: Moved<Call>): void {
    const { record } = moved;
    const [was, is] = [isMoving(unit, before), isMoving(unit, record)];
    this.#underWay += Number(is) - Number(was);
    if (was && !is) {
      this.#changed = true;
      const { pauseMs } = this.#input.policy;
      if (pauseMs > 0) this.#rest(unit.id, this.#input.nowMs + pauseMs);
    }
    const fails = this.#hasFailed(unit, record);
    if (fails !== this.#hasFailed(unit, before)) {
      this.#failed += fails ? 1 : -1;
      this.#changed = true;
    }
    if (this.#canaries.has(unit.id)) this.#noteCanary(unit, moved);
  }

  /** What a unit is counted as before this step. */
  #count(unit: Rendered<Spec>, record: UnitRecord): void {
    const { policy, revision, watches, nowMs } = this.#input;
    if (this.#hasFailed(unit, record)) this.#failed += 1;
    if (policy.pauseMs === 0 || isMoving(unit, record) || !changedBy(record, revision)) return;
    // What left it waits for a person: nobody can say for how long it came to rest before that.
    if (record.rewound === true) return;
    // Nobody knows since when, after a start: then from now on.
    const untilMs = (watches.get(unit.id)?.sinceMs ?? nowMs) + policy.pauseMs;
    if (untilMs > nowMs) this.#rest(unit.id, untilMs);
  }

  #rest(id: Id, untilMs: number): void {
    this.#rests.push(untilMs);
    if (this.#canaries.has(id)) this.#canaryRestsMs = Math.max(this.#canaryRestsMs, untilMs);
  }

  #turn(): Wait {
    this.#waits = true;
    const { atOnce } = this.#input.policy;
    const isFull = this.#underWay >= atOnce;
    const why = isFull
      ? `${inUnits(atOnce)} at once (\`rollout.atOnce\`)`
      : 'a pause after those that came to rest (`rollout.pause`)';
    return { why: `rollout: ${why}`, gate: 'turn' };
  }

  #hasFailed({ digest }: Rendered<Spec>, record: UnitRecord | undefined): boolean {
    const { revision } = this.#input;
    return (record?.quarantine ?? []).some(
      (one) => one.digest === digest && one.revision === revision && one.code !== 'manual',
    );
  }

  #ended(): Canary | undefined {
    return this.#open.values().find(({ ended }) => ended !== undefined);
  }

  #noteCanary<Call>(unit: Rendered<Spec>, moved: Moved<Call>): void {
    const canary = canaryOf(unit, moved);
    if (canary === undefined) this.#open.delete(unit.id);
    else this.#open.set(unit.id, canary);
  }
}

/** A canary that is not in place. */
interface Canary {
  /** For people. */
  readonly why: string;
  /** Only a commit or a person helps. */
  readonly ended?: Wait['ended'];
}

function held(why: string | undefined, ended: Wait['ended']): Wait {
  const line = `rollout: ${why ?? 'stopped'}`;
  return { why: line, gate: 'rollout', ...(ended !== undefined && { ended }) };
}

function inUnits(count: number): string {
  return count === 1 ? '1 unit' : `${String(count)} units`;
}

/** Pure. Something of it is under way; one that is suspended does not move. */
export function isMoving<Spec>(
  unit: Rendered<Spec> | undefined,
  record: UnitRecord | undefined,
): boolean {
  if (record?.attempt === undefined) return false;
  return record.suspended === undefined && unit?.suspended !== true;
}

function changedBy({ releases, quarantine }: UnitRecord, revision: string): boolean {
  return releases[0]?.revision === revision || quarantine.some((one) => one.revision === revision);
}

function canaryOf<Spec, Call>(
  unit: Rendered<Spec>,
  { record, wait }: Moved<Call>,
): Canary | undefined {
  const canary = `canary ${unit.id}`;
  const failure = record?.quarantine.find(({ digest }) => digest === unit.digest);
  if (failure?.code === 'manual') {
    return { why: `${canary} was rolled back by hand`, ended: 'by-hand' };
  }
  if (failure !== undefined) return { why: `${canary} failed`, ended: 'failed' };
  if (isInPlace(record, unit.digest)) return undefined;
  if (record?.suspended !== undefined || unit.suspended === true) {
    return { why: `${canary} is suspended`, ended: 'by-hand' };
  }
  if (wait?.ended !== undefined) {
    return { why: `${canary} waits for one that does not come`, ended: wait.ended };
  }
  if (record?.phase === 'stuck' && wait === undefined) {
    return { why: `${canary} is stuck`, ended: 'failed' };
  }
  return { why: `waits for the ${canary}` };
}
