import { beforeEach, describe, expect, it } from 'vitest';

import type { Health, Id } from '../../agent/core/kind.ts';
import type { Stopped } from '../../agent/core/rollout-end.ts';
import type { Step } from '../../agent/core/step.ts';
import type { UnitEvent } from '../../agent/core/unit-event.ts';
import type { UnitView } from '../../agent/core/view.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import type { RevisionStanding } from '../../agent/reconcile/revision.ts';
import { nothingTold, type Told, tellStep } from '../../agent/reconcile/tell.ts';
import { listeningReporter } from '../fakes/world.ts';

const ID: Id = 'stack/blog';
const well: Health = { status: 'converged', members: 'a', summary: 'web 1/1' };
const slow: Health = { status: 'progressing', progress: 0, summary: 'web 0/1' };

function view(otherwise: Partial<UnitView> = {}): UnitView {
  const quiet: Omit<UnitView, 'id' | 'digest'> = {
    phase: 'none',
    pending: false,
    quarantined: false,
    blocked: [],
    notes: [],
  };
  return { ...quiet, id: ID, digest: 'd1', ...otherwise };
}

const verifying = (health: Health): UnitView => view({ phase: 'verifying', pending: true, health });

interface Look {
  readonly views?: readonly UnitView[];
  readonly events?: readonly UnitEvent[];
  readonly notes?: readonly string[];
  readonly revision?: RevisionStanding['event'];
  readonly stopped?: Stopped;
}

let told: Told;

beforeEach(() => {
  told = nothingTold;
});

/** What people are told of one look after the other. */
function tell({
  views = [],
  events = [],
  notes = [],
  revision,
  stopped,
}: Look): readonly AgentEvent[] {
  const reporter = listeningReporter();
  const result: Step<string> = {
    views,
    events,
    work: [],
    units: new Map(),
    watches: new Map(),
    asks: [],
    approved: [],
    unapproved: [],
    ...(stopped && { stopped }),
    overLimit: false,
    wakeMs: 0,
  };
  told = tellStep(result, { notes, revision, late: [] }, told, reporter);
  return reporter.events;
}

describe('a rollout that is stopped', () => {
  const held = { count: 2, first: [ID, 'stack/shop' as const] };
  const stopped = { revision: 'r1', why: 'canary stack/x failed', held };

  it('is told once, and again when it was going on in between, or for another revision', () => {
    const event = { event: 'rollout stopped', ...stopped };
    expect(tell({ stopped })).toEqual([event]);
    expect(tell({ stopped: { ...stopped, held: { ...held, count: 3 } } })).toEqual([]);
    expect(tell({})).toEqual([]);
    expect(tell({ stopped })).toEqual([event]);
    expect(tell({ stopped: { ...stopped, revision: 'r2' } })).toHaveLength(1);
  });

  it('is one line: whoever waits for a turn is not told of, what is held is', () => {
    const turn = view({ held: 'rollout: 5 units at once', heldBy: 'turn', pending: true });
    expect(tell({ views: [turn] })).toEqual([]);
    const window = view({ held: 'window: opens', heldBy: 'window', pending: true });
    expect(tell({ views: [window] })).toEqual([
      { event: 'unit held', id: ID, why: 'window: opens' },
    ]);
    expect(tell({ views: [window] })).toEqual([]);
  });
});

describe('what happened', () => {
  it('is told as it came, every time', () => {
    const events: UnitEvent[] = [
      { event: 'unit superseded', id: ID, revision: 'r1' },
      { event: 'unit rolled back', id: ID, revision: 'r0', ms: 5 },
    ];
    expect(tell({ events })).toEqual(events);
    expect(tell({ events })).toEqual(events);
  });

  it('is told before how the units stand and how the revision ended', () => {
    const revision = {
      event: 'revision healthy',
      revision: 'r1',
      units: 1,
      quarantined: [],
      suspended: [],
      ms: 1,
    } as const;
    const names = tell({
      notes: ['a bucket is lost'],
      events: [{ event: 'unit adopted', id: ID }],
      views: [verifying(slow)],
      revision,
    }).map(({ event }) => event);
    expect(names).toEqual(['record notes', 'unit adopted', 'unit verifying', 'revision healthy']);
  });
});

describe('how a unit verifies', () => {
  it('is told when it changes', () => {
    const event = { event: 'unit verifying', id: ID, tasks: 'web 0/1', rollback: false };
    expect(tell({ views: [verifying(slow)] })).toEqual([event]);
    expect(tell({ views: [verifying(slow)] })).toEqual([]);
    expect(tell({ views: [verifying(well)] })).toEqual([{ ...event, tasks: 'web 1/1' }]);
  });

  it('says whether it is the healthy release that is brought back', () => {
    const reverting = view({ phase: 'reverting', pending: true, health: slow });
    expect(tell({ views: [reverting] })).toMatchObject([{ rollback: true }]);
  });

  it('is told anew after it was under way otherwise', () => {
    tell({ views: [verifying(slow)] });
    expect(tell({ views: [view({ phase: 'rolling-back', pending: true })] })).toEqual([]);
    const reverting = view({ phase: 'reverting', pending: true, health: slow });
    expect(tell({ views: [reverting] })).toMatchObject([{ event: 'unit verifying' }]);
  });
});

