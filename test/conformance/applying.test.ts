import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openApplier } from '../../agent/applying.ts';
import { openPatientRenderer } from '../../agent/cli/rendered.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { planIo } from '../../agent/planning.ts';
import type { UnitRenderer } from '../../agent/render/renderer.ts';

const nothing: Snapshot = {
  revision: 'folder',
  subject: '',
  entries: [],
  diagnostics: [],
  read: async () => Promise.resolve(new Map()),
};
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-applying-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function opened(renderFor?: UnitRenderer['renderFor']) {
  const text = { out: '', err: '' };
  const output = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: false,
  };
  const io = planIo(output, {}, false);
  const real = openPatientRenderer('rehearsal', systemClock, { closed: 'mistake' });
  const renderer = renderFor === undefined ? real : { ...real, renderFor };
  const stop = new AbortController();
  const applier = openApplier({ io, renderer, pid: 1 }, stop.signal);
  const over = new Promise<unknown>((resolve) => {
    applier.over.addEventListener('abort', () => resolve(applier.over.reason));
  });
  const where = { folder, environment: 'rehearsal', socket: join(folder, 'none.sock') };
  return { applier, over, where, text, stop, close: async () => real.close() };
}

describe('the agent that applies what was saved', () => {
  it('says so when its settings are wrong', async () => {
    const { applier, over, where, text, close } = opened();
    applier.offer(nothing, { ...where, environment: 'No Name' });
    expect(await over).toMatchObject({ message: 'the settings of the agent are wrong' });
    expect(text.err).toContain('error[wrong-value]');
    await applier.ended();
    await close();
  });

  it('says so when it fails', async () => {
    const { applier, over, where, close } = opened(async () =>
      Promise.reject(new Error('bug: no reports')),
    );
    applier.offer(nothing, where);
    expect(await over).toMatchObject({ message: 'the agent failed: bug: no reports' });
    await applier.ended();
    await close();
  });

  it('says nothing of the kind when it is stopped', async () => {
    const { applier, where, stop, close } = opened();
    applier.offer(nothing, where);
    stop.abort(new Error('stopped by SIGINT'));
    await applier.ended();
    expect(applier.over.aborted).toBe(false);
    await close();
  });
});
