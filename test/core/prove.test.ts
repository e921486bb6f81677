import { describe, expect, it } from 'vitest';

import type { Id, Rendered } from '../../agent/core/kind.ts';
import { planNow } from '../../agent/core/plan-now.ts';
import { step, type Step, type StepInput } from '../../agent/core/step.ts';
import { newWatch, postponed } from '../../agent/core/watch.ts';
import { readCron } from '../../agent/render/cron.ts';
import {
  emptyWorld,
  running,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

const ID: Id = 'stack/blog';
const NOW = 1_000_000;
const d1 = unitOf('d1', { web: 'good 1' });
const NOTE =
  'whether the content of secret key is that of the file is not known before the agent has compared it: if it is not, what uses it restarts';

/** There is a secret beside, of which nobody knows what it holds. */
const open: typeof unitKind = {
  ...unitKind,
  diff: (unit, world, made) => {
    const { operations, ...rest } = unitKind.diff(unit, world, made);
    const call: UnitCall = { op: 'resume', name: 'compare' };
    const proof = {
      phase: 'add',
      verb: 'update',
      effect: 'none',
      fields: [],
      proves: true,
    } as const;
    return { ...rest, operations: [{ ...proof, target: 'secret key', call }, ...operations] };
  },
};

type Input = StepInput<UnitSpec, UnitWorld, UnitCall>;

function look(world: UnitWorld, parts: Partial<Input> = {}): Step<UnitCall> {
  return step({ ...input(world), ...parts });
}

function input(observed: UnitWorld): Input {
  return {
    kind: open,
    desired: [d1],
    revision: 'r1',
    observed,
    units: new Map(),
    watches: new Map(),
    refusals: new Map(),
    answers: new Map(),
    requests: [],
    nowMs: NOW,
    date: '2026-11-20T10:00:00.000Z',
    intervalMs: 300_000,
    verifyMs: 1_000,
  };
}

const called = ({ work }: Step<UnitCall>): readonly string[] =>
  work.flatMap(({ operations }) => operations.map(({ call }) => `${call.op} ${call.name}`));

const equal = running({ web: 'good 1' });
const other = running({ web: 'good 0' });
const cron = readCron('0 2 * * *');
if (cron === undefined) throw new Error('no cron');
/** It opens at two. */
const shut = { rules: [{ cron, durationMs: 60_000, timeZone: 'UTC', stacks: ['*'] }], wallMs: 0 };

describe('what is there and nobody recorded', () => {
  it.each([
    ['equal', equal],
    ['other', other],
  ])(
    'is compared first where all else is %s, and neither adopted, recorded nor held',
    (_what, world) => {
      const found = look(world);
      expect(called(found)).toEqual(['resume compare']);
      expect([found.units.size, found.events, found.views[0]?.held]).toEqual([0, [], undefined]);
      expect(found.views[0]?.pending).toBe(true);
    },
  );

  it('is adopted, or held, once that is known', () => {
    expect(look(equal, { kind: unitKind }).events).toEqual([{ event: 'unit adopted', id: ID }]);
    expect(look(other, { kind: unitKind }).views[0]?.held).toMatch(
      /^it was there before and differs/,
    );
  });

  it('is begun as ever where nothing of it is there', () => {
    expect(called(look(emptyWorld))).toEqual(['resume compare', 'set web']);
  });

  it.each<[string, UnitWorld, Partial<Input>]>([
    ['everything is frozen', equal, { frozen: 'frozen by root@m1' }],
    ['the repository suspends it', equal, { desired: [{ ...d1, suspended: true }] }],
    ['something is in its way', { ...equal, blocked: 'no net' }, {}],
    ['the last try is too young', equal, { watches: new Map([[ID, late()]]) }],
  ])('is not compared while %s', (_what, world, parts) => {
    const found = look(world, parts);
    expect([called(found), found.units.size, found.events]).toEqual([[], 0, []]);
  });

  it('is compared while a window is shut: nothing that runs changes', () => {
    expect(called(look(equal, { windows: shut }))).toEqual(['resume compare']);
  });

  it('keeps what a person released until it is known what differs', () => {
    const held = look(other, { kind: unitKind }).views[0]?.held;
    const digest = /[0-9a-f]{12}/.exec(held ?? '')?.[0] ?? '';
    const requests = [{ verb: 'approve', digest, by: 'root@m1' }] as const;
    const { approved } = look(other, { kind: unitKind, requests });
    expect(approved).toHaveLength(1);
    // Another agent leads: it does not know yet.
    const again = look(other, { approved });
    expect(again.approved).toBe(approved);
    const known = look(other, { kind: unitKind, approved: again.approved });
    expect(called(known)).toEqual(['set web']);
    expect(known.approved).toMatchObject([{ spent: true }]);
  });
});

/** A comparison that ended open a moment ago. */
function late() {
  return postponed(newWatch('none', NOW), { why: 'no answer', refused: false }, 1_000, NOW);
}

describe('a plan of what is not known', () => {
  function planned(world: UnitWorld, parts: Partial<Input> = {}) {
    const now = { ...input(world), ...parts };
    const plan = planNow(open, { beside: () => [], operation: (one) => one }, look(world, parts), {
      environment: 'test',
      desired: now.desired,
      observed: world,
      units: now.units,
      notes: [],
    });
    return plan.units[0];
  }

  it('has no change, and says what is not known', () => {
    expect(planned(equal)).toMatchObject({ change: 'keep', operations: [], notes: [NOTE] });
    expect(planned(equal)).not.toHaveProperty('held');
  });

  it('shows what differs beside, and that it waits', () => {
    expect(planned(other)).toMatchObject({
      change: 'change',
      operations: [{ verb: 'update' }],
      held: 'it was there before and differs: it waits for `understudy approve`',
      notes: [NOTE],
    });
  });

  it('says it of what is recorded, and of what is suspended, once', () => {
    const { units } = look(equal, { kind: unitKind });
    expect(planned(equal, { units })).toMatchObject({
      change: 'keep',
      operations: [],
      notes: [NOTE],
    });
    const suspended: readonly Rendered<UnitSpec>[] = [{ ...d1, suspended: true }];
    expect(planned(equal, { units, desired: suspended })?.notes).toEqual([NOTE]);
  });

  it('has it among the rest where all of it is new', () => {
    const plan = planned(emptyWorld);
    expect(plan?.operations).toMatchObject([{ verb: 'create' }]);
    expect(plan).not.toHaveProperty('held');
  });
});
