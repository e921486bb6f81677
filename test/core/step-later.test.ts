import { describe, expect, it } from 'vitest';

import type { Id, Operation, Rendered } from '../../agent/core/kind.ts';
import { planNow } from '../../agent/core/plan-now.ts';
import { step, type Step, type StepInput } from '../../agent/core/step.ts';
import type { Request, UnitRecord } from '../../agent/core/unit.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import {
  change,
  emptyWorld,
  running,
  TIMEOUT_MS,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

/** Units of which nothing goes back, such as accounts: what is too much is taken away last. */

const ID: Id = 'stack/blog';
const DATE = '2026-11-30T10:00:00.000Z';
const NOW = 1_000_000;

/** Every service that is there and is not wanted is too much. */
const dataKind: typeof unitKind = {
  ...unitKind,
  isThere: () => false,
  diff: (unit, world, made) => ({
    ...unitKind.diff(unit, world, made),
    later: Object.entries(world.services)
      .filter(([name]) => !(name in unit.spec.services))
      .map(([name, { id }]) => ({
        target: `service ${name}`,
        verb: 'remove',
        phase: 'remove',
        effect: 'none',
        fields: [],
        call: { op: 'remove', name, id },
      })),
  }),
};

const forward = (digest: string, texts: Readonly<Record<string, string>>): Rendered<UnitSpec> =>
  unitOf(digest, texts, { mode: 'forward', keep: 1 });
const git = {
  d1: forward('d1', { web: 'good 1' }),
  d2: forward('d2', { web: 'good 2' }),
};
const app = { ...unitOf('a1', {}), id: 'stack/app' as const, dependsOn: [ID] };

const contentOf = ({ spec }: Rendered<UnitSpec>) => ({ services: { ...spec.services } });

function record(unit: Rendered<UnitSpec>, rest: Partial<UnitRecord> = {}): UnitRecord {
  const release = { digest: unit.digest, revision: 'r', at: DATE, content: contentOf(unit) };
  return { phase: 'none', quarantine: [], made: [], releases: [release], ...rest };
}

const attempt = (digest: string) => ({ digest, revision: 'r', baseline: [], absent: [] });
const failed = (digest: string) => ({
  digest,
  revision: 'r',
  code: 'c',
  why: 'w',
  evidence: 'e',
  at: DATE,
});

interface Start {
  readonly wants?: Rendered<UnitSpec>;
  readonly record?: UnitRecord | undefined;
  readonly world?: UnitWorld;
  readonly rest?: Partial<StepInput<UnitSpec, UnitWorld, UnitCall>>;
  readonly watch?: Watch;
}

function look({
  wants = git.d1,
  record: known,
  world = emptyWorld,
  rest,
  watch,
}: Start): Step<UnitCall> {
  return step({
    kind: dataKind,
    desired: [wants],
    revision: 'now',
    observed: world,
    units: new Map(known && [[ID, known]]),
    watches: new Map(watch && [[ID, watch]]),
    refusals: new Map(),
    answers: new Map(),
    requests: [],
    nowMs: NOW,
    date: DATE,
    intervalMs: 300_000,
    verifyMs: 1_000,
    removals: { policy: { max: 3, share: 10 }, rewound: false },
    ...rest,
  });
}

function calls({ work }: Step<UnitCall>): readonly string[] {
  return work.flatMap(({ operations }) =>
    operations.map(({ call }) =>
      call.op === 'set' ? call.wanted.text : `${call.op} ${call.name}`,
    ),
  );
}

const extra = running({ web: 'good 1', old: 'good 1' });

describe('what is too much', () => {
  it.each<readonly [string, Start, readonly string[]]>([
    [
      'stays while the unit is applied',
      { wants: git.d2, record: record(git.d1), world: extra },
      ['good 2'],
    ],
    ['goes once it is in place', { record: record(git.d1), world: extra }, ['remove old']],
    [
      'goes after what drifted is put right',
      { record: record(git.d1), world: running({ web: 'good 0', old: 'x' }) },
      ['good 1'],
    ],
    [
      'stays while nothing may be removed',
      { record: record(git.d1), world: extra, rest: { mayRemove: false } },
      [],
    ],
    [
      'stays while another digest failed',
      { wants: git.d2, record: record(git.d1, { quarantine: [failed('d2')] }), world: extra },
      [],
    ],
    [
      'stays after a rewind',
      {
        record: record(git.d1),
        world: extra,
        rest: { removals: { policy: { max: 3, share: 10 }, rewound: true } },
      },
      [],
    ],
    [
      'stays while a unit that left is still there',
      {
        record: record(git.d1),
        world: extra,
        rest: {
          units: new Map([
            [ID, record(git.d1)],
            ['stack/gone', record(git.d1)],
          ]),
          kind: {
            ...dataKind,
            members: () => [],
            remove: () => ({ operations: [], left: [{ target: 'x', id: 'x' }], waits: [] }),
          },
        },
      },
      [],
    ],
    [
      'stays while an earlier release is in place',
      {
        wants: unitOf('d2', { web: 'good 2' }),
        record: record(git.d1, { quarantine: [failed('d2')] }),
        world: extra,
      },
      [],
    ],
    [
      'stays while one that depends on it is not settled',
      {
        record: record(git.d1),
        world: extra,
        rest: {
          desired: [git.d1, { ...app, spec: { ...app.spec, services: {} } }],
          kind: {
            ...dataKind,
            diff: (unit, world) =>
              unit.id === ID ? dataKind.diff(unit, world) : { operations: [], blocked: [] },
          },
        },
      },
      [],
    ],
    [
      'waits after a try that went wrong',
      {
        record: record(git.d1),
        world: extra,
        watch: { ...newWatch('none', NOW), retryAtMs: NOW + 5_000, trouble: 'lock wait' },
      },
      [],
    ],
    [
      'is not tried for ever',
      { record: record(git.d1), world: extra, watch: { ...newWatch('none', NOW), rounds: 99 } },
      [],
    ],
  ])('%s', (_name, start, expected) => {
    expect(calls(look(start))).toEqual(expected);
  });

  it('is told while it stays', () => {
    const { views } = look({ record: record(git.d1), world: extra, rest: { mayRemove: false } });
    expect(views[0]?.notes).toEqual([
      'service old has more than is wanted, which stays: nothing is removed for now',
    ]);
  });
});

