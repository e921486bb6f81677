import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, vi } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { readLease } from '../../agent/lease/label.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { HEAD_NAME } from '../../agent/record/head.ts';
import { runAgent } from '../../agent/start.ts';
import { Settings } from '../../schemas/settings.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { type FakeSwarm, startFakeSwarm } from '../fakes/swarm.ts';
import { committed, good, poisons } from './poisons.ts';

/** A lease that is soon over where nobody renews it; the deadlines of calls allow no shorter one. */
const TERM = { ttl: '12s', renew: '1s', takeover: '14s' };
const NODES = ['m1', 'm2', 'm3'];
/** Longer than anything here takes on a busy machine. */
const PATIENCE = { timeout: 50_000, interval: 50 };

/** One repository that three agents follow, each with its own engine, renderer and lease, in real time. */
class Stage {
  readonly engine = new FakeEngine();
  readonly events = new Map<string, AgentEvent[]>(NODES.map((node) => [node, []]));
  readonly #stop = new AbortController();
  readonly #folder: string;
  readonly #swarms: FakeSwarm[] = [];
  readonly #ended: Promise<number>[] = [];
  readonly #look: (() => void)[] = [];
  #newest = committed(good('site:1'), [], 'first');

  constructor(folder: string) {
    this.#folder = folder;
  }

  async begin(): Promise<void> {
    for (const [at, node] of NODES.entries()) {
      const socket = join(this.#folder, `${node}.sock`);
      this.#swarms.push(await startFakeSwarm(socket, { engine: this.engine, as: node }));
      const settings = Settings.parse({
        environment: 'production',
        repository: { url: 'https://git.example.org/infra.git' },
        docker: { socket },
        lease: { working: TERM, idle: TERM },
      });
      const reporter = { tell: (event: AgentEvent) => void this.events.get(node)?.push(event) };
      const open = async (changed: () => void) => {
        this.#look.push(changed);
        return Promise.resolve(this.#source());
      };
      const of = { clock: systemClock, reporter, local: false, pid: process.pid + at, open };
      this.#ended.push(runAgent(settings, of, this.#stop.signal));
    }
  }

  push(snapshot: Snapshot): void {
    this.#newest = snapshot;
    for (const look of this.#look) look();
  }

  lease() {
    const head = [...this.engine.configs.values()].find(({ name }) => name === HEAD_NAME);
    const read = readLease(head?.labels ?? {});
    if (read.status !== 'there') throw new Error('nobody leads');
    return read.lease;
  }

  async end(): Promise<readonly number[]> {
    this.#stop.abort();
    const codes = await Promise.all(this.#ended);
    for (const swarm of this.#swarms) await swarm.close();
    return codes;
  }

  #source() {
    return {
      newest: async () => Promise.resolve(this.#newest),
      at: async () => Promise.resolve(undefined),
      descends: async () => Promise.resolve(true),
      close: async () => Promise.resolve(),
    };
  }
}

it('three agents stay up through every poisoned commit, and the one that leads goes on leading', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-poison-'));
  const stage = new Stage(folder);
  try {
    await stage.begin();
    await vi.waitFor(() => expect(stage.engine.services.size).toBe(2), PATIENCE);
    const [first, running] = [stage.lease(), [...stage.engine.services.keys()]];
    let { seq } = first;

    for (const [at, { files = {}, listed = [] }] of Object.values(poisons).entries()) {
      const revision = `poison${String(at)}`;
      stage.push(committed({ ...good('site:1'), ...files }, listed, revision));
      await vi.waitFor(() => {
        for (const [node, events] of stage.events) {
          const told = events.some(
            (one) => one.event === 'revision invalid' && one.revision === revision,
          );
          expect([node, revision, told]).toEqual([node, revision, true]);
        }
      }, PATIENCE);
      const now = stage.lease();
      expect([now.holder, now.term]).toEqual([first.holder, first.term]);
      expect(now.seq).toBeGreaterThanOrEqual(seq);
      ({ seq } = now);
    }
    // Renewals went on beside all of it.
    expect(seq).toBeGreaterThan(first.seq);
    expect([...stage.engine.services.keys()]).toEqual(running);

    const names = [...stage.events.values()].flat().map(({ event }) => event);
    expect(names.filter((event) => event === 'lease acquired')).toHaveLength(1);
    expect(names).not.toContain('lease lost');
    expect(names).not.toContain('agent stopped');

    stage.push(committed(good('site:2'), [], 'good'));
    await vi.waitFor(() => {
      const images = [...stage.engine.services.values()].map(
        ({ spec }) => spec.TaskTemplate.ContainerSpec.Image,
      );
      expect(images).toContain('site:2');
    }, PATIENCE);
  } finally {
    expect(await stage.end()).toEqual([0, 0, 0]);
    await rm(folder, { recursive: true });
  }
}, 240_000);
