import { describe, expect, it } from 'vitest';

import { systemClock } from '../agent/clock.ts';
import { defaultSettings } from '../agent/core/repository-settings.ts';
import { sightOn } from '../agent/planning.ts';
import { noServers } from '../agent/planning-servers.ts';
import { describePasswords, rendered } from './contract/passwords.ts';
import { PaperServer } from './fakes/paper-server.ts';
import { directSwarm } from './fakes/swarm-modem.ts';
import { UnitStory } from './fakes/unit-story.ts';

describe('passwords of accounts on a server that takes all', () => {
  const server = new PaperServer();
  const world = {
    servers: server,
    name: 'main',
    get away() {
      return server.away;
    },
    set away(is: boolean) {
      server.away = is;
    },
    opens: async (password: string, user: string) => Promise.resolve(server.opens(password, user)),
  };
  describePasswords(() => world);
});

it('a plan knows which secret a stack would mount, where it looked at the servers', async () => {
  const server = new PaperServer();
  const story = new UnitStory(server, ['main']);
  story.desired = rendered({ user: 'blog' });
  await story.rest();
  const [{ id } = { id: '' }] = [...story.engine.services.values()];
  const query = new URLSearchParams();
  story.engine.handle({ method: 'DELETE', path: `/services/${id}`, query, text: '' });
  const planned = async (names: readonly string[]) => {
    const look = async () => ({ ...noServers(), sights: await server.observe(names) });
    const sight = sightOn(directSwarm(story.engine), systemClock, look);
    const looked = await sight.look(AbortSignal.timeout(10_000));
    if (looked.status !== 'ok') throw new Error(looked.why);
    const settings = defaultSettings;
    const wish = { environment: 'production', units: story.desired, settings, revision: 'r' };
    const whole = { ...wish, rewound: false, notes: [] };
    const { units } = await looked.value.plan(whole, AbortSignal.timeout(10_000));
    const stack = units.find((one) => one.id === 'stack/blog');
    return stack?.operations.map(({ target }) => target);
  };
  expect(await planned(['main'])).toEqual(['service blog_web']);
  expect(await planned([])).toEqual([]);
});
