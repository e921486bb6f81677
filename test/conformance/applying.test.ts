import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { openApplier } from '../../agent/applying.ts';
import { openPatientRenderer } from '../../agent/cli/rendered.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { planIo } from '../../agent/planning.ts';
import type { UnitRenderer } from '../../agent/render/renderer.ts';
import { snapshotOf } from '../fakes/repository.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

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

  it('says so when the settings that were named cannot be read', async () => {
    const { applier, over, where, close } = opened();
    applier.offer(nothing, { ...where, settings: join(folder, 'none.yaml') });
    expect(await over).toMatchObject({ message: expect.stringContaining('cannot be read') });
    await applier.ended();
    await close();
  });

  it.each([
    ['acts on the servers of the settings that were named', true, /127\.0\.0\.1:1/],
    ['acts on no server where none was named', false, /settings name no server/],
  ])('%s', async (what, isNamed, why) => {
    const socket = join(folder, `${what.length.toString()}.sock`);
    const swarm = await startFakeSwarm(socket);
    const settings = join(folder, 'agent.yaml');
    await writeFile(join(folder, 'password'), 'nobody\n', { mode: 0o600 });
    await writeFile(
      settings,
      `environment: rehearsal\nrepository: {url: ${folder}}\nmysql: {main: {hosts: ['127.0.0.1:1'], user: understudy, passwordFile: ${join(folder, 'password')}, tls: {mode: off}}}\n`,
    );
    const { applier, where, text, stop, close } = opened();
    const files = {
      'understudy.yaml': 'version: 1\n',
      'environments/rehearsal.yaml': 'kind: Environment\nname: rehearsal\n',
      'mysql/blog.yaml': 'kind: MySQLDatabase\nname: blog\n',
    };
    applier.offer(snapshotOf(files), { ...where, socket, ...(isNamed && { settings }) });
    await vi.waitFor(() => expect(text.out).toContain('mysql-database/blog: held'), 20_000);
    expect(text.out).toMatch(why);
    stop.abort(new Error('enough'));
    await applier.ended();
    await swarm.close();
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
