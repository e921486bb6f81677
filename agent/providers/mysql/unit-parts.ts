import type { Blocked, Difference, FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import type { MysqlCall, ServerSeen } from './observed.ts';
import type { Step } from './step.ts';
import type { MysqlSpec } from './spec.ts';

/** What separates a unit from what its server has. */
export type Diff = Difference<MysqlCall>;
export const nothing: Diff = { operations: [], blocked: [] };

const WORDS = { MySQLDatabase: 'database', MySQLRole: 'role', MySQLUser: 'account' } as const;

/** Pure. What people call the things of a unit: `account blog@%`. On which server is in the unit's id. */
export function targetOf({ kind, name }: MysqlSpec, host?: string): string {
  return `${WORDS[kind]} ${name}${host === undefined ? '' : `@${host}`}`;
}

/** A unit, beside what its server has. */
export interface One<Spec extends MysqlSpec> {
  readonly unit: Rendered<MysqlSpec>;
  readonly spec: Spec;
  readonly seen: ServerSeen;
}

/** Pure. Nothing is done about it, and why. */
export function hold(spec: MysqlSpec, whys: readonly string[], waits = false): Diff {
  const target = targetOf(spec);
  const blocked = whys.map((why): Blocked => ({ target, why: `${target}: ${why}`, waits }));
  return { ...nothing, blocked };
}

export const FOREIGN = 'it is there already and not ours: `adopt: true` takes it over';

interface Said {
  readonly live: object | undefined;
  readonly said: readonly Step[];
  readonly fields: readonly FieldDiff[];
  readonly target?: string;
}

/** Pure. What makes or changes something. */
export function operation(
  spec: MysqlSpec,
  { live, said, fields, target = targetOf(spec) }: Said,
): Operation<MysqlCall> {
  return {
    target,
    verb: live === undefined ? 'create' : 'update',
    phase: live === undefined ? 'add' : 'change',
    effect: 'none',
    fields,
    call: callOf(spec, said),
  };
}

/** Pure. What only takes away. */
export function takenAway(
  spec: MysqlSpec,
  target: string,
  later: readonly Step[],
): Operation<MysqlCall> {
  const fields = shown(later);
  const call = callOf(spec, later);
  return { target, verb: 'update', phase: 'remove', effect: 'none', fields, call };
}

/** Pure. */
export function callOf({ server }: MysqlSpec, statements: readonly Step[]): MysqlCall {
  return { op: 'statements', statements, ...(server !== undefined && { server }) };
}

/** Pure. The statements themselves say best what changes. Secrets are blanked in them. */
export function shown(statements: readonly Step[]): readonly FieldDiff[] {
  return statements.map((statement) => ({ path: 'sql', desired: String(statement) }));
}
