import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { newIdentity, wrap } from '../../agent/age/age.ts';
import { createPrinter } from '../../agent/cli/printer.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import { dataKey, sealedText } from '../core/sops/sops.ts';

/** A folder that is edited, and a stage without agents on which every saved state runs. One story, told in order. */
const options = { name: 'usq', subnet: '10.213.87.0/24', managers: 1, workers: 0 };
const never = new AbortController().signal;
const said: string[] = [];
const say = (text: string): void => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());
let stage: Stage;
let top: string;
let keys: string;
let recipient: string;
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
  const identity = await newIdentity();
  recipient = identity.recipient;
  keys = await mkdtemp(join(tmpdir(), 'understudy-apply-keys-'));
  await writeFile(join(keys, 'key'), identity.key, { mode: 0o600 });
  const socket = stage.hosts[0]?.socket ?? '';
  const words = ['plan', top, '--watch', '--apply', '--socket', socket];
  program = spawn(process.execPath, [join(projectFolder, 'agent/bin.mjs'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, UNDERSTUDY_AGE_KEY_FILE: join(keys, 'key') },
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
  if (keys !== undefined) await rm(keys, { recursive: true, force: true });
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

const CANARY = 'canary-8d21';

async function seal(name: string, content: string, to: string): Promise<void> {
  const wrapped = [{ recipient: to, enc: await wrap(dataKey, to) }];
  await save(`stacks/blog/${name}`, sealedText(name, content, { wrapped }));
}

it('decrypts what is encrypted, and says nothing of it', async () => {
  const from = told.length;
  await seal('web.env', `PASSWORD=${CANARY}\n`, recipient);
  await seal('token.yaml', `token: ${CANARY}\n`, recipient);
  await save(
    'stacks/blog/compose.yaml',
    "services: {web: {image: '${REGISTRY}/site:1', configs: [page], env_file: web.env, secrets: [token], stop_grace_period: 1s, deploy: {endpoint_mode: dnsrr}}}\nconfigs: {page: {file: page.html}}\nsecrets: {token: {file: token.yaml}}\n",
  );
  const text = await until(/revision \S+ is healthy/, from);
  expect(text).toContain('services.web.environment.PASSWORD: [secret]');
  const env = '{{json .Spec.TaskTemplate.ContainerSpec.Env}}';
  const inspect = ['service', 'inspect', 'blog_web', '--format', env];
  expect(JSON.parse(await stage.docker(inspect, never))).toEqual([`PASSWORD=${CANARY}`]);
  const task = (await stage.docker(['ps', '-q', '--filter', 'name=blog_web'], never)).trim();
  const mounted = await stage.docker(['exec', task, 'cat', '/run/secrets/token'], never);
  expect(mounted.trim()).toBe(`token: ${CANARY}`);
  expect(told).not.toMatch(/canary|AGE-SECRET/);
});

it('takes the same content, encrypted anew, for no change, and applies nothing that it cannot open', async () => {
  const services = ['service', 'inspect', 'blog_web'];
  const before = await stage.docker(services, never);
  const secrets = await stage.docker(['secret', 'ls', '-q'], never);
  let from = told.length;
  await seal('token.yaml', `token: ${CANARY}\n`, recipient);
  await until(/1 unit unchanged/, from);
  from = told.length;
  await seal('token.yaml', `token: ${CANARY}\n`, (await newIdentity()).recipient);
  expect(await until(/error\[encrypted-for-others\]/, from)).toContain(recipient);
  expect(await stage.docker(services, never)).toBe(before);
  expect(await stage.docker(['secret', 'ls', '-q'], never)).toBe(secrets);
  from = told.length;
  await seal('token.yaml', `token: ${CANARY}\n`, recipient);
  await until(/1 unit unchanged/, from);
  expect(told).not.toMatch(/canary|AGE-SECRET/);
});

it('decrypts variables in documents, shows none of them, and refuses what was moved in them', async () => {
  const sealed = async (path: string, content: string, regex: string): Promise<string> => {
    const wrapped = [{ recipient, enc: await wrap(dataKey, recipient) }];
    return sealedText(path, content, { wrapped, rules: { encrypted_regex: regex } });
  };
  const file = 'environments/rehearsal.yaml';
  const variables = `{REGISTRY: '${stage.registry}', WORD: ${CANARY}}`;
  const environment = `kind: Environment\nname: rehearsal\nvariables: ${variables}\n`;
  let from = told.length;
  await save(file, await sealed(file, environment, '^WORD$'));
  await until(/revision \S+ is healthy/, from);

  from = told.length;
  const compose = await sealed(
    'compose.yaml',
    `services: {web: {image: '\${REGISTRY}/site:1', configs: [page], environment: {A: 'db://u:\${WORD}@h', B: ${CANARY}-b}, stop_grace_period: 1s, deploy: {endpoint_mode: dnsrr}}}\nconfigs: {page: {file: page.html}}\n`,
    '^environment$',
  );
  await save('stacks/blog/compose.yaml', compose);
  const text = await until(/revision \S+ is healthy/, from);
  expect(text).toContain('services.web.environment.A: [secret]');
  expect(text).toContain('services.web.environment.B: [secret]');
  const env = '{{json .Spec.TaskTemplate.ContainerSpec.Env}}';
  const inspect = ['service', 'inspect', 'blog_web', '--format', env];
  const values = [`A=db://u:${CANARY}@h`, `B=${CANARY}-b`];
  expect(JSON.parse(await stage.docker(inspect, never))).toEqual(values);

  from = told.length;
  const [one = '', other = ''] = compose.match(/ENC\[[^\]]*type:str\]/g) ?? [];
  const swapped = compose.replace(one, '?').replace(other, one).replace('?', other);
  await save('stacks/blog/compose.yaml', swapped);
  expect(await until(/error\[encryption-damaged\]/, from)).toContain('compose.yaml:1');
  expect(JSON.parse(await stage.docker(inspect, never))).toEqual(values);
  from = told.length;
  await save('stacks/blog/compose.yaml', compose);
  await until(/1 unit unchanged/, from);
  expect(told).not.toMatch(/canary|AGE-SECRET/);
});

it('ends when it is asked to, and leaves what runs', async () => {
  const ended = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(await page()).toMatch(/^blog_page-/);
});
