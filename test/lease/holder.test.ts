import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CallOutcome } from '../../agent/core/kind.ts';
import { isHolderDead, nameOfProcess } from '../../agent/lease/holder.ts';

const { signal } = new AbortController();
const boot = '11111111-2222-3333-4444-555555555555';
const container = 'ab12'.repeat(16);
let proc: string;

/** A small /proc: process 7 lives, process 8 ended and was not reaped. */
beforeAll(async () => {
  proc = await mkdtemp(join(tmpdir(), 'understudy-proc-'));
  for (const folder of ['sys/kernel/random', 'self/ns', '7', '8']) {
    await mkdir(join(proc, folder), { recursive: true });
  }
  await writeFile(join(proc, 'sys/kernel/random/boot_id'), `${boot}\n`);
  await symlink('pid:[4026531836]', join(proc, 'self/ns/pid'));
  await writeFile(join(proc, 'self/mountinfo'), '22 1 0:5 / / rw - ext4 /dev/vda rw\n');
  const rest = `${'0 '.repeat(18)}4711 ${'0 '.repeat(10)}`;
  await writeFile(join(proc, '7/stat'), `7 (node) (x) S ${rest}`);
  await writeFile(join(proc, '8/stat'), `8 (node) Z ${rest}`);
});

afterAll(async () => {
  await rm(proc, { recursive: true });
});

const dead = (holder: string, answer: CallOutcome<boolean | undefined> = unasked) =>
  isHolderDead(holder, { nodeId: 'n1', ask: async () => answer, proc }, signal);
const unasked: CallOutcome<boolean | undefined> = { status: 'ok', value: true };

describe('a holder of this node', () => {
  it.each([
    ['that runs', `n1/${boot}.4026531836.7.4711`, false],
    ['whose number another process has now', `n1/${boot}.4026531836.7.4712`, true],
    ['that ended and was not reaped', `n1/${boot}.4026531836.8.4711`, true],
    ['that is gone', `n1/${boot}.4026531836.9.4711`, true],
    ['from before the machine started', `n1/${boot.replace('1', '9')}.4026531836.7.4711`, true],
    ['whose number means something elsewhere', `n1/${boot}.1.9.4711`, false],
    ['that is of another node', `n2/${boot}.4026531836.9.4711`, false],
    ['that nobody understands', 'n1/whoever', false],
    ['that is nobody', '', false],
  ])('%s: dead is %3$s', async (_what, holder, expected) => {
    expect(await dead(holder)).toBe(expected);
  });

  it.each<[string, CallOutcome<boolean | undefined>, boolean]>([
    ['runs', { status: 'ok', value: true }, false],
    ['has stopped', { status: 'ok', value: false }, true],
    ['is gone', { status: 'ok', value: undefined }, true],
    ['cannot be asked about', { status: 'unknown', why: 'no answer' }, false],
  ])('whose container %s', async (_what, answer, expected) => {
    expect(await dead(`n1/${container}`, answer)).toBe(expected);
  });
});

describe('the name of a process', () => {
  it('tells it from every other one of this machine', async () => {
    const own = await nameOfProcess(process.pid, { ask: async () => unasked }, signal);
    expect(
      await isHolderDead(`n1/${own}`, { nodeId: 'n1', ask: async () => unasked }, signal),
    ).toBe(false);
    const other = own.replace(/\.\d+$/, '.1');
    expect(
      await isHolderDead(`n1/${other}`, { nodeId: 'n1', ask: async () => unasked }, signal),
    ).toBe(true);
  });

  it.each<[string, CallOutcome<boolean | undefined>, RegExp]>([
    ['is its container, where this engine runs it', { status: 'ok', value: true }, /^(ab12){16}$/],
    ['is not the container of another engine', { status: 'ok', value: undefined }, /^unnamed$/],
    [
      'is not a container that nobody could ask about',
      { status: 'unknown', why: 'x' },
      /^unnamed$/,
    ],
  ])('%s', async (_what, answer, expected) => {
    const line = `500 499 0:9 /var/lib/docker/containers/${container}/hostname /etc/hostname rw\n`;
    const folder = await mkdtemp(join(tmpdir(), 'understudy-proc-'));
    await mkdir(join(folder, 'self'));
    await writeFile(join(folder, 'self/mountinfo'), line);
    const name = await nameOfProcess(7, { ask: async () => answer, proc: folder }, signal);
    expect(name).toMatch(expected);
    await rm(folder, { recursive: true });
  });
});
