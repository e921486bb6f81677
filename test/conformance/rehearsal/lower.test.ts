import { access, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removePackages } from '../../../agent/rehearsal/lower.ts';
import {
  findProcesses,
  identify,
  kill,
  waitGone,
  type ProcessId,
} from '../../../agent/rehearsal/processes.ts';
import { startDetached } from '../../../agent/rehearsal/run.ts';

const path = '/usr/bin:/bin';
let top = '';
let started: ProcessId[] = [];

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'stage-'));
  started = [];
});
afterEach(async () => {
  for (const one of started) await kill(one, 'SIGKILL');
  await waitGone(started, 5_000);
  await rm(top, { recursive: true, force: true });
});

async function start(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const options = { env: { PATH: path, ...env }, log: join(top, 'log') };
  const one = await identify(await startDetached(command, options));
  if (one === undefined) throw new Error('it should run');
  started.push(one);
  return one;
}

describe('removePackages', () => {
  /** A program that lies in the packages' folder and runs for so many seconds. */
  const startOwn = async (seconds: string) => {
    const packages = join(top, 'kept', 'packages');
    await mkdir(packages, { recursive: true });
    await copyFile('/bin/sleep', join(packages, 'sleep'));
    return { packages, one: await start([join(packages, 'sleep'), seconds]) };
  };

  it('waits for a program that is about to be gone', async () => {
    const { packages } = await startOwn('0.4');
    expect(await removePackages(packages, 20_000)).toBeUndefined();
    await expect(access(packages)).rejects.toThrow('ENOENT');
  });

  it('leaves them to a program that goes on, and names it', async () => {
    const { packages, one } = await startOwn('60');
    expect(await removePackages(packages, 100)).toContain(`(process ${one.pid})`);
    await access(join(packages, 'sleep'));
  });

  it('takes packages that are not there for removed', async () => {
    expect(await removePackages(join(top, 'nothing'))).toBeUndefined();
  });
});

describe('findProcesses', () => {
  it('finds what bears the mark, and what that has started, wherever it lives', async () => {
    const mark = `REHEARSAL_STAGE=${top}`;
    const marked = await start(['sh', '-c', 'env -i sleep 60 & wait'], { REHEARSAL_STAGE: top });
    await start(['sleep', '60'], { REHEARSAL_STAGE: `${top}2` });
    await start(['sleep', '60'], { OTHER: mark });
    const belonging = { namespaces: [join(top, 'none')], cgroup: '/none', mark };
    await expect
      .poll(async () => (await findProcesses(belonging)).length, { timeout: 30_000 })
      .toBe(2);
    const found = await findProcesses(belonging);
    started.push(...found);
    expect(found).toContainEqual(marked);
  });
});