describe('why a unit is held', () => {
  const held = (why: string, rest: Partial<UnitView> = {}): UnitView =>
    view({ held: why, ...rest });

  it('is told once, again when it is another cause, and again after it was free', () => {
    const event = { event: 'unit held', id: ID, why: 'no net' };
    expect(tell({ views: [held('no net')] })).toEqual([event]);
    expect(tell({ views: [held('no net')] })).toEqual([]);
    expect(tell({ views: [held('no secret')] })).toEqual([{ ...event, why: 'no secret' }]);
    expect(tell({ views: [view()] })).toEqual([]);
    expect(tell({ views: [held('no secret')] })).toEqual([{ ...event, why: 'no secret' }]);
  });

  it('is not told of what is stuck, which was told as such', () => {
    expect(tell({ views: [held('stuck: it crashes', { phase: 'stuck' })] })).toEqual([]);
  });
});

describe('what is left as it is', () => {
  it('is told when it changes', () => {
    const notes = ['network web differs'];
    expect(tell({ views: [view({ notes })] })).toEqual([{ event: 'unit notes', id: ID, notes }]);
    expect(tell({ views: [view({ notes })] })).toEqual([]);
    expect(tell({ views: [view()] })).toEqual([]);
    expect(tell({ views: [view({ notes })] })).toHaveLength(1);
  });
});

describe('a settled unit', () => {
  const settled = (health: Health, rest: Partial<UnitView> = {}): UnitView =>
    view({ health, ...rest });

  it('that is not as it should be is told once, and once when it is again', () => {
    expect(tell({ views: [settled(well)] })).toEqual([]);
    const degraded = [{ event: 'unit degraded', id: ID, tasks: 'web 0/1' }];
    expect(tell({ views: [settled(slow)] })).toEqual(degraded);
    expect(tell({ views: [settled(slow)] })).toEqual([]);
    const recovered = [{ event: 'unit recovered', id: ID, tasks: 'web 1/1' }];
    expect(tell({ views: [settled(well)] })).toEqual(recovered);
    expect(tell({ views: [settled(well)] })).toEqual([]);
  });

  it.each<[string, UnitView]>([
    ['that verifies', verifying(slow)],
    ['that waits to begin', settled(slow, { pending: true })],
    ['that is held, which was told', settled(slow, { held: 'fought over' })],
    ['that is stuck, which was told', settled(slow, { phase: 'stuck' })],
    ['of which nothing is known now', view()],
  ])('%s is not told as degraded', (_name, one) => {
    const names = tell({ views: [one] }).map(({ event }) => event);
    expect(names).not.toContain('unit degraded');
  });

  it('at an earlier release is told as degraded too', () => {
    const [event] = tell({ views: [settled(slow, { quarantined: true })] });
    expect(event?.event).toBe('unit degraded');
  });
});

describe('the end of a revision', () => {
  const healthy = {
    event: 'revision healthy',
    revision: 'r1',
    units: 1,
    quarantined: [],
    suspended: [],
    ms: 1,
  } as const;
  const failed = {
    event: 'revision failed',
    revision: 'r1',
    failed: [ID],
    rolledBack: [],
    units: 1,
    ms: 1,
  } as const;

  it('is told once, however long ago it is by now', () => {
    expect(tell({ revision: healthy })).toEqual([healthy]);
    expect(tell({ revision: { ...healthy, ms: 900 } })).toEqual([]);
  });

  it('is told again where it ends otherwise', () => {
    tell({ revision: failed });
    const rolledBack = { ...failed, rolledBack: [ID] };
    expect(tell({ revision: rolledBack })).toEqual([rolledBack]);
    expect(tell({})).toEqual([]);
    expect(tell({ revision: healthy })).toEqual([healthy]);
    const waiting = { ...healthy, waiting: [ID] };
    expect(tell({ revision: waiting })).toEqual([waiting]);
    expect(tell({ revision: waiting })).toEqual([]);
  });

  it('is told of every revision', () => {
    tell({ revision: healthy });
    expect(tell({ revision: { ...healthy, revision: 'r2' } })).toHaveLength(1);
  });
});

describe('what of the record cannot be read', () => {
  it('is told when it changes', () => {
    const event = { event: 'record notes', notes: ['a bucket is lost'] };
    expect(tell({ notes: ['a bucket is lost'] })).toEqual([event]);
    expect(tell({ notes: ['a bucket is lost'] })).toEqual([]);
    expect(tell({})).toEqual([]);
    expect(tell({ notes: ['a bucket is lost'] })).toEqual([event]);
  });
});

describe('after nothing could be read', () => {
  it('tells once that it goes on, before all else', () => {
    told = { ...nothingTold, waiting: 'no leader' };
    const events: UnitEvent[] = [{ event: 'unit adopted', id: ID }];
    expect(tell({ events })).toEqual([{ event: 'going on', of: 'swarm' }, ...events]);
    expect(tell({})).toEqual([]);
  });
});
