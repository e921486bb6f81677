import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { createPrinter } from '../../agent/cli/printer.ts';
import { lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import { judgeLive } from '../parity/live.ts';

// One manager, drained, and the CLI of the stage (20.10): nothing starts, what is compared is what the engine keeps.
const options = { name: 'usn', subnet: '10.213.90.0/24', managers: 1, workers: 0 };
const never = new AbortController().signal;
const print = createPrinter({ out: () => {}, err: () => {}, colour: false }, () =>
  performance.now(),
);
const files = {
  'all.yml': `version: "3.8"
services:
  web:
    image: nginx:1
    depends_on: [db]
    environment: {A: "\${A}"}
    volumes: ["./data:/data", "kept:/kept"]
    networks: [front, out]
    configs: [{source: page, target: /page, mode: 0440}]
    secrets: [key]
    deploy: {replicas: 2, resources: {limits: {memory: 64M}}}
  db: {image: db, deploy: {mode: global}}
networks: {front: {attachable: true, ipam: {config: [{subnet: 10.199.7.0/24}]}}, out: {external: true, name: outside}}
volumes: {kept: {labels: {a: b}}}
configs: {page: {file: page.txt}}
secrets: {key: {external: true, name: key-7}}
`,
  'all.env': 'A=1\n',
  'page.txt': 'hello\n',
  'engine-refuses.yml': 'version: "3.8"\nservices: {a: {image: x, deploy: {endpoint_mode: odd}}}\n',
  'loader-refuses.yml': 'version: "3.8"\nservices: {a: {image: x, cpus: "1"}}\n',
};
let stage: Stage;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parity-test-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  stage = await raiseStage(options, print, never);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await lowerStage(options, print);
});

it('deploys with the CLI and with our client, and both leave the same', async () => {
  const [manager] = stage.hosts;
  const live = { docker: stage.tools.path('docker'), socket: manager?.socket ?? '' };
  await expect(judgeLive(folder, live)).rejects.toThrow('drain');
  const node = (await stage.docker(['node', 'ls', '--quiet'], never)).trim();
  await stage.docker(['node', 'update', '--availability', 'drain', node], never);
  const judged = await judgeLive(folder, live);
  expect(judged.map(({ files: [name], verdict }) => [name, verdict])).toEqual([
    ['all.yml', { kind: 'equal', lines: [] }],
    ['engine-refuses.yml', { kind: 'equal', lines: [] }],
    ['loader-refuses.yml', { kind: 'equal', lines: [] }],
  ]);
  // Nothing is left of it, also not what was made outside of the stacks.
  expect(
    (await stage.docker(['network', 'ls', '--quiet', '--filter', 'name=outside'], never)).trim(),
  ).toBe('');
  expect((await stage.docker(['secret', 'ls', '--quiet'], never)).trim()).toBe('');
});
