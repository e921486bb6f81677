import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { LogLine } from './agent-log.ts';
import { quickLease, Scene } from './scene.ts';

/**
 * Two stacks on real engines, of which one depends on the other, and two that the Docker CLI deployed: one story, told in order.
 */
const never = new AbortController().signal;
let scene: Scene;

function files(stack: string, image: string, after?: string): Record<string, string> {
  const dependsOn = after === undefined ? '' : `dependsOn: [stack/${after}]\n`;
  return {
    [`stacks/${stack}/compose.yaml`]: `
services:
  web:
    image: '\${REGISTRY}/${image}'
    environment: {NAME: ${stack}}
    stop_grace_period: 1s
    deploy:
      endpoint_mode: dnsrr
      restart_policy: {condition: any, delay: 1s}
      update_config: {order: stop-first, monitor: 2s}
`,
    [`stacks/${stack}/stack.yaml`]: `kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n${dependsOn}`,
  };
}

/** `web` by name before `db`, so that the order of the repository is the wrong one. */
const both = (db: string, web: string): Record<string, string> => ({
  ...files('db', db),
  ...files('app', web, 'db'),
});

beforeAll(async () => {
  const small = { managers: 1, workers: 1 };
  scene = await Scene.raise({ name: 'usg', subnet: '10.213.85.0/24', ...small }, quickLease);
  await scene.push('both', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    ...both('site:1', 'site:1'),
  });
  await scene.startAgent();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
});

const of =
  (stack: string) =>
  ({ id }: LogLine): boolean =>
    id === `stack/${stack}`;
const revision =
  (commit: string) =>
  (line: LogLine): boolean =>
    line['revision'] === commit;
/** What was told of one stack since a mark, in its order. */
const mark = (): ((stack: string) => readonly string[]) => {
  const from = scene.log.read.length;
  return (stack) =>
    scene.log.read
      .slice(from)
      .filter(of(stack))
      .map(({ msg }) => msg);
};
const imageOf = async (stack: string): Promise<string> =>
  scene.docker(
    'service',
    'inspect',
    `${stack}_web`,
    '--format',
    '{{.Spec.TaskTemplate.ContainerSpec.Image}}',
  );

const understudy = async (...words: readonly string[]): Promise<string> => scene.understudy(words);

