import {
  type Counts,
  countsOf,
  type Plan,
  type PlannedOperation,
  type PlannedUnit,
} from '../core/plan.ts';
import type { FieldDiff } from '../core/kind.ts';
import { visible } from '../core/visible.ts';
import type { Plans } from './plan-ports.ts';
import { nameOf } from './plan-revisions.ts';

/** What stands before a line: what is added, changed, removed, or only said. */
export type Sign = '+' | '~' | '-' | ' ';

/** One line of what would become of a unit. `depth`: how far it stands to the right. */
export interface PlanLine {
  readonly sign: Sign;
  readonly depth: 0 | 1 | 2;
  readonly text: string;
}

/** Pure. `2 added, 1 changed (1 restart), 1 removed (3 destructive), 1 held`, or `no changes`. */
export function countsInWords(counts: Counts): string {
  const { added, changed, removed, held, restarts, destructive } = counts;
  const words = [
    ...(added > 0 ? [`${String(added)} added`] : []),
    ...(changed > 0 ? [`${String(changed)} changed`] : []),
    ...(removed > 0 ? [`${String(removed)} removed`] : []),
    ...(restarts > 0 ? [plural(restarts, 'restart')] : []),
    ...(destructive > 0 ? [`${String(destructive)} destructive`] : []),
    ...(held > 0 ? [`${String(held)} held`] : []),
  ];
  return words.length === 0 ? 'no changes' : words.join(', ');
}

/** Pure. The counts of several environments together. */
export function totalOf(plans: readonly Plan[]): Counts {
  return countsOf({ units: plans.flatMap(({ units }) => units) });
}

/** Pure. What was compared with what. */
export function subjectOf({ from, to }: Plans): string {
  const later = nameOf(to);
  return from === undefined
    ? `${later}, on the Swarm as it is now`
    : `${later}, compared with ${nameOf(from)}`;
}

/** Pure. The unit in one line, without its sign. */
export function headOf(unit: PlannedUnit): string {
  const { restarts, destructive } = countsOf({ units: [unit] });
  const words = [
    ...(unit.held !== undefined || unit.blocked.length > 0 ? ['held'] : []),
    ...(restarts > 0 ? [plural(restarts, 'restart')] : []),
    ...(destructive > 0 ? [`${String(destructive)} destructive`] : []),
  ];
  return words.length === 0 ? unit.id : `${unit.id}: ${words.join(', ')}`;
}

/** Pure. */
export function signOf({ change }: Pick<PlannedUnit, 'change'>): Sign {
  return signs[change];
}

const signs = { add: '+', change: '~', remove: '-', keep: ' ' } as const;

/** Pure. All that is to be said of a unit, below its head. */
export function linesOf({ held, blocked, operations, notes }: PlannedUnit): readonly PlanLine[] {
  return [
    ...(held === undefined ? [] : [said(`held: ${held}`)]),
    ...blocked.map((why) => said(`cannot be done: ${why}`)),
    ...operations.flatMap(operationLines),
    ...notes.map(said),
  ];
}

function said(text: string): PlanLine {
  return { sign: ' ', depth: 1, text: visible(text) };
}

const verbs = { create: '+', update: '~', remove: '-' } as const;

/** Pure. What is done to one object, and every field that changes. */
export function operationLines({
  target,
  verb,
  effect,
  fields,
}: PlannedOperation): readonly PlanLine[] {
  const how = effect === 'none' ? '' : ` (${effects[effect]})`;
  const head: PlanLine = { sign: verbs[verb], depth: 1, text: `${visible(target)}${how}` };
  return [head, ...fields.flatMap(fieldLines)];
}

const effects = {
  restart: 'its tasks restart',
  replace: 'it is made anew',
  'moves-data': 'its data moves',
  destructive: 'it is gone then',
} as const;

function fieldLines({ path, observed, desired }: FieldDiff): readonly PlanLine[] {
  const line = (sign: Sign, value: string): PlanLine => {
    return { sign, depth: 2, text: `${visible(path)}: ${visible(value)}` };
  };
  const isHidden = observed !== undefined && observed === desired;
  if (isHidden) return [line('~', `${observed} (changed)`)];
  return [
    ...(observed === undefined ? [] : [line('-', observed)]),
    ...(desired === undefined ? [] : [line('+', desired)]),
  ];
}

/** Pure. */
export function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}
