import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  identify,
  isAlive,
  kill,
  readPidFile,
  waitGone,
  writePidFile,
} from '../../../agent/rehearsal/processes.ts';
import { run, startDetached, StageError, waitUntil } from '../../../agent/rehearsal/run.ts';

const never = new AbortController().signal;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('run', () => {
  it('gives what the program prints, for what it reads', async () => {
    expect(await run(['cat'], { input: 'text' }, never)).toBe('text');
  });

  it('says how a program failed, with its last lines', async () => {
    const failure = await run(['sh', '-c', 'echo one; echo two >&2; exit 3'], {}, never).catch(
      (cause: unknown) => cause,
    );
    expect(failure).toBeInstanceOf(StageError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('code 3'),
      evidence: 'one\ntwo',
    });
  });

  it.each([
    ['a program that is not there', ['/nonexistent/program'], {}, 'could not be started'],
    ['a program that does not end', ['sleep', '60'], { deadlineMs: 200 }, 'not end within 0.2 s'],
    ['a program that was killed', ['sh', '-c', 'kill -9 $$'], {}, 'SIGKILL'],
  ])('says so of %s', async (_, command, options, message) => {
    await expect(run(command, options, never)).rejects.toThrow(message);
  });

  it('passes none of our own variables on', async () => {
    process.env['STAGE_CANARY'] = 'secret';
    expect(await run(['env'], {}, never)).not.toContain('STAGE_CANARY');
  });

  it('stops with the reason of its signal', async () => {
    const stop = new AbortController();
    const running = run(['sleep', '60'], {}, stop.signal);
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});

describe('a detached program', () => {
  it('is known by its start, is ended, and is gone', async () => {
    const pid = await startDetached(['sleep', '60'], {
      env: { PATH: '/usr/bin:/bin' },
      log: join(folder, 'log'),
    });
    const file = join(folder, 'sleep.pid');
    await writePidFile(file, pid);
    const one = await readPidFile(file);
    if (one === undefined) throw new Error('it should run');
    expect(await identify(pid)).toEqual(one);
    // The same number with another start is another process: it is never touched.
    await kill({ pid, ticks: `${Number(one.ticks) + 1}` }, 'SIGKILL');
    expect(await isAlive(one)).toBe(true);
    await kill(one, 'SIGKILL');
    expect(await waitGone([one], 5_000)).toEqual([]);
    expect(await readPidFile(file)).toBeUndefined();
  });
});

describe('waitUntil', () => {
  it('gives the evidence when its time is over', async () => {
    const waiting = waitUntil(
      'it comes',
      { deadlineMs: 30, everyMs: 5, evidence: async () => await Promise.resolve('why') },
      async () => await Promise.resolve(false),
      never,
    );
    await expect(waiting).rejects.toMatchObject({
      message: 'it comes: not within 0.03 s',
      evidence: 'why',
    });
  });
});