describe('a stack that depends on another one', () => {
  it('is deployed after that is healthy', async () => {
    await scene.log.until('revision healthy');
    const told = scene.log.read.map(({ msg, id }) => `${msg} ${String(id)}`);
    const healthy = told.indexOf('unit healthy stack/db');
    expect(healthy).toBeGreaterThan(0);
    expect(told.indexOf('change applied stack/app')).toBeGreaterThan(healthy);
    expect(told).toContain('unit held stack/app');
  });

  it('does not change where a commit breaks the other one, and nothing is written any more', async () => {
    const before = [await scene.spec('app_web'), await scene.tasks('app_web')];
    const since = mark();
    const commit = await scene.push('break db', both('site:none', 'site:2'));
    const ended = await scene.log.until('revision failed', revision(commit));
    expect(ended).toMatchObject({
      failed: ['stack/db'],
      rolledBack: ['stack/db'],
      waiting: ['stack/app'],
    });
    expect(new Set(since('app'))).toEqual(new Set(['unit held']));
    expect([await scene.spec('app_web'), await scene.tasks('app_web')]).toEqual(before);
    expect(await scene.quietPasses(3)).toEqual([]);
  });

  it('is kept as it was healthy, and waits on, with another agent too', async () => {
    await scene.docker('service', 'scale', '--detach', 'app_web=0');
    await scene.log.until('change applied', of('app'));
    expect(await imageOf('app')).toContain('site:1');
    await scene.killAgent();
    const held = await scene.log.until('unit held', of('app'));
    expect(held['why']).toBe('waits for stack/db, which failed');
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('changes by itself when another commit mends the other one', async () => {
    const commit = await scene.push('mend db', files('db', 'site:2'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await imageOf('app')).toContain('site:2');
  });

  it('goes back with it when a person takes back what one commit had brought to both', async () => {
    await understudy('rollback', 'stack/db');
    const taken = await scene.log.until('unit taken back', of('app'));
    expect(taken['because']).toBe('stack/db');
    await scene.log.until('unit rolled back', of('app'));
    expect(await imageOf('app')).toContain('site:1');
    expect(await imageOf('db')).toContain('site:1');
    expect(await scene.quietPasses(2)).toEqual([]);
  });
});

/** Deploys a stack as people do without an agent, and waits until all of it runs. Gives its tasks. */
async function deployByCli(stack: string): Promise<readonly string[]> {
  const file = join(scene.folder, `${stack}.yaml`);
  await writeFile(join(scene.folder, 'page.html'), 'page $one {{ .Service.Name }}\n');
  await writeFile(join(scene.folder, 'key.txt'), 'canary-18f2\n');
  await writeFile(
    file,
    `
version: '3.8'
services:
  web:
    image: ${scene.stage.registry}/site:1
    command: [/bin/sh, -c, 'echo "$$NAME: $$0" && exec /bin/site', 'a\\b']
    environment: {NAME: ${stack}, PRICE: '$$5', EMPTY: ''}
    hostname: 'web-{{.Task.Slot}}'
    cap_drop: [MKNOD]
    configs: [{source: page, target: /www/index.html, mode: 0440}]
    secrets: [key]
    volumes: ['data:/data', {type: tmpfs, target: /scratch}]
    networks: {inner: {aliases: [www]}}
    stop_grace_period: 1s
    deploy:
      replicas: 2
      endpoint_mode: dnsrr
      labels: {team: a}
      restart_policy: {condition: any, delay: 1s}
      update_config: {order: stop-first, monitor: 2s}
      resources: {limits: {memory: 64M}}
configs: {page: {file: page.html, template_driver: golang}}
secrets: {key: {file: key.txt}}
volumes: {data: {labels: {kept: 'yes'}}}
networks: {inner: {attachable: true, ipam: {config: [{subnet: 172.29.${stack.length}.0/24}]}}}
`,
  );
  await scene.docker('stack', 'deploy', '--compose-file', file, stack);
  const shown = ['service', 'ps', `${stack}_web`, '--format', '{{.CurrentState}}'];
  await waitUntil(
    `${stack} runs`,
    { deadlineMs: 180_000, evidence: async () => scene.docker(...shown, '--no-trunc') },
    async () => (await scene.docker(...shown)).match(/^Running/gm)?.length === 2,
    never,
  );
  return scene.tasks(`${stack}_web`);
}

describe('a stack that the Docker CLI deployed', () => {
  it('is written back, and taken over without a write and without a restart', async () => {
    const healthy = await scene.push('as before', both('site:1', 'site:1'));
    await scene.log.until('revision healthy', revision(healthy));
    const tasks = await deployByCli('cli');
    const before = await scene.spec('cli_web');
    const said = await understudy('adopt', 'cli', '--into', scene.copy.folder);
    expect(said).toContain('there is nothing to do about it');
    expect(said).not.toContain('canary');

    const from = scene.proxy.seen.at(-1)?.at ?? 0;
    const commit = await scene.push('take cli over', {});
    const adopted = await scene.log.until('unit adopted', of('cli'));
    expect(adopted['id']).toBe('stack/cli');
    await scene.log.until('revision healthy', revision(commit));
    expect(scene.writes(from)).toEqual([]);
    expect(await scene.quietPasses(2)).toEqual([]);
    expect([await scene.spec('cli_web'), await scene.tasks('cli_web')]).toEqual([before, tasks]);
  });

  it('that differs shows what differs, and waits until a person approves', async () => {
    const tasks = await deployByCli('other');
    await understudy('adopt', 'other', '--into', scene.copy.folder);
    const path = 'stacks/other/compose.yaml';
    const text = await scene.read(path);
    const from = scene.proxy.seen.at(-1)?.at ?? 0;
    await scene.push('another name', {
      [path]: text.replace('NAME: other', 'NAME: another'),
      'stacks/other/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
    });
    const held = await scene.log.until('unit held', of('other'));
    const digest = /understudy approve ([0-9a-f]{12})/.exec(String(held['why']))?.[1] ?? '';
    const fields = (plan: string): readonly string[] => plan.match(/[-+] services\..*/g) ?? [];
    const differs = [
      '- services.web.environment.NAME: other',
      '+ services.web.environment.NAME: another',
    ];
    expect(fields(await understudy('plan', scene.copy.folder))).toEqual(differs);
    expect(await understudy('get', 'other')).toContain(`understudy approve ${digest}`);
    expect(await scene.quietPasses(2)).toEqual([]);
    expect(scene.writes(from)).toEqual([]);
    expect(await scene.tasks('other_web')).toEqual(tasks);

    await understudy('approve', digest);
    await scene.log.until('unit healthy', of('other'));
    expect(JSON.stringify(await scene.spec('other_web'))).toContain('"NAME=another"');
  });

  /** Writes it back, and puts a file where the secret is external: a person has what the engine does not give. */
  async function withSecret(stack: string, content: string): Promise<Record<string, string>> {
    await understudy('adopt', stack, '--into', scene.copy.folder);
    const path = `stacks/${stack}/compose.yaml`;
    const text = await scene.read(path);
    const file = text.replace(
      /^secrets:\n(?: {2}.*\n)+/m,
      'secrets:\n  "key":\n    file: "./key.txt"\n',
    );
    expect(file).not.toBe(text);
    return {
      [path]: file,
      [`stacks/${stack}/key.txt`]: content,
      [`stacks/${stack}/stack.yaml`]: 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
    };
  }
  const secretOf = async (name: string): Promise<{ readonly ID: string; readonly Spec: object }> =>
    JSON.parse(await scene.docker('secret', 'inspect', name, '--format', '{{json .}}'));

  it('with a secret from a file is taken over by one label, and without a restart', async () => {
    const tasks = await deployByCli('kept');
    const before = await scene.versioned('kept_web');
    const from = scene.proxy.seen.at(-1)?.at ?? 0;
    const commit = await scene.push('take kept over', await withSecret('kept', 'canary-18f2\n'));
    await scene.log.until('unit adopted', of('kept'));
    await scene.log.until('revision healthy', revision(commit));
    const { ID, Spec } = await secretOf('kept_key');
    expect(Spec).toMatchObject({
      Labels: {
        'com.docker.stack.namespace': 'kept',
        'understudy.digest': expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(scene.writes(from).map(({ path }) => path)).toEqual([
      expect.stringMatching(`/secrets/${ID}/update$`),
    ]);
    expect(await scene.quietPasses(2)).toEqual([]);
    expect([await scene.versioned('kept_web'), await scene.tasks('kept_web')]).toEqual([
      before,
      tasks,
    ]);

    // The CLI over it takes the label away again.
    const file = join(scene.folder, 'kept.yaml');
    await scene.docker('stack', 'deploy', '--compose-file', file, 'kept');
    await scene.log.until('change applied', (line) => line['target'] === 'secret kept_key');
    expect(await scene.tasks('kept_web')).toEqual(tasks);
    expect(await secretOf('kept_key')).toMatchObject({ Spec });
  });

  it('whose secret differs shows that secret and no other field, and waits until a person approves', async () => {
    const tasks = await deployByCli('sealed');
    const before = [await scene.versioned('sealed_web'), await secretOf('sealed_key')];
    const from = scene.proxy.seen.at(-1)?.at ?? 0;
    await scene.push('another key', await withSecret('sealed', 'canary-of-another\n'));
    const held = await scene.log.until('unit held', of('sealed'));
    expect(held['why']).toMatch(
      /^it was there before and differs: secret sealed_key-[0-9a-f]{8} is missing, services\.web\.TaskTemplate\.ContainerSpec\.Secrets\.key\S*; approve with/,
    );
    const plan = await understudy('plan', scene.copy.folder);
    expect(plan).toContain('the content of secret sealed_key');
    expect(plan).not.toMatch(/stack\/sealed: .*restart/);
    expect(await scene.quietPasses(2)).toEqual([]);
    // It was asked once, and the engine wrote nothing.
    const asked = scene.writes(from).filter(({ path }) => path.includes('/secrets/'));
    expect(asked.map(({ path }) => path)).toEqual(scene.writes(from).map(({ path }) => path));
    expect(asked).toHaveLength(1);
    expect([await scene.versioned('sealed_web'), await secretOf('sealed_key')]).toEqual(before);
    expect(await scene.tasks('sealed_web')).toEqual(tasks);

    const digest = /understudy approve ([0-9a-f]{12})/.exec(String(held['why']))?.[1] ?? '';
    await understudy('approve', digest);
    await scene.log.until('unit healthy', of('sealed'));
    expect(JSON.stringify(await scene.spec('sealed_web'))).toContain('"SecretName":"sealed_key-');
    expect(JSON.stringify(scene.log.read)).not.toContain('canary');
  });
});
