import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { planWantedOf } from '../../agent/cli/plan-options.ts';
import { planSwarm } from '../../agent/cli/plan-swarm.ts';
import type { PlanIo, Sight } from '../../agent/cli/plan-ports.ts';
import { systemClock } from '../../agent/clock.ts';
import { planIo } from '../../agent/planning.ts';
import type { UnitRenderer } from '../../agent/render/renderer.ts';

/** In which order a plan has its parts begin: it is a matter of time alone, so the parts are fakes here. */
const { signal } = new AbortController();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-order-'));
  await writeFile(join(folder, 'understudy.yaml'), 'version: 1\n');
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

const io: PlanIo = planIo({ out: () => {}, err: () => {}, colour: false }, {}, false);

async function order(renderFor: (given: () => void) => Promise<never>): Promise<readonly string[]> {
  const seen: string[] = [];
  const nothing = async (): Promise<never> => Promise.reject(new Error('not asked'));
  const renderer: UnitRenderer = {
    warm: () => {},
    compact: () => {},
    pid: undefined,
    render: nothing,
    renderFor: async (_environment, _snapshot, _signal, given = () => {}) => {
      seen.push('render');
      return renderFor(() => {
        seen.push('given');
        given();
      });
    },
    close: async () => {},
  };
  const sight: Sight = {
    look: async () => {
      seen.push('look');
      return { status: 'unknown', why: 'away', cause: 'unreachable' };
    },
    close: () => {},
  };
  const wanted = planWantedOf([folder, '--environment', 'production'], {}, false);
  if (wanted === 'help' || 'wrong' in wanted) throw new Error('wrong use');
  const planned = await planSwarm(wanted, { io, renderer, sight }, signal);
  expect(planned).toMatchObject({ status: 'failed', code: 6 });
  return seen;
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
