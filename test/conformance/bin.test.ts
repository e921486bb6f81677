import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { agentFlags } from '../../agent/flags.mjs';
import { projectFolder } from '../../agent/rehearsal/plan.ts';

/** The launcher, in a copy of the project whose packages folder is its own. */
let top: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-bin-'));
  for (const part of ['agent', 'schemas', 'package.json']) {
    await cp(join(projectFolder, part), join(top, part), { recursive: true });
  }
  await mkdir(join(top, 'node_modules'));
  for (const name of await readdir(join(projectFolder, 'node_modules'))) {
    if (name.startsWith('.')) continue;
    await symlink(join(projectFolder, 'node_modules', name), join(top, 'node_modules', name));
  }
});

afterEach(async () => {
  await rm(top, { recursive: true });
});

const version = async (): Promise<string> =>
  (await promisify(execFile)(process.execPath, [join(top, 'agent', 'bin.mjs'), '--version']))
    .stdout;

it('keeps beside the packages what a start compiled, for the next one', async () => {
  expect(await version()).toMatch(/^understudy \d/);
  const cache = join(top, 'node_modules', '.cache', 'understudy');
  const kept = async (): Promise<number> => (await readdir(cache, { recursive: true })).length;
  const first = await kept();
  expect(first).toBeGreaterThan(50);
  expect(await version()).toMatch(/^understudy \d/);
  expect(await kept()).toBe(first);
});

it('starts where nothing can be kept', async () => {
  await cp(join(top, 'package.json'), join(top, 'node_modules', '.cache'));
  await chmod(join(top, 'node_modules', '.cache'), 0o444);
  expect(await version()).toMatch(/^understudy \d/);
});

it('gives the agent flags of its own, in the process that was started', async () => {
  const settings = ['--local', '--environment', 'x', '--state-dir', join(top, 'state')];
  const words = [
    '--repository-url',
    `file://${top}/none`,
    '--docker-socket',
    join(top, 'none.sock'),
  ];
  const program = [join(top, 'agent', 'bin.mjs'), 'agent', ...settings, ...words];
  const agent = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(agent, 'exit');
  let log = '';
  agent.stdout.on('data', (text: Buffer) => (log += text.toString()));
  try {
    await vi.waitFor(() => expect(log).toContain('agent started'), { timeout: 60_000 });
    const line = await readFile(`/proc/${String(agent.pid)}/cmdline`, 'utf8');
    expect(line.split('\0').slice(1, 1 + agentFlags.length)).toEqual(agentFlags);
  } finally {
    agent.kill();
  }
  expect(await ended).toEqual([0, null]);
});
