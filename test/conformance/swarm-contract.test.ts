import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { swarmContract } from '../contract/swarm.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

swarmContract('the fake engine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  const fake = await startFakeSwarm(join(folder, 'docker.sock'));
  for (const node of fake.engine.nodes.values()) node.availability = 'drain';
  // As on a real engine, where what follows a write happens by itself.
  fake.engine.settleAfterWrites = true;
  const swarm = openSwarm({ socket: fake.socket }, systemClock);
  return {
    swarm,
    socket: fake.socket,
    async close() {
      swarm.close();
      await fake.close();
      await rm(folder, { recursive: true });
    },
  };
});
