import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { swarmContract } from '../contract/swarm.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

const images = {
  there: '10.0.0.2:5000/site:1',
  missingTag: '10.0.0.2:5000/site:9',
  missingRepository: '10.0.0.2:5000/nowhere:1',
  refused: '127.0.0.1:1/site:1',
};

swarmContract('the fake engine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  const fake = await startFakeSwarm(join(folder, 'docker.sock'));
  const engineLabels = { rack: 'a' };
  for (const node of fake.engine.nodes.values()) {
    node.availability = 'drain';
    node.engineLabels = engineLabels;
  }
  fake.engine.badImages.add(images.missingTag).add(images.missingRepository);
  fake.engine.images.set(images.refused, { pull: 'open' });
  // As on a real engine, where what follows a write happens by itself.
  fake.engine.settleAfterWrites = true;
  const swarm = openSwarm({ socket: fake.socket }, systemClock);
  return {
    swarm,
    socket: fake.socket,
    images,
    engineLabels,
    async close() {
      swarm.close();
      await fake.close();
      await rm(folder, { recursive: true });
    },
  };
});
