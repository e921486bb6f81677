import { describe, expect, it } from 'vitest';

import { directSwarm } from '../fakes/swarm-modem.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { behave, follow, revision, stackOf } from './crash-scenarios.ts';

/** What is asked before the first call, with everything else of the agent around it. */
const one = stackOf('blog', { image: 'site:1' });
const gone = stackOf('blog', { image: 'site:gone', extra: 'extra:1' });
const secret = stackOf('blog', { image: 'r.example.org/private:1' });

function world(): WholeAgent {
  const made = new WholeAgent();
  behave(made);
  made.engine.images.set('r.example.org/private:1', { pull: 'denied' });
  return made;
}
const services = ({ engine }: WholeAgent) =>
  [...engine.services.values()].map(({ spec, version }) => [spec.Name, version]);
const registryQuestions = ({ engine }: WholeAgent): readonly string[] =>
  engine.asked.filter((path) => path.startsWith('/distribution/'));
const quarantine = (of: WholeAgent) => of.record().units.get('stack/blog')?.quarantine[0];

describe('an image that is not to be had', () => {
  it.each([
    ['is missing', gone, 'image-missing', 'the registry does not have site:gone'],
    [
      'is denied',
      secret,
      'image-denied',
      'the registry wants another login for r.example.org/private:1',
    ],
  ])('and %s fails before any service is touched', async (_, bad, code, why) => {
    const agent = world();
    await follow(agent, revision('r1', one));
    const before = services(agent);
    const secrets = agent.engine.secrets.size;
    await follow(agent, revision('r2', bad));
    expect(services(agent)).toEqual(before);
    expect(quarantine(agent)).toMatchObject({ code, why });
    expect(agent.engine.secrets.size).toBe(secrets);
  });

  it('leaves nothing behind on a first deploy', async () => {
    const agent = world();
    await follow(agent, revision('r1', gone));
    expect(services(agent)).toEqual([]);
    expect(agent.engine.secrets.size).toBe(0);
    expect(quarantine(agent)).toMatchObject({ code: 'image-missing' });
  });

  it('is asked for once, and nobody at rest', async () => {
    const agent = world();
    await follow(agent, revision('r1', one));
    expect(registryQuestions(agent)).toHaveLength(1);
    await agent.clock.advance(3_600_000);
    expect(registryQuestions(agent)).toHaveLength(1);
    await follow(agent, revision('r2', gone));
    await agent.clock.advance(3_600_000);
    expect(registryQuestions(agent).filter((path) => path.includes('gone'))).toHaveLength(1);
  });
});

describe('a stack that takes the place of another one', () => {
  const port = 8080;
  const old = stackOf('blog', { image: 'site:1', port });

  it.each([
    ['stops', 'weblog'],
    ['removes', 'BLOG'],
  ])('and whose image is missing never %s that one', async (_does, name) => {
    const agent = world();
    await follow(agent, revision('r1', old));
    const before = services(agent);
    await follow(agent, revision('r2', stackOf(name, { image: 'site:gone', port, from: 'blog' })));
    expect(services(agent)).toEqual(before);
    const { units } = agent.record();
    expect(units.get(`stack/${name}`)?.quarantine).toMatchObject([{ code: 'image-missing' }]);
    expect(units.get('stack/blog')).toMatchObject({ phase: 'none' });
    expect(units.get('stack/blog')?.movedTo).toBeUndefined();
  });

  it('asks for its image once, from before that one is stopped until it begins', async () => {
    const agent = world();
    await follow(agent, revision('r1', old));
    const asked = registryQuestions(agent).length;
    await follow(agent, revision('r2', stackOf('weblog', { image: 'site:2', port, from: 'blog' })));
    expect(registryQuestions(agent)).toHaveLength(asked + 1);
    expect(services(agent).map(([name]) => name)).toEqual(['weblog_web']);
  });
});

describe('an image that the registry does not vouch for', () => {
  it('is deployed where this engine has it', async () => {
    const agent = world();
    agent.engine.ownImages.add('site:gone');
    for (const node of agent.engine.nodes.values()) node.pulled.add('site:gone');
    await follow(agent, revision('r1', stackOf('blog', { image: 'site:gone' })));
    expect(quarantine(agent)).toBeUndefined();
    expect(services(agent)).toHaveLength(1);
  });

  it('is deployed while the registry is away: the nodes may have it', async () => {
    const agent = world();
    agent.engine.registryUp = false;
    for (const node of agent.engine.nodes.values()) node.pulled.add('site:1');
    await follow(agent, revision('r1', one));
    expect(quarantine(agent)).toBeUndefined();
    expect(services(agent)).toHaveLength(1);
  });
});

it('asks an engine for its own images in the words of its API', async () => {
  const { engine } = world();
  engine.ownImages.add('a.b:5000/c/d:1');
  const swarm = directSwarm(engine);
  const { signal } = new AbortController();
  expect(await swarm.hasImage('a.b:5000/c/d:1', signal)).toEqual({ status: 'ok', value: true });
  expect(await swarm.hasImage('a.b:5000/c/d:2', signal)).toEqual({ status: 'ok', value: false });
  expect(await swarm.hasImage('../x', signal)).toEqual({ status: 'ok', value: false });
});
