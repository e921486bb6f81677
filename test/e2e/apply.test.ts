import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { createPrinter } from '../../agent/cli/printer.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';

/** A folder that is edited, and a stage without agents on which every saved state runs. One story, told in order. */
const options = { name: 'usq', subnet: '10.213.87.0/24', managers: 1, workers: 0 };
const never = new AbortController().signal;
const said: string[] = [];
const say = (text: string): void => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());
let stage: Stage;
let top: string;
let program: ChildProcess;
let told = '';

async function save(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(top, path)), { recursive: true });
  await writeFile(join(top, path), text);
}

/** What the program says from here until a text comes. */
async function until(text: RegExp, from: number): Promise<string> {
  const limits = { deadlineMs: 180_000, everyMs: 50, evidence: async () => told };
  await waitUntil(`the program says ${String(text)}`, limits, async () => text.test(told.slice(from)), never); // prettier-ignore
  return told.slice(from);
}

const page = async (): Promise<string> => {
  const names = (await stage.docker(['config', 'ls', '--format', '{{.Name}}'], never)).split('\n');
  const inspect = ['service', 'inspect', 'blog_web', '--format', '{{json .Spec}}'];
  const spec = await stage.docker(inspect, never);
  return names.find((name) => spec.includes(`"${name}"`)) ?? '';
};

beforeAll(async () => {
  stage = await raiseStage(options, print, never);
  top = await mkdtemp(join(tmpdir(), 'understudy-apply-'));
  await save('understudy.yaml', 'version: 1\n');
  await save(
    'environments/rehearsal.yaml',
    `kind: Environment\nname: rehearsal\nvariables: {REGISTRY: '${stage.registry}'}\n`,
  );
  await save(
    'stacks/blog/compose.yaml',
    "services: {web: {image: '${REGISTRY}/site:1', configs: [page], stop_grace_period: 1s, deploy: {endpoint_mode: dnsrr}}}\nconfigs: {page: {file: page.html}}\n",
  );
  await save('stacks/blog/page.html', 'page one\n');
  await save('stacks/blog/stack.yaml', 'kind: Stack\nhealth: {stableFor: 2s}\n');
  const socket = stage.hosts[0]?.socket ?? '';
  const words = ['plan', top, '--watch', '--apply', '--socket', socket];
  program = spawn(process.execPath, [join(projectFolder, 'agent/bin.mjs'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [program.stdout, program.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      told += chunk.toString('utf8');
    });
  }
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${said.join('')}${told}`);
});

afterAll(async () => {
  program?.kill('SIGKILL');
  await lowerStage(options, print);
  await rm(top, { recursive: true, force: true });
});

it('runs what is saved, after a plan of it', async () => {
  const first = await until(/revision \S+ is healthy/, 0);
  expect(first.indexOf('+ stack/blog')).toBeLessThan(first.indexOf('is healthy'));
  expect(await page()).toBe('blog_page');
});

it('shows a mistake, and applies nothing of it', async () => {
  const before = await stage.docker(['service', 'inspect', 'blog_web'], never);
  const from = told.length;
  await save('stacks/blog/stack.yaml', 'kind: Stack\nhealht: {stableFor: 2s}\n');
  expect(await until(/did you mean `health`/, from)).toContain('stacks/blog/stack.yaml:2');
  expect(await stage.docker(['service', 'inspect', 'blog_web'], never)).toBe(before);
});

it('runs the next one that is valid', async () => {
  const from = told.length;
  await save('stacks/blog/page.html', 'page two\n');
  await save('stacks/blog/stack.yaml', 'kind: Stack\nhealth: {stableFor: 2s}\n');
  await until(/revision \S+ is healthy/, from);
  expect(await page()).toMatch(/^blog_page-[0-9a-f]{8}$/);
});

it('ends when it is asked to, and leaves what runs', async () => {
  const ended = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(await page()).toMatch(/^blog_page-/);
});
