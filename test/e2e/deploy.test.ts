import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { run } from '../../agent/rehearsal/run.ts';
import type { Seen } from '../faults/proxy.ts';
import type { LogLine } from './agent-log.ts';
import { Scene } from './scene.ts';

/**
 * The main job on real engines: three managers and a worker, a Git server over ssh, one agent that reaches its engine
 * through a proxy which counts. One story, told in order: each test starts from where the one before ended.
 */
const never = new AbortController().signal;
let scene: Scene;

const calls = (from = 0): string[] => scene.writes(from).map(inShort);
const inShort = ({ method, path }: Seen): string =>
  `${method} ${path.replace(/\/v1\.41|\/[a-z0-9]{25}/g, '')}`;

const compose = (image: string, extra = ''): string => `
x-note: every kind of thing that a stack can hold
services:
  web:
    image: ${image}
    command: [/bin/site]
    environment: {NAME: web, EMPTY: ''}
    env_file: web.env
    labels: {team: web}
    stop_grace_period: 2s
    networks: {front: {aliases: [site]}}
    ports: [{target: 8080, published: 8081, mode: host}]
    volumes: ['data:/data', {type: tmpfs, target: /tmp}]
    configs: [{source: page, target: /www/index.html, mode: 0444}]
    secrets: [key]
    healthcheck: {test: [CMD, wget, -q, -O, /dev/null, 'http://127.0.0.1:8080/'], interval: 1s, timeout: 10s, retries: 3, start_period: 10s}
    deploy:
      replicas: 2
      endpoint_mode: dnsrr
      labels: {tier: front}
      placement: {max_replicas_per_node: 1, preferences: [{spread: node.id}]}
      resources: {limits: {memory: 32M, cpus: '0.5', pids: 50}, reservations: {memory: 4M}}
      restart_policy: {condition: any, delay: 1s, max_attempts: 10, window: 30s}
      update_config: {parallelism: 1, order: stop-first, monitor: 2s, failure_action: pause, max_failure_ratio: 0.1}
      rollback_config: {parallelism: 1}
${extra}
  worker:
    image: ${image}
    deploy: {mode: global, placement: {constraints: [node.role == worker]}}
networks: {front: {driver: overlay, attachable: true, labels: {a: b}}}
volumes: {data: {labels: {a: b}}}
configs: {page: {file: page.html, labels: {a: b}}}
secrets: {key: {file: key.txt}}
`;

beforeAll(async () => {
  scene = await Scene.raise({ name: 'ust', subnet: '10.213.78.0/24' });
  await scene.push('first', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    'stacks/blog/compose.yaml': compose('${REGISTRY}/site:1'),
    'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
    'stacks/blog/web.env': 'FROM_FILE=1\n',
    'stacks/blog/page.html': 'page one\n',
    'stacks/blog/key.txt': 'canary-5c1f0e7a\n',
  });
  await scene.startAgent();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
});