describe('the plan of what is too much', () => {
  const planned = (start: Start): readonly string[] | undefined => {
    const { wants: unit = git.d1, record: known, world: observed = emptyWorld } = start;
    const now = { environment: 'test', desired: [unit], observed, notes: [] };
    const words = {
      beside: () => [],
      operation: ({ target, verb, effect, fields }: Operation<UnitCall>) => ({
        target: `${verb} ${target}`,
        verb,
        effect,
        fields,
      }),
    };
    const plan = planNow(dataKind, words, look(start), {
      ...now,
      units: new Map(known && [[ID, known]]),
    });
    return plan.units[0]?.operations.map(({ target }) => target);
  };

  it.each<readonly [string, Start, readonly string[]]>([
    [
      'is shown after what is done first',
      { wants: git.d2, record: record(git.d1), world: extra },
      ['update service web', 'remove service old'],
    ],
    ['is shown where it is all', { record: record(git.d1), world: extra }, ['remove service old']],
    [
      'is shown while nothing may be removed',
      { record: record(git.d1), world: extra, rest: { mayRemove: false } },
      ['remove service old'],
    ],
  ])('%s', (_name, start, expected) => {
    expect(planned(start)).toEqual(expected);
  });
});

describe('a unit of which nothing goes back', () => {
  const refusals = new Map([[ID, { code: 'refused', why: 'refused', evidence: '1064' }]]);

  it('stays where it came to when it fails, and is not tried again', () => {
    const start = record(git.d1, { phase: 'applying', attempt: attempt('d2') });
    const watch = newWatch('to d2', NOW);
    const failing = look({ wants: git.d2, record: start, watch, rest: { refusals } });
    const after = failing.units.get(ID);
    expect(after).toMatchObject({ phase: 'none', quarantine: [{ digest: 'd2', code: 'refused' }] });
    expect(failing.events).toMatchObject([{ event: 'unit failed', next: 'left as it is' }]);
    const next = look({ wants: git.d2, record: after, world: running({ web: 'half' }) });
    expect([calls(next), next.events, next.units.get(ID)]).toEqual([[], [], after]);
  });

  it('is quarantined also for what was in place before', () => {
    const start = record(git.d1, { phase: 'applying', attempt: attempt('d1') });
    const failing = look({ record: start, watch: newWatch('to d1', NOW), rest: { refusals } });
    expect(failing.units.get(ID)).toMatchObject({ phase: 'none', quarantine: [{ digest: 'd1' }] });
  });

  it('begins again when a person asks for it', () => {
    const requests: readonly Request[] = [{ id: ID, verb: 'retry', by: 'me' }];
    for (const unit of [git.d1, git.d2]) {
      const start = record(git.d1, { quarantine: [failed(unit.digest)] });
      const asked = look({ wants: unit, record: start, rest: { requests } });
      expect(asked.units.get(ID)).toMatchObject({
        phase: 'applying',
        attempt: { digest: unit.digest },
      });
    }
  });

  it('is not rolled back by a person', () => {
    const requests: readonly Request[] = [{ id: ID, verb: 'rollback', by: 'me' }];
    const start = record(git.d1, {
      releases: [...record(git.d2).releases, ...record(git.d1).releases],
    });
    const asked = look({ wants: git.d2, record: start, rest: { requests } });
    expect(asked.events).toMatchObject([
      { event: 'request refused', why: expect.stringMatching(/only goes forward/) },
    ]);
  });

  it('is put right where the repository wants again what was in place, while another digest is under way', () => {
    const start = record(git.d1, { phase: 'applying', attempt: attempt('d2') });
    const turned = look({
      record: start,
      world: running({ web: 'good 2' }),
      watch: newWatch('to d2', NOW),
    });
    expect([calls(turned), turned.units.get(ID)?.phase]).toEqual([[], 'none']);
    const next = look({ record: turned.units.get(ID), world: running({ web: 'good 2' }) });
    expect(calls(next)).toEqual(['good 1']);
  });

  it('goes to no earlier release after its time is over', () => {
    const start = record(git.d1, { phase: 'verifying', attempt: attempt('d2') });
    const watch = { ...newWatch('to d2', NOW - TIMEOUT_MS - 1), lookedAtMs: NOW - 1_000 };
    const unready = change(running({ web: 'good 2' }), 'web', { ready: false });
    const late = look({ wants: git.d2, record: start, world: unready, watch });
    expect(late.units.get(ID)).toMatchObject({ phase: 'none', quarantine: [{ digest: 'd2' }] });
    expect(calls(late)).toEqual([]);
  });
});
