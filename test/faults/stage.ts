import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSwarm, type SwarmSettings } from '../../agent/providers/stack/client.ts';
import type { Swarm } from '../../agent/providers/stack/swarm.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { type FakeSwarm, startFakeSwarm } from '../fakes/swarm.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

/** A client under virtual time, a proxy that breaks things, a fake engine behind it. */
export interface FaultStage extends AsyncDisposable {
  readonly swarm: Swarm & { close(): void };
  readonly clock: VirtualClock;
  readonly proxy: FaultProxy;
  readonly fake: FakeSwarm;
}

/** Sets all three up in a folder of their own; `await using` takes them away. */
export async function faultStage(settings: Partial<SwarmSettings> = {}): Promise<FaultStage> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  const fake = await startFakeSwarm(join(folder, 'engine.sock'));
  const proxy = await startProxy(fake.socket, join(folder, 'proxy.sock'));
  const clock = new VirtualClock();
  const swarm = openSwarm({ socket: proxy.socket, ...settings }, clock);
  return {
    swarm,
    clock,
    proxy,
    fake,
    async [Symbol.asyncDispose]() {
      swarm.close();
      await proxy.close();
      await fake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