describe('from push to healthy', () => {
  it('deploys the first commit, with as many writes as there are things to make', async () => {
    await scene.log.until('revision healthy');
    expect(calls().toSorted()).toEqual([
      'POST /configs/create',
      'POST /networks/create',
      'POST /networks/create', // the default one, of the service that names none
      'POST /secrets/create',
      'POST /services/create',
      'POST /services/create',
    ]);
    const page = await scene.docker(
      'service',
      'inspect',
      'blog_web',
      '--format',
      '{{json .Spec.TaskTemplate.ContainerSpec.Env}}',
    );
    expect(JSON.parse(page)).toEqual(['EMPTY=', 'FROM_FILE=1', 'NAME=web']);
    expect(await pageOnNodes()).toContain('page one');
  });

  it('writes nothing in any further pass', async () => {
    expect(await scene.quietPasses(3)).toEqual([]);
  });

  it('is shown by the command line through the engine of another manager, without a value of any secret', async () => {
    const text = await understudy('get', '--json');
    expect(JSON.parse(text)).toMatchObject({
      environment: 'rehearsal',
      revision: { outcome: 'healthy' },
      leader: { node: 'm1' },
      units: [
        {
          id: 'stack/blog',
          sync: 'Synced',
          health: 'Healthy',
          services: [
            { name: 'web', running: 2, wanted: 2, errors: [] },
            { name: 'worker', running: 1, wanted: 1 },
          ],
        },
      ],
    });
    expect(await understudy('get', 'blog')).toMatch(/stack\/blog +Synced +Healthy/);
    const history = await understudy('history', '--json');
    expect(JSON.parse(history)).toMatchObject({ revisions: [{ outcome: 'healthy', units: 1 }] });
    expect(`${text}${history}`).not.toMatch(/canary|FROM_FILE/);
  });

  it('is planned beside the agent, without a write', async () => {
    const from = scene.proxy.seen.length;
    const command = [process.execPath, join(projectFolder, 'agent/main.ts'), 'plan'];
    const plan = async (): Promise<string> =>
      run(
        [...command, scene.copy.folder, '--socket', scene.proxy.socket],
        { deadlineMs: 240_000 },
        never,
      );
    expect(await plan()).toContain('no changes, 1 unit unchanged');
    const page = join(scene.copy.folder, 'stacks/blog/page.html');
    await writeFile(page, 'page that nobody pushes\n');
    const shown = await plan();
    await writeFile(page, 'page one\n');
    expect(shown).toMatch(/~ stack\/blog: 1 restart\n[^]*~ config blog_page/);
    expect(scene.writes(from)).toEqual([]);
  });

  it('writes nothing and restarts nothing when the agent starts anew', async () => {
    const before = await scene.runningTasks('blog_web');
    const from = scene.proxy.seen.length;
    await scene.agent.stop();
    await scene.log.close();
    await scene.startAgent();
    await scene.log.until('revision healthy');
    expect(scene.writes(from)).toEqual([]);
    expect(await scene.runningTasks('blog_web')).toEqual(before);
  });

  it('rolls a changed image out with one write, and leaves the other service alone', async () => {
    const others = await scene.runningTasks('blog_worker');
    const from = scene.proxy.seen.length;
    const text = compose('${REGISTRY}/site:1').replace('${REGISTRY}/site:1', '${REGISTRY}/site:2');
    const revision = await scene.push('another image', { 'stacks/blog/compose.yaml': text });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    expect(calls(from)).toEqual(['POST /services/update']);
    // Begun, applied, healthy: each a bucket, the root, and the pointer to it.
    expect(scene.allWrites(from).filter((one) => !scene.writes(from).includes(one))).toHaveLength(
      9,
    );
    expect(await scene.runningTasks('blog_worker')).toEqual(others);
    const images = await scene.docker(
      'service',
      'ps',
      'blog_web',
      '--filter',
      'desired-state=running',
      '--format',
      '{{.Image}}',
    );
    expect(images).toMatch(/site:2\n.*site:2/);
  });

  it('puts changed content under another name, and the pages follow', async () => {
    const from = scene.proxy.seen.length;
    const revision = await scene.push('another page', {
      'stacks/blog/page.html': 'page two\n',
      'stacks/blog/key.txt': 'canary-9b8d2c11\n',
    });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    expect(calls(from)).toEqual([
      'POST /configs/create',
      'POST /secrets/create',
      'POST /services/update',
    ]);
    expect(await pageOnNodes()).toContain('page two');
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('changes replicas without restarting a task', async () => {
    const before = await scene.runningTasks('blog_web');
    const from = scene.proxy.seen.length;
    const text = (
      await readFile(join(scene.copy.folder, 'stacks/blog/compose.yaml'), 'utf8')
    ).replace('replicas: 2', 'replicas: 3');
    const revision = await scene.push('one more', { 'stacks/blog/compose.yaml': text });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    expect(calls(from)).toEqual(['POST /services/update']);
    expect(await scene.runningTasks('blog_web')).toEqual(expect.arrayContaining([...before]));
  });

  it('looks at the repository when a person asks, and says how the commit ended', async () => {
    const revision = await scene.push('a label', {
      'stacks/blog/stack.yaml':
        'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\nrollback: {keep: 2}\n',
    });
    const said = await understudy('reconcile', '--wait', '--json');
    expect(JSON.parse(said)).toEqual({
      verb: 'reconcile',
      status: 'settled',
      revision,
      outcome: 'healthy',
    });
    // The agent asks by itself each second here: it may have been faster.
    await scene.log.until('reconcile taken', (line) => line['revision'] === revision);
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('brings back what was changed by hand', async () => {
    const from = scene.proxy.seen.length;
    await scene.docker('service', 'scale', '--detach', 'blog_web=1');
    await scene.log.until('change applied', (line) => line['target'] === 'service blog_web');
    await scene.log.until('unit recovered');
    expect(calls(from)).toEqual(['POST /services/update']);
    expect(await scene.runningTasks('blog_web')).toHaveLength(3);
  });
});

describe('what goes wrong', () => {
  it('applies nothing of an invalid commit, shows every mistake, and goes on with the next', async () => {
    const from = scene.proxy.seen.length;
    const good = await readFile(join(scene.copy.folder, 'stacks/blog/compose.yaml'), 'utf8');
    await scene.push('two mistakes', {
      'stacks/blog/compose.yaml': good.replace('command:', 'comand:'),
      'stacks/shop/compose.yaml': 'services: {web: {image: x, scale: 2}}\n',
    });
    const { text } = await scene.log.until('revision invalid');
    expect(text).toContain('did you mean `command`?');
    expect(text).toContain('error[unsupported-key]');
    expect(scene.writes(from)).toEqual([]);
    await rm(join(scene.copy.folder, 'stacks/shop'), { recursive: true });
    const revision = await scene.push('corrected', { 'stacks/blog/compose.yaml': good });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    expect(scene.writes(from)).toEqual([]);
  });

  it('says why a stack does not run, tries it once, and deploys its neighbour', async () => {
    const small = (image: string, extra = ''): string =>
      `services: {web: {image: '${image}'${extra}}}\n`;
    const from = scene.proxy.seen.length;
    await scene.push('a bad image and a good stack', {
      'stacks/bad/compose.yaml': small('${REGISTRY}/site:none'),
      'stacks/bad/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
      'stacks/good/compose.yaml': small('${REGISTRY}/site:1'),
      'stacks/good/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s}\n',
    });
    const failure = await scene.log.until('unit failed');
    expect(failure).toMatchObject({
      id: 'stack/bad',
      evidence: 'manifest unknown; nothing was called',
    });
    await scene.log.until('revision failed');
    expect(scene.log.read).toContainEqual(
      expect.objectContaining({ msg: 'unit healthy', id: 'stack/good' }),
    );
    expect(scene.log.read).toContainEqual(
      expect.objectContaining({ msg: 'unit stopped', id: 'stack/bad' }),
    );
    expect(calls(from).filter((call) => call.includes('services'))).toEqual([
      'POST /services/create',
    ]);
    expect(await scene.quietPasses(3)).toEqual([]);
    const revision = await scene.push('the image exists now', {
      'stacks/bad/compose.yaml': small('${REGISTRY}/site:1'),
    });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
  });

  it('says so when a healthy stack degrades, and when it recovers by itself', async () => {
    const from = scene.proxy.seen.length;
    const container = ['ps', '-q', '--filter', 'label=com.docker.swarm.service.name=blog_worker'];
    const id = (await scene.stage.docker(container, never, 'w1')).trim();
    await scene.stage.docker(['kill', id], never, 'w1');
    await scene.log.until('unit degraded', ({ id: unit }) => unit === 'stack/blog');
    await scene.log.until('unit recovered', ({ id: unit }) => unit === 'stack/blog');
    expect(scene.allWrites(from)).toEqual([]);
  });

  it('runs a job again for a commit, and never for what somebody changed by hand', async () => {
    const job = (n: string): string =>
      `services: {once: {image: '\${REGISTRY}/site:1', command: [sh, -c, 'echo ran'], deploy: {mode: replicated-job, labels: {n: "${n}"}, restart_policy: {condition: none}}}}\n`;
    const ofJob = (line: LogLine): boolean => line['id'] === 'stack/job';
    await scene.push('a job', {
      'stacks/job/compose.yaml': job('1'),
      'stacks/job/stack.yaml': 'kind: Stack\nhealth: {stableFor: 2s, timeout: 60s}\n',
    });
    await scene.log.until('unit healthy', ofJob);
    await scene.push('its label', { 'stacks/job/compose.yaml': job('2') });
    await scene.log.until('unit healthy', ofJob);
    expect(await scene.tasks('job_once')).toHaveLength(2);
    const from = scene.proxy.seen.length;
    await scene.docker('service', 'update', '--detach', '--label-add', 'by=hand', 'job_once');
    const noted = await scene.log.until('unit notes', ofJob);
    expect(noted['notes']).toEqual([expect.stringContaining('left as it is')]);
    expect(scene.writes(from)).toEqual([]);
  });

  it('holds a stack whose external network is not there, until somebody makes it', async () => {
    const revision = await scene.push('needs a network', {
      'stacks/late/compose.yaml':
        "services: {web: {image: '${REGISTRY}/site:1', networks: [proxy]}}\nnetworks: {proxy: {external: true}}\n",
      'stacks/late/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s}\n',
    });
    const held = await scene.log.until('unit held');
    expect(held).toMatchObject({ id: 'stack/late', why: expect.stringContaining('network proxy') });
    await scene.docker('network', 'create', '--driver', 'overlay', 'proxy');
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
  });

  it('moves a port of the Swarm from one service to another in one commit', async () => {
    const ports = (owner: string): string =>
      ['a', 'b']
        .map(
          (name) =>
            `  ${name}: {image: '\${REGISTRY}/site:1', deploy: {replicas: 0}${name === owner ? ", ports: ['9100:8080']" : ''}}`,
        )
        .join('\n');
    const files = (owner: string) => ({
      'stacks/ports/compose.yaml': `services:\n${ports(owner)}\n`,
      'stacks/ports/stack.yaml': 'kind: Stack\nhealth: {stableFor: 1s}\n',
    });
    const first = await scene.push('b has the port', files('b'));
    await scene.log.until('revision healthy', (line) => line['revision'] === first);
    // a comes first and is refused while b still has the port; b goes on and frees it.
    const second = await scene.push('a has the port', files('a'));
    await scene.log.until('revision healthy', (line) => line['revision'] === second);
    expect(
      scene.log.read.some(
        ({ msg, why }) => msg === 'change failed' && String(why).includes('9100'),
      ),
    ).toBe(true);
  });

  it('makes one service when the answer to its creation was lost', async () => {
    const repair = scene.proxy.break({
      match: ({ path }) => path.endsWith('/services/create'),
      nth: 1,
      fault: { do: 'drop-reply' },
    });
    const from = scene.proxy.seen.length;
    const revision = await scene.push('an answer gets lost', {
      'stacks/lost/compose.yaml': "services: {web: {image: '${REGISTRY}/site:1'}}\n",
      'stacks/lost/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s}\n',
    });
    expect(await scene.log.until('change failed')).toMatchObject({ status: 'unknown' });
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    repair();
    expect(calls(from).filter((call) => call.includes('services'))).toEqual([
      'POST /services/create',
    ]);
  });

  it('takes over where an agent was killed between two calls', async () => {
    const from = scene.proxy.seen.length;
    scene.proxy.break({
      match: ({ path }) => path.endsWith('/services/create'),
      nth: 1,
      fault: { do: 'delay-request' },
    });
    const held = scene.proxy.reached(1);
    const revision = await scene.push('the agent dies', {
      'stacks/death/compose.yaml':
        "services: {web: {image: '${REGISTRY}/site:1', configs: [page]}}\nconfigs: {page: {file: page.html}}\n",
      'stacks/death/page.html': 'x',
      'stacks/death/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s}\n',
    });
    await held;
    process.kill(scene.agent.pid, 'SIGKILL');
    await scene.log.close();
    scene.proxy.hangUp();
    scene.proxy.release();
    await scene.startAgent();
    await scene.log.until('revision healthy', (line) => line['revision'] === revision);
    expect(calls(from).filter((call) => call.includes('configs'))).toHaveLength(1);
    expect(
      (await scene.docker('service', 'ls', '--format', '{{.Name}}'))
        .split('\n')
        .filter((name) => name === 'death_web'),
    ).toHaveLength(1);
  });
});

it('printed no secret anywhere: not in the log, not in an address', async () => {
  const text = await readFile(scene.agent.log, 'utf8');
  const addresses = scene.proxy.seen.map(({ url }) => url).join('\n');
  for (const canary of ['canary-5c1f0e7a', 'canary-9b8d2c11']) {
    for (const form of [canary, Buffer.from(`${canary}\n`).toString('base64')]) {
      expect(text).not.toContain(form);
      expect(addresses).not.toContain(form);
    }
  }
});

it('deploys repo-template as it is', async () => {
  const template = join(projectFolder, 'repo-template');
  const own = await scene.stage.workingCopy(join(scene.folder, 'template'), template, never);
  const environment = join(own.folder, 'environments/rehearsal.yaml');
  // The template names the usual stage's registry; this stage has another address.
  const text = await readFile(environment, 'utf8');
  await writeFile(environment, text.replaceAll('10.213.77.2:5000', scene.stage.registry));
  await own.git(['add', '--all'], never);
  await own.git(['commit', '--quiet', '--message', 'the template'], never);
  await own.git(['push', '--quiet', '--force', 'origin', 'HEAD:main'], never);
  const revision = await own.git(['rev-parse', 'HEAD'], never);
  await scene.log.until('revision healthy', (line) => line['revision'] === revision);
});

/** The command line, as on a manager: not the one whose writes are counted. */
async function understudy(...args: readonly string[]): Promise<string> {
  return scene.understudy(args, 'm2');
}

/** The page as each node that runs a copy serves it. */
async function pageOnNodes(): Promise<string> {
  const nodes = await scene.docker(
    'service',
    'ps',
    'blog_web',
    '--filter',
    'desired-state=running',
    '--format',
    '{{.Node}}',
  );
  const pages = nodes
    .trim()
    .split('\n')
    .map(async (name) => {
      const address = scene.stage.hosts.find((host) => host.name === name)?.address ?? '';
      const answer = await fetch(`http://${address}:8081/`, {
        signal: AbortSignal.timeout(30_000),
      });
      return answer.text();
    });
  return (await Promise.all(pages)).join('');
}
