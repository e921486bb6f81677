import { describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import { defaultRollout } from '../../agent/core/rollout.ts';
import type { WindowRule } from '../../agent/core/windows.ts';
import { readCron } from '../../agent/render/cron.ts';
import {
  isRecorded,
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
} from '../fakes/many-units.ts';
import { change, running } from '../fakes/unit-world.ts';

const cron = readCron('0 2 * * *');
if (cron === undefined) throw new Error('no cron');
const HOUR_MS = 3_600_000;
/** Open from two to three. */
const nightly: WindowRule = { cron, durationMs: HOUR_MS, timeZone: 'UTC', stacks: ['*'] };
const OPENS_MS = 2 * HOUR_MS;
const SHUT = 'window: opens 1970-01-01 02:00 (UTC)';
const NEXT = 'window: opens 1970-01-02 02:00 (UTC)';

/** `blog` and `shop` run well at `good 1` at the beginning of a day, under these rules from now on. */
function settled(rules: readonly WindowRule[] = [nightly], nowMs = 0): ManyScene {
  const wants = [unitCalled('blog', 'good 1'), unitCalled('shop', 'good 1')];
  const scene = rested({ ...noUnits, wants, revision: 'r1' });
  return { ...scene, watches: new Map(), rules, nowMs };
}

const wanting = (scene: ManyScene, text: string): ManyScene => ({
  ...scene,
  wants: [unitCalled('blog', text), unitCalled('shop', 'good 1')],
  revision: 'r2',
});

const blogOf = ({ units }: Pick<ManyScene, 'units'>) => units.get('stack/blog');
const heldOf = ({ views }: ReturnType<typeof lookAt>, id: Id = 'stack/blog') =>
  views.find((view) => view.id === id)?.held;
const runs = ({ worlds }: ManyScene) => worlds['stack/blog']?.services['web']?.text;

describe('outside of its window', () => {
  it('a unit does not begin, its revision has not ended, and the next look is when the window opens', () => {
    const scene = wanting(settled(), 'good 2');
    const next = lookAt(scene);
    expect(heldOf(next)).toBe(SHUT);
    expect(next.views[0]).toMatchObject({ pending: true, heldBy: 'window' });
    expect(next.event).toBeUndefined();
    expect(next.work).toEqual([]);
    expect(isRecorded(scene, { ...next, history: scene.history })).toBe(true);
    const late = lookAt({ ...scene, nowMs: OPENS_MS - 1_500 });
    expect(late.wakeMs).toBe(1_500);
    expect(heldOf(late)).toBe(SHUT);
    const rest = rested({ ...scene, nowMs: OPENS_MS });
    expect(runs(rest)).toBe('good 2');
    expect(lookAt(rest).event).toMatchObject({ event: 'revision healthy' });
  });

  it('looks are at leisure where nobody waits for it', () => {
    expect(lookAt({ ...settled(), nowMs: OPENS_MS - 1_500 }).wakeMs).toBe(60_000);
  });

  it('a first deployment waits too', () => {
    const wants = [unitCalled('blog', 'good 1')];
    const next = lookAt({ ...noUnits, wants, revision: 'r1', rules: [nightly] });
    expect(heldOf(next)).toBe(SHUT);
    expect(next.units.size).toBe(0);
  });

  it('what is there and equal is taken over, and what differs waits though it is approved', () => {
    const wants = [unitCalled('blog', 'good 1')];
    const scene: ManyScene = {
      ...noUnits,
      wants,
      revision: 'r1',
      rules: [nightly],
      worlds: { 'stack/blog': running({ web: 'good 1' }) },
    };
    expect(lookAt(scene).events).toEqual([{ event: 'unit adopted', id: 'stack/blog' }]);
    const other = { ...scene, worlds: { 'stack/blog': running({ web: 'good 0' }) } };
    const digest = /approve ([0-9a-f]+)/.exec(heldOf(lookAt(other)) ?? '')?.[1] ?? '';
    const approve = { verb: 'approve', digest, by: 'p' } as const;
    const approved = lookAt({ ...other, requests: [approve] });
    expect(approved.approved).toHaveLength(1);
    const later = { ...other, approved: approved.approved };
    expect(heldOf(lookAt(later))).toBe(SHUT);
    expect(lookAt(later).approved[0]?.spent).toBeUndefined();
    expect(lookAt({ ...later, nowMs: OPENS_MS }).work).toHaveLength(1);
  });

  it('what is under way goes on to its end, and goes back where it fails', () => {
    for (const [text, end] of [
      ['good 2', 'good 2'],
      ['late 1', 'good 1'],
    ] as const) {
      const before = wanting(settled([nightly], OPENS_MS + HOUR_MS - 1_000), text);
      const began = passed(before, lookAt(before));
      expect(blogOf(began)?.phase).toBe('applying');
      const rest = rested({ ...began, nowMs: OPENS_MS + HOUR_MS });
      expect(runs(rest)).toBe(end);
    }
  });

  it('what overtakes it waits, and what was healthy is brought back until then', () => {
    const before = wanting(settled([nightly], OPENS_MS + HOUR_MS - 1_000), 'slow 1');
    const began = passed(before, lookAt(before));
    const after = { ...wanting(began, 'good 3'), nowMs: OPENS_MS + HOUR_MS };
    const rest = rested(after);
    expect(runs(rest)).toBe('good 1');
    expect(heldOf(lookAt(rest))).toBe(NEXT);
    expect(runs(rested({ ...rest, nowMs: OPENS_MS + 24 * HOUR_MS }))).toBe('good 3');
  });

  it('drift of what is well waits, and of what is not is put right at once', () => {
    const scene = settled();
    const blog = scene.worlds['stack/blog'];
    if (blog === undefined) throw new Error('no blog');
    const well = lookAt({
      ...scene,
      worlds: { ...scene.worlds, 'stack/blog': change(blog, 'web', { replicas: 2 }) },
    });
    expect(well.work).toEqual([]);
    expect(heldOf(well)).toBe(SHUT);
    expect(well.wakeMs).toBe(60_000);
    expect(well.event).toMatchObject({ event: 'revision healthy' });
    const ill = { ...scene.worlds, 'stack/blog': change(blog, 'web', { text: 'other' }) };
    expect(lookAt({ ...scene, worlds: ill }).work.map(({ id }) => id)).toEqual(['stack/blog']);
  });

  it('a rollback by a person is not bound, and a retry is only by what else holds it', () => {
    const failed = { ...rested(wanting(settled([]), 'crash 1')), rules: [nightly], nowMs: 0 };
    expect(blogOf(failed)?.quarantine).toHaveLength(1);
    const retry = { verb: 'retry', id: 'stack/blog', by: 'p' } as const;
    expect(lookAt({ ...failed, requests: [retry] }).work).toHaveLength(1);
    const crowded = {
      ...failed,
      wants: [failed.wants[0] ?? unitCalled('blog', ''), unitCalled('shop', 'slow 1')],
      rollout: { ...defaultRollout, atOnce: 1 },
      rules: [],
    };
    const busy = { ...passed(crowded, lookAt(crowded)), rules: [nightly] };
    const asked = lookAt({ ...busy, requests: [retry] });
    expect(asked.views.find(({ id }) => id === 'stack/blog')?.heldBy).toBe('turn');

    const two = { ...rested(wanting(settled([]), 'good 2')), rules: [nightly], nowMs: 0 };
    const back = { verb: 'rollback', id: 'stack/blog', by: 'p' } as const;
    expect(lookAt({ ...two, requests: [back] }).work).toHaveLength(1);
  });

  it('nothing is removed, neither a stack nor what left it, and both go when it opens', () => {
    const removals = { policy: { max: 5, share: 100 }, rewound: false };
    const scene = { ...settled(), removals };
    const gone = { ...scene, wants: scene.wants.slice(1), revision: 'r2' };
    const held = lookAt(gone);
    expect(held.work).toEqual([]);
    expect(heldOf(held)).toBe(`its removal waits: ${SHUT}`);
    expect(lookAt({ ...gone, nowMs: OPENS_MS - 700 }).wakeMs).toBe(700);
    expect(lookAt({ ...gone, nowMs: OPENS_MS }).work).toHaveLength(1);

    const [blog, shop] = scene.wants;
    if (blog === undefined || shop === undefined) throw new Error('no units');
    const more = {
      ...blog,
      digest: 'two services',
      spec: {
        ...blog.spec,
        services: { ...blog.spec.services, extra: { text: 'good 1', replicas: 1 } },
      },
    };
    const both = rested({ ...scene, rules: [], wants: [more, shop], revision: 'r2' });
    let less: ManyScene = { ...both, wants: [blog, shop], revision: 'r3' };
    while ((blogOf(less)?.removing ?? []).length === 0) less = passed(less, lookAt(less));
    const shut = { ...less, rules: [nightly], nowMs: 0, watches: new Map() };
    expect(lookAt(shut).work).toEqual([]);
    expect(lookAt(shut).views[0]?.notes).toContain(`what left it stays: ${SHUT}`);
    expect(lookAt({ ...shut, nowMs: OPENS_MS }).work).toHaveLength(1);
  });

  it('takes no place from others, and holds those up that depend on it', () => {
    const wants = [
      unitCalled('blog', 'good 2'),
      unitCalled('shop', 'good 2'),
      unitCalled('web', 'good 1', ['blog']),
    ];
    const rules = [{ ...nightly, stacks: ['blog'] }];
    const rollout = { ...defaultRollout, atOnce: 1 };
    const next = lookAt({ ...settled(rules), wants, revision: 'r2', rollout });
    expect(next.work.map(({ id }) => id)).toEqual(['stack/shop']);
    expect(heldOf(next, 'stack/web')).toBe('waits for stack/blog, which waits for its window');
  });
});
