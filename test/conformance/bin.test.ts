import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';

import { agentFlags, allocatorEnvironment } from '../../agent/flags.mjs';
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
  expect(first).toBeGreaterThan(30);
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
    const told = (await readFile(`/proc/${String(agent.pid)}/environ`, 'utf8')).split('\0');
    for (const [name, value] of Object.entries(allocatorEnvironment)) {
      expect(told).toContain(`${name}=${value}`);
    }
  } finally {
    agent.kill();
  }
  expect(await ended).toEqual([0, null]);
});

it('loads nothing that only others need, and all that it needs itself', async () => {
  const of = (path: string): string => new URL(`../../agent/${path}`, import.meta.url).href;
  const script = `
    const { openSwarm } = await import(${JSON.stringify(of('providers/stack/client.ts'))});
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache).map((path) => path.split('/node_modules/').at(-1));
    const clock = { after: () => () => {}, nowMs: () => 0 };
    const swarm = openSwarm({ socket: '/nowhere.sock', version: '1.41', atOnce: 1 }, clock);
    const { status, cause } = await swarm.observe(new AbortController().signal);
    console.log(JSON.stringify({ loaded, status, cause }));`;
  const words = ['--import', of('unused.mjs'), '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { loaded, ...rest } = z
    .looseObject({ loaded: z.array(z.string()) })
    .parse(JSON.parse(stdout));
  expect(loaded).toContain('dockerode/lib/docker.js');
  expect(loaded.filter((path) => /^(?:@grpc|protobufjs|ssh2)\//.test(path))).toEqual([]);
  expect(rest).toEqual({ status: 'unknown', cause: 'unreachable' });
});

it('loads what a plan needs, and leaves what only its renderer needs to that', async () => {
  const of = (path: string): string => `${top}/agent/${path}`;
  const files = ['cli/plan.ts', 'cli/plan-once.ts', 'planning.ts'];
  const script = `
    const { createRequire } = await import('node:module');
    const packages = () => [...new Set(Object.keys(createRequire(import.meta.url).cache)
      .map((path) => path.split('/node_modules/').at(-1).split('/')[0]))];
    await import('${of('commands.ts')}');
    const listed = packages();
    for (const file of ${JSON.stringify(files.map(of))}) await import(file);
    const planning = packages();
    console.log(JSON.stringify({ listed, planning }));
    `;
  const words = ['--import', of('unused.mjs'), '--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  const { listed, planning } = z
    .strictObject({ listed: z.array(z.string()), planning: z.array(z.string()) })
    .parse(JSON.parse(stdout));
  expect(listed).toEqual([]);
  expect(planning).toContain('dockerode');
  expect(planning).not.toContain('yaml');
});
