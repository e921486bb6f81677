import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openPatientRenderer, usualLimits } from '../../agent/cli/rendered.ts';
import { systemClock } from '../../agent/clock.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import type { StackObserved } from '../../agent/providers/stack/observed.ts';
import { stackKind, stackProvider } from '../../agent/providers/stack/provider.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import { AtRest } from '../../agent/reconcile/at-rest.ts';
import { type Memory, nothingKnown, pass } from '../../agent/reconcile/pass.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import { headFormat } from '../../agent/record/head.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { run } from '../../agent/rehearsal/run.ts';
import type { UnitSpec } from '../../agent/render/unit-spec.ts';
import { readFolder } from '../../agent/source/folder.ts';
import { aloneOn, reignFrom } from '../fakes/lease.ts';
import type { LogLine } from './agent-log.ts';
import { Scene } from './scene.ts';

/** A stack whose config and secret change again and again, on a real engine: one story, told in order. */
const never = new AbortController().signal;
let scene: Scene;
/** By version: its commit, the spec of its service, and all configs and secrets with what they hold. */
const versions: { readonly commit: string; readonly spec: unknown; readonly files: Files }[] = [];

/** By name: the id, and of a config its content. */
type Files = Readonly<Record<string, { readonly id: string; readonly data: string }>>;

const contents = (text: string): Record<string, string> => ({
  'stacks/blog/page.txt': `the page ${text}\n`,
  'stacks/blog/key.txt': `the key ${text}\n`,
});

beforeAll(async () => {
  scene = await Scene.raise({ name: 'usk', subnet: '10.213.94.0/24', managers: 1, workers: 0 });
  await scene.push('one', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {stableFor: 2s, timeout: 60s}\n',
    'stacks/blog/compose.yaml': `
services:
  web:
    image: '\${REGISTRY}/site:1'
    configs: [page]
    secrets: [key]
    stop_grace_period: 1s
    deploy:
      endpoint_mode: dnsrr
      restart_policy: {condition: any, delay: 1s}
      update_config: {order: stop-first, monitor: 1s}
configs: {page: {file: page.txt}}
secrets: {key: {file: key.txt}}
`,
    ...contents('one'),
  });
  await scene.startAgent();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
});

const revision =
  (commit: string) =>
  (line: LogLine): boolean =>
    line['revision'] === commit;

async function files(): Promise<Files> {
  const lines = async (noun: string): Promise<readonly string[]> =>
    (await scene.docker(noun, 'ls', '--format', '{{.Name}}'))
      .split('\n')
      .filter((name) => name.startsWith('blog_'));
  const of = async (noun: string, format: string) =>
    Promise.all(
      (await lines(noun)).map(async (name): Promise<[string, { id: string; data: string }]> => {
        const said = await scene.docker(noun, 'inspect', name, '--format', format);
        const [id = '', data = ''] = said.trim().split(' ');
        return [name, { id, data }];
      }),
    );
  return Object.fromEntries([
    ...(await of('config', '{{.ID}} {{json .Spec.Data}}')),
    ...(await of('secret', '{{.ID}}')),
  ]);
}

async function note(commit: string): Promise<void> {
  versions.push({ commit, spec: await scene.spec('blog_web'), files: await files() });
}

const updates = (from: number) =>
  scene.writes(from).filter(({ path }) => /\/services\/[a-z0-9]+\/update$/.test(path));
const lastAt = (): number => scene.proxy.seen.at(-1)?.at ?? 0;

describe('a config and a secret', () => {
  it('have their plain names at first', async () => {
    const healthy = await scene.log.until('revision healthy');
    await note(String(healthy['revision']));
    expect(Object.keys(versions[0]?.files ?? {}).toSorted()).toEqual(['blog_key', 'blog_page']);
  });

  it.each(['two', 'three'])(
    'that change together, to %s, are one update of the service',
    async (text) => {
      const from = lastAt();
      const commit = await scene.push(text, contents(text));
      await scene.log.until('revision healthy', revision(commit));
      expect(updates(from)).toHaveLength(1);
      await note(commit);
      expect(JSON.stringify(versions.at(-1)?.spec)).toMatch(
        /"SecretName":"blog_key-[0-9a-f]{8}".*"ConfigName":"blog_page-[0-9a-f]{8}"/,
      );
      expect(await scene.quietPasses(2)).toEqual([]);
    },
  );

  it('come back as they were two rotations ago', async () => {
    const [first] = versions;
    const from = lastAt();
    const [manager] = scene.stage.hosts;
    const program = [process.execPath, `${projectFolder}/agent/bin.mjs`];
    const words = ['rollback', 'blog', '--to', first?.commit ?? '', '--socket'];
    await run([...program, ...words, manager?.socket ?? ''], {}, never);
    await scene.log.until('unit rolled back', revision(first?.commit ?? ''));
    expect(updates(from)).toHaveLength(1);
    expect(await scene.spec('blog_web')).toEqual(first?.spec);
    expect(await files()).toEqual(versions.at(-1)?.files);
    expect(Object.entries(await files())).toEqual(
      expect.arrayContaining(Object.entries(first?.files ?? {})),
    );
  });
});

