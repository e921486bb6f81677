import { createPrinter } from '../../agent/cli/printer.ts';
import { systemClock } from '../../agent/clock.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { lowerStage, raiseStage, type StageHost } from '../../agent/rehearsal/stage.ts';
import { swarmContract } from '../contract/swarm.ts';

// One manager, drained: nothing ever starts, so what is compared is what the engine stores and says.
const options = { name: 'usc', subnet: '10.213.81.0/24', managers: 1, workers: 0 };
const never = new AbortController().signal;
const said: string[] = [];
const say = (text: string) => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());

async function raiseDrained(): Promise<{ manager: StageHost; registry: string }> {
  const stage = await raiseStage(options, print, never);
  const [manager] = stage.hosts;
  if (manager === undefined) throw new Error('the stage has no manager');
  const node = (await stage.docker(['node', 'ls', '--quiet'], never)).trim();
  await stage.docker(['node', 'update', '--availability', 'drain', node], never);
  return { manager, registry: stage.registry };
}

swarmContract('a real engine', async () => {
  const { manager, registry } = await raiseDrained().catch(async (error: unknown) => {
    await lowerStage(options, print);
    throw new Error(`the stage does not stand:\n${said.join('\n')}`, { cause: error });
  });
  const swarm = openSwarm({ socket: manager.socket }, systemClock);
  return {
    swarm,
    socket: manager.socket,
    images: {
      there: `${registry}/site:1`,
      missingTag: `${registry}/site:9`,
      missingRepository: `${registry}/nowhere:1`,
      refused: '127.0.0.1:1/site:1',
    },
    engineLabels: { 'understudy.rehearsal': options.name },
    async close() {
      swarm.close();
      await lowerStage(options, print);
    },
  };
});
