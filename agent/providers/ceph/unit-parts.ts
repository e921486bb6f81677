import type {
  Blocked,
  Difference,
  FieldDiff,
  Operation,
  Rendered,
  Shrink,
} from '../../core/kind.ts';
import type { DataMovement } from '../../core/repository-settings.ts';
import type { Command } from './commands.ts';
import type { CephCall, Step } from './call.ts';
import { claim, foreignMark, isSameMark, type Mark, markAt } from './marks.ts';
import { thingOf, wordsOf } from './named.ts';
import type { ClusterSeen } from './observed.ts';
import { otherIds } from './same-thing.ts';
import type { CephSpec } from './spec.ts';

/** What separates a unit from what its cluster has. */
export type Diff = Difference<CephCall>;
export const nothing: Diff = { operations: [], blocked: [] };

/** A unit, beside what its cluster has. */
export interface One<Spec extends CephSpec> {
  readonly unit: Rendered<CephSpec>;
  readonly spec: Spec;
  readonly seen: ClusterSeen;
  /** The environment that writes. */
  readonly owner: string;
  readonly dataMovement: DataMovement;
}

/** Pure. What people call the thing of a unit. */
export function targetOf(spec: CephSpec): string {
  return wordsOf(thingOf(spec));
}

/** Why something is not done; `waits`: what is missing may come by itself. */
export interface Obstacle {
  readonly why: string;
  readonly waits?: true;
}

/** Pure. Nothing is done about the unit, and why. */
export function hold(spec: CephSpec, obstacles: readonly Obstacle[]): Diff {
  const target = targetOf(spec);
  const blocked = obstacles.map(({ why, waits = false }): Blocked => ({
    target,
    why: `${target}: ${why}`,
    waits,
  }));
  return { ...nothing, blocked };
}

export const FOREIGN = 'it is there already and not ours: `adopt: true` takes it over';

/** What is to be done about a thing. */
export interface Change {
  readonly steps: readonly Step[];
  readonly fields: readonly FieldDiff[];
  /** At most so many bytes move to other places. Absent: none. */
  readonly movesBytes?: number;
  /** It waits for copies that have to be there. */
  readonly isLate?: boolean;
  /** What it gives up for good. Absent: nothing. */
  readonly shrinks?: readonly Shrink[];
}

/** Pure. Why a thing is not for us to touch; undefined: it is ours, is free, or was given to us. */
export function ownerProblem(
  { unit, spec, seen, owner }: One<CephSpec>,
  live: object | undefined,
): string | undefined {
  const foreign = foreignMark(thingOf(spec), seen, owner);
  if (foreign !== undefined) return foreign;
  if (live === undefined || spec.adopt || markAt(unit.id, seen) !== undefined) return undefined;
  // Under the id of before, where another cluster became the default one.
  return otherIds(unit.id, thingOf(spec), seen, owner).length > 0 ? undefined : FOREIGN;
}

/** Pure. The one operation of a unit: it is marked first, then made or changed. None where nothing differs. */
export function operationOf(
  one: One<CephSpec>,
  live: object | undefined,
  { steps, fields, movesBytes, isLate = false, shrinks = [] }: Change,
): Diff {
  const { unit, spec, seen } = one;
  const mark = markOf(one);
  const noted = markAt(unit.id, seen);
  const isNoted = noted !== undefined && noted !== 'unreadable' && isSameMark(noted, mark);
  if (steps.length === 0 && isNoted && live !== undefined) return nothing;
  const known = noted === 'unreadable' ? undefined : noted;
  const marked = live === undefined ? [] : markFields(known, mark);
  const all = isNoted ? steps : claimed(steps, claim(unit.id, mark));
  const operation: Operation<CephCall> = {
    target: targetOf(spec),
    verb: live === undefined ? 'create' : 'update',
    phase: live === undefined ? 'add' : 'change',
    effect: movesBytes === undefined ? 'none' : 'moves-data',
    fields: [...marked, ...fields],
    call: {
      ...callOf(spec, all),
      ...((movesBytes !== undefined || isLate) && { calm: true as const }),
    },
  };
  return { ...nothing, operations: [operation], ...(shrinks.length > 0 && { shrinks }) };
}

/** What is noted about something that is there. */
function markFields(noted: Mark | undefined, mark: Mark): readonly FieldDiff[] {
  const of = (key: 'owner' | 'policy' | 'minSize') =>
    mark[key] === undefined || noted?.[key] === mark[key]
      ? []
      : [fieldOf(`mark.${key}`, noted?.[key], mark[key])];
  return [...of('owner'), ...of('policy'), ...of('minSize')];
}

/** After what asks whether it is there: what somebody made meanwhile is not claimed. */
function claimed(steps: readonly Step[], mark: Command): readonly Step[] {
  const [first, ...rest] = steps;
  const isQuestion = first !== undefined && 'check' in first;
  return isQuestion ? [first, mark, ...rest] : [mark, ...steps];
}

function markOf({ spec, owner }: One<CephSpec>): Mark {
  const { deletionPolicy: policy } = spec;
  const { minSize } = (spec.kind === 'CephPool' ? spec.replicated : undefined) ?? {};
  return { owner, policy, ...(minSize !== undefined && { minSize }) };
}

/** Pure. */
export function callOf({ cluster }: Pick<CephSpec, 'cluster'>, steps: readonly Step[]): CephCall {
  return { op: 'ceph', steps, ...(cluster !== undefined && { cluster }) };
}

/** One field that differs, with the command that changes it. */
export interface FieldChange {
  readonly field: FieldDiff;
  readonly commands: readonly Command[];
}

/** Pure. A field as people read it. Empty text: it is not there. */
export function fieldOf(
  path: string,
  observed: string | number | boolean | undefined,
  desired: string | number | boolean | undefined,
): FieldDiff {
  return {
    path,
    ...(observed !== undefined && { observed: String(observed) }),
    ...(desired !== undefined && { desired: String(desired) }),
  };
}
