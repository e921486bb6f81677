import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, vi } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { compacting } from '../../agent/compacting.ts';
import { type AgentEvent, SourceError } from '../../agent/reconcile/ports.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import { runAgent } from '../../agent/start.ts';
import { Settings } from '../../schemas/settings.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { small, snapshotOf } from '../fakes/repository.ts';

const event: AgentEvent = { event: 'agent stopped', why: 'for a test' };
const { signal } = new AbortController();

it('happens once nothing was told for a while, and then once', async () => {
  const clock = new VirtualClock();
  const tell = vi.fn<(told: AgentEvent) => void>();
  const [compact, sweep] = [vi.fn<() => void>(), vi.fn<() => void>()];
  const reporter = compacting({ tell }, clock, { compact, sweep });
  reporter.passed();
  await clock.advance(60_000);
  expect(compact).not.toHaveBeenCalled();
  reporter.tell(event);
  await clock.advance(19_000);
  reporter.tell(event);
  expect(tell.mock.calls).toEqual([[event], [event]]);
  await clock.advance(19_000);
  expect(compact).not.toHaveBeenCalled();
  await clock.advance(2_000);
  expect(compact).toHaveBeenCalledTimes(1);
  expect(sweep).not.toHaveBeenCalled();
  reporter.passed();
  reporter.passed();
  expect(sweep).toHaveBeenCalledTimes(2);
  await clock.advance(3_600_000);
  expect(compact).toHaveBeenCalledTimes(1);
  reporter.tell(event);
  reporter.passed();
  expect(sweep).toHaveBeenCalledTimes(2);
  reporter.close();
  await clock.advance(3_600_000);
  expect(compact).toHaveBeenCalledTimes(1);
});

it('is done by the agent for itself and for its renderer', async () => {
  const compact = vi.fn<() => void>();
  const gc = vi.fn<(options: object) => void>();
  vi.stubGlobal('gc', gc);
  const stop = new AbortController();
  const nowhere = join(tmpdir(), 'understudy-nowhere');
  const settings = Settings.parse({
    environment: 'x',
    repository: { url: `file://${nowhere}` },
    docker: { socket: nowhere },
    stateDir: nowhere,
  });
  const soon = (ms: number): number => (ms === 20_000 ? 1 : ms);
  const clock = {
    ...systemClock,
    after: (ms: number, callback: () => void) => systemClock.after(soon(ms), callback),
  };
  const newest = async (): Promise<never> => {
    throw new SourceError('nothing is there', { retry: 'soon' });
  };
  const source = { newest, at: newest, descends: newest, close: async () => undefined };
  const ended = runAgent(
    settings,
    {
      clock,
      reporter: { tell: () => undefined },
      local: true,
      pid: process.pid,
      open: async () => source,
      renderer: { render: newest, close: async () => undefined, compact },
    },
    stop.signal,
  );
  await vi.waitFor(() => expect(compact).toHaveBeenCalled(), { timeout: 30_000 });
  stop.abort();
  expect(await ended).toBe(0);
  expect(gc).toHaveBeenCalledWith(expect.objectContaining({ flavor: 'last-resort' }));
  vi.unstubAllGlobals();
});

/** Bytes that a process has for itself. */
async function dirtyBytes(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(text)?.[1]) * 1024;
}

it('makes a renderer smaller, which goes on with all that it knew', async () => {
  const renderer = openRenderer({ environment: 'production', clock: systemClock });
  try {
    const sites = Array.from({ length: 400 }, (_, site) => [
      `stacks/site${String(site)}/compose.yaml`,
      `services: {web: {image: "ghost:5.${String(site)}"}}`,
    ]);
    const many = { ...small, ...Object.fromEntries(sites) };
    await renderer.renderFor('production', snapshotOf(many), signal);
    const before = await dirtyBytes(renderer.pid);
    renderer.compact();
    const smaller = async (): Promise<void> =>
      expect(await dirtyBytes(renderer.pid)).toBeLessThan(0.8 * before);
    await vi.waitFor(smaller, { timeout: 30_000 });
    const changed = { ...many, 'stacks/blog/compose.yaml': 'services: {web: {image: nginx}}' };
    const { work } = await renderer.renderFor('production', snapshotOf(changed), signal);
    expect(work).toEqual({ rendered: 1, kept: 400 });
  } finally {
    await renderer.close();
  }
});