/** A clock that a test may put forward: nobody waits ten minutes here. */
function hurriedClock() {
  let aheadMs = 0;
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    hurry: (ms: number) => void (aheadMs += ms),
  };
}

/** An agent in this process, with a lease of nobody: the one of the stage was stopped. */
function agentHere(commit: string) {
  const clock = hurriedClock();
  const [manager] = scene.stage.hosts;
  const swarm = openSwarm({ socket: manager?.socket ?? '' }, clock);
  const renderer = openPatientRenderer('rehearsal', clock);
  const head = headFormat((bytes) => Buffer.alloc(bytes));
  const keeper = swarmHead(swarm, head);
  const owner = { environment: 'rehearsal', repository: scene.copy.folder };
  const events: AgentEvent[] = [];
  const provider = stackProvider(swarm, head);
  const ports = {
    kind: stackKind,
    provider,
    atRest: new AtRest<UnitSpec, StackObserved>(provider),
    recorder: openRecorder(swarmShelf(swarm, head.name, aloneOn(keeper)), { ...owner, clock }),
    lease: { expect: () => undefined, reign: () => reignFrom(0) },
    prober: { ask: () => undefined, answers: () => new Map(), close: () => undefined },
    clock,
    source: { descends: async () => true },
    reporter: { tell: (event: AgentEvent) => void events.push(event) },
    guard: { refusal: () => undefined },
    looks: new Looks({ wake: new Wake(clock), sourceWake: new Wake(clock) }),
    atOnce: 4,
  };
  let memory: Memory = nothingKnown;
  return {
    clock,
    events,
    async pass(): Promise<void> {
      const snapshot = await readFolder(scene.copy.folder, { limits: usualLimits, clock }, never);
      const { units, settings } = await renderer.render(snapshot, never);
      const desired = { revision: commit, units, settings, seenAtMs: 0, remembered: false };
      ({ memory } = await pass(ports, desired, memory, never));
    },
    async close(): Promise<void> {
      swarm.close();
      await renderer.close();
    },
  };
}

describe('contents that nothing needs any more', () => {
  it('go, and no others, and the service is not touched', async () => {
    let commit = '';
    for (const text of ['four', 'five', 'six']) {
      commit = await scene.push(text, contents(text));
      await scene.log.until('revision healthy', revision(commit));
      await note(commit);
    }
    const before = await files();
    expect(Object.keys(before)).toHaveLength(12);
    await scene.on().stop();
    const tasks = await scene.tasks('blog_web');
    const agent = agentHere(commit);
    try {
      await agent.pass();
      agent.clock.hurry(9 * 60_000);
      await agent.pass();
      expect(await files()).toEqual(before);
      agent.clock.hurry(2 * 60_000);
      await agent.pass();
      const told = agent.events.filter(({ event }) => event === 'contents collected');
      expect(told).toEqual([expect.objectContaining({ count: 6 })]);
      const needed = versions
        .slice(3)
        .flatMap(({ spec }) =>
          [...JSON.stringify(spec).matchAll(/"(?:Config|Secret)Name":"([^"]+)"/g)].map(
            ([, name = '']) => name,
          ),
        );
      expect(Object.keys(await files()).toSorted()).toEqual(needed.toSorted());
      expect(await scene.tasks('blog_web')).toEqual(tasks);
      expect(await scene.spec('blog_web')).toEqual(versions.at(-1)?.spec);
      const calls = agent.events.length;
      await agent.pass();
      agent.clock.hurry(20 * 60_000);
      await agent.pass();
      expect(agent.events.slice(calls)).toEqual([]);
    } finally {
      await agent.close();
    }
  });
});
