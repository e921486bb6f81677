import type { Approval } from '../../agent/core/approve.ts';
import type { Failure, Id, Kind, Operation, Rendered } from '../../agent/core/kind.ts';
import type { Removals } from '../../agent/core/removal.ts';
import type { RolloutPolicy } from '../../agent/core/rollout.ts';
import { step, type Step } from '../../agent/core/step.ts';
import type { Request, UnitRecord } from '../../agent/core/unit.ts';
import { called, type Watch } from '../../agent/core/watch.ts';
import type { WindowRule } from '../../agent/core/windows.ts';
import type { History } from '../../agent/reconcile/history.ts';
import { judgeRevision, type RevisionStanding } from '../../agent/reconcile/revision.ts';
import {
  call,
  emptyWorld,
  tick,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from './unit-world.ts';

/** A world of several units, each in its own small one. */
export type Worlds = Readonly<Record<Id, UnitWorld>>;

/** A call to the world of one unit. */
export interface WorldsCall {
  readonly id: Id;
  readonly call: UnitCall;
}

const worldOf = (worlds: Worlds, id: Id): UnitWorld => worlds[id] ?? emptyWorld;

const addressed =
  (id: Id) =>
  (operation: Operation<UnitCall>): Operation<WorldsCall> => ({
    ...operation,
    call: { id, call: operation.call },
  });

export const worldsKind: Kind<UnitSpec, Worlds, WorldsCall> = {
  kind: 'stack',
  diff: (unit, worlds) => {
    const { operations, blocked } = unitKind.diff(unit, worldOf(worlds, unit.id));
    return { operations: operations.map(addressed(unit.id)), blocked };
  },
  baseline: (unit, worlds) => unitKind.baseline(unit, worldOf(worlds, unit.id)),
  absent: () => [],
  health: (unit, worlds, seen) => unitKind.health(unit, worldOf(worlds, unit.id), seen),
  givenUp: (unit, worlds, seen) => unitKind.givenUp(unit, worldOf(worlds, unit.id), seen),
  resume: (unit, worlds) => unitKind.resume(unit, worldOf(worlds, unit.id)).map(addressed(unit.id)),
  times: (unit) => unitKind.times(unit),
  rollback: (unit) => unitKind.rollback(unit),
  isThere: (unit, worlds) => unitKind.isThere(unit, worldOf(worlds, unit.id)),
  release: (unit, worlds, parts) => unitKind.release(unit, worldOf(worlds, unit.id), parts),
  restore: (id, release) => unitKind.restore(id, release),
  parts: (unit) => unitKind.parts(unit),
  stop: (id, targets, worlds) => unitKind.stop(id, targets, worldOf(worlds, id)).map(addressed(id)),
  removal: (unit) => unitKind.removal(unit),
  makes: (unit) => unitKind.makes(unit),
  members: (id, worlds) => unitKind.members(id, worldOf(worlds, id)),
  remove: (id, members, worlds) => {
    const removal = unitKind.remove(id, members, worldOf(worlds, id));
    return { ...removal, operations: removal.operations.map(addressed(id)) };
  },
  runs: (id, worlds) => unitKind.runs(id, worldOf(worlds, id)),
  users: (id, worlds) => unitKind.users(id, worldOf(worlds, id)),
  spares: () => [],
  sizes: (worlds) => ({ worlds: Object.keys(worlds).length }),
};

/** Pure. `web: 'good 1'` after others; its digest is what it asks for. */
export function unitCalled(
  name: string,
  text: string,
  on: readonly string[] = [],
  rules: Partial<UnitSpec> = {},
): Rendered<UnitSpec> {
  const unit = unitOf(`${name} ${text} ${rules.mode ?? ''}`, { web: text }, rules);
  return { ...unit, id: `stack/${name}`, dependsOn: on.map((one): Id => `stack/${one}`) };
}

/** All that the fate of several units hangs on: what is recorded, what is in memory, and the world. */
export interface ManyScene {
  readonly wants: readonly Rendered<UnitSpec>[];
  readonly revision: string;
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly history: History;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly refusals: ReadonlyMap<Id, Failure>;
  readonly requests: readonly Request[];
  readonly worlds: Worlds;
  /** Absent: as where nobody wrote it. */
  readonly rollout?: RolloutPolicy;
  /** The wall clock of this world says what `nowMs` says. */
  readonly rules?: readonly WindowRule[];
  /** By what removals are judged; absent: nothing is removed. */
  readonly removals?: Removals;
  /** What people released; it does not change by itself here. */
  readonly approved?: readonly Approval[];
  readonly nowMs: number;
}

export const noUnits: ManyScene = {
  wants: [],
  revision: 'r0',
  units: new Map(),
  history: { seen: '', settled: '', revisions: [] },
  watches: new Map(),
  refusals: new Map(),
  requests: [],
  worlds: {},
  nowMs: 0,
};

export const MANY_INTERVAL_MS = 60_000;
const DATE = '2026-11-20T10:00:00.000Z';

/** Pure. What the scene's next step is, and how its revision stands by it. */
export function lookAt(scene: ManyScene): Step<WorldsCall> & RevisionStanding {
  const next = step({
    ...scene,
    kind: worldsKind,
    desired: scene.wants,
    ...(scene.rules && { windows: { rules: scene.rules, wallMs: scene.nowMs } }),
    observed: scene.worlds,
    answers: new Map(),
    date: DATE,
    intervalMs: MANY_INTERVAL_MS,
    verifyMs: 1_000,
  });
  const desired = { revision: scene.revision, ms: 0, date: DATE };
  return { ...next, ...judgeRevision(scene.history, desired, next.views, next.units) };
}

/** Where a pass breaks off. `died`: the agent, and with it all that is only in memory. */
export type Break = 'not' | 'before-save' | 'after-save' | 'after-calls';

/** Pure. As a pass does it: record, then call, then note what came of it. Time and the world go on. */
export function passed(
  scene: ManyScene,
  next: Step<WorldsCall> & RevisionStanding,
  broken: Break = 'not',
): ManyScene {
  const forgotten = { watches: new Map(), refusals: new Map() };
  if (broken === 'before-save') return { ...scene, ...forgotten };
  const saved = { ...scene, units: next.units, history: next.history, requests: [] };
  if (broken === 'after-save') return { ...saved, ...forgotten };
  const worlds = { ...scene.worlds };
  const watches = new Map(next.watches);
  const refusals = new Map<Id, Failure>();
  for (const { id, operations } of next.work) {
    const failure = carryOut(worlds, operations);
    const watch = watches.get(id);
    if (failure !== undefined) refusals.set(id, failure);
    else if (watch !== undefined) watches.set(id, called(watch, scene.nowMs));
  }
  for (const { id } of scene.wants) worlds[id] = tick(worldOf(worlds, id));
  const nowMs = scene.nowMs + (next.work.length > 0 ? 500 : next.wakeMs);
  const memory = broken === 'after-calls' ? forgotten : { watches, refusals };
  return { ...saved, ...memory, worlds, nowMs };
}

/** Changes `worlds`; gives the failure of the first call that is refused. */
function carryOut(
  worlds: Record<Id, UnitWorld>,
  operations: readonly Operation<WorldsCall>[],
): Failure | undefined {
  for (const { call: todo } of operations) {
    const after = call(worldOf(worlds, todo.id), todo.call);
    if (after === 'refused') return { code: 'refused', why: 'refused', evidence: 'e' };
    worlds[todo.id] = after;
  }
  return undefined;
}

/** What is looked at after each step of a way to rest. */
type Inspect = (before: ManyScene, next: Step<WorldsCall> & RevisionStanding) => void;

/** Pure. Passes until nothing moves any more: nothing is called, told or recorded, and nobody wants to look soon. */
export function rested(
  from: ManyScene,
  inspect: Inspect = () => undefined,
  breakOf: (pass: number) => Break = () => 'not',
): ManyScene {
  let scene = from;
  for (let pass = 0, still = 0; pass < 3_000; pass += 1) {
    const next = lookAt(scene);
    inspect(scene, next);
    const broken = breakOf(pass);
    const after = passed(scene, next, broken);
    const isQuiet = next.work.length === 0 && next.events.length === 0 && isRecorded(scene, next);
    still = isQuiet && broken === 'not' && next.wakeMs >= MANY_INTERVAL_MS ? still + 1 : 0;
    if (still > 2) return scene;
    scene = after;
  }
  throw new Error(`does not come to rest: ${JSON.stringify([...scene.units])}`);
}

/** Pure. Whether the step has nothing to write. */
export function isRecorded(
  { units, history }: ManyScene,
  next: Step<WorldsCall> & RevisionStanding,
): boolean {
  const same = [...next.units].every(([id, unit]) => units.get(id) === unit);
  return same && next.units.size === units.size && next.history === history;
}
