import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { type PlanWanted, planWantedOf } from '../../agent/cli/plan-options.ts';
import { planSwarm } from '../../agent/cli/plan-swarm.ts';
import type { Looked, PlanIo, Sight } from '../../agent/cli/plan-ports.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Rendered } from '../../agent/core/kind.ts';
import type { Plan } from '../../agent/core/plan.ts';
import { defaultSettings } from '../../agent/core/repository-settings.ts';
import { planIo } from '../../agent/planning.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import type { UnitRenderer } from '../../agent/render/renderer.ts';
import { unit } from '../fakes/stack.ts';

/** In which order a plan has its parts begin: it is a matter of time alone, so the parts are fakes here. */
const { signal } = new AbortController();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-order-'));
  await writeFile(join(folder, 'understudy.yaml'), 'version: 1\n');
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

const io: PlanIo = planIo({ out: () => {}, err: () => {}, colour: false }, {}, false);

function rendererOf(renderFor: UnitRenderer['renderFor']): UnitRenderer {
  const nothing = async (): Promise<never> => Promise.reject(new Error('not asked'));
  return {
    warm: () => {},
    compact: () => {},
    pid: undefined,
    render: nothing,
    renderFor,
    close: async () => {},
  };
}

async function order(renderFor: (given: () => void) => Promise<never>): Promise<readonly string[]> {
  const seen: string[] = [];
  const renderer = rendererOf(async (_environment, _snapshot, _signal, watcher) => {
    seen.push('render');
    return renderFor(() => {
      seen.push('given');
      watcher?.given?.();
    });
  });
  const sight: Sight = {
    look: async () => {
      seen.push('look');
      return { status: 'unknown', why: 'away', cause: 'unreachable' };
    },
    close: () => {},
  };
  const planned = await planSwarm(wantedPlan(), { io, renderer, sight }, signal);
  expect(planned).toMatchObject({ status: 'failed', code: 6 });
  return seen;
}

function wantedPlan(): PlanWanted {
  const wanted = planWantedOf([folder, '--environment', 'production'], {}, false);
  if (wanted === 'help' || 'wrong' in wanted) throw new Error('wrong use');
  return wanted;
}

it('reads the Swarm once the renderer has files to work on', async () => {
  const seen = await order(async (given) => {
    await systemClock.sleep(5, signal);
    given();
    return new Promise<never>(() => {});
  });
  expect(seen).toEqual(['render', 'given', 'look']);
});

it('reads the Swarm also where the renderer fails before', async () => {
  const seen = await order(async () => Promise.reject(new Error('no room')));
  expect(seen).toEqual(['render', 'look']);
});

it('compares units as they are rendered, those that were there before the Swarm was read as well', async () => {
  const seen: string[] = [];
  const looks = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<void>();
  const named = (name: string): Rendered<StackSpec> => ({ ...unit({ name }), id: `stack/${name}` });
  const [early, late] = [[named('one'), named('two')], named('three')];
  const renderer = rendererOf(async (_environment, _snapshot, _signal, watcher) => {
    if (watcher !== undefined) {
      for (const one of early) watcher.unit?.(one);
      watcher.given?.();
      await looks.promise;
      // The look was answered by then.
      await systemClock.sleep(5, signal);
      watcher.unit?.(late);
      seen.push('rendered');
      ends.resolve();
    }
    await ends.promise;
    const work = { rendered: 3, kept: 0 };
    return {
      units: [...early, late],
      diagnostics: [],
      images: [],
      settings: defaultSettings,
      work,
    };
  });
  const plan: Plan = { environment: 'production', units: [], unchanged: 3, notes: [] };
  const looked: Looked = {
    environment: 'production',
    seen: '',
    isStage: false,
    compareAhead: ({ id }) => void seen.push(id),
    plan: async () => {
      seen.push('planned');
      return Promise.resolve(plan);
    },
  };
  const sight: Sight = {
    look: async () => {
      looks.resolve();
      return { status: 'ok', value: looked };
    },
    close: () => {},
  };
  const planned = await planSwarm(wantedPlan(), { io, renderer, sight }, signal);
  expect(planned).toMatchObject({ status: 'planned', plans: { environments: [plan] } });
  expect(seen).toEqual(['stack/one', 'stack/two', 'stack/three', 'rendered', 'planned']);
});
