import { describe, expect, it } from 'vitest';

import type { Answer } from '../../../agent/core/kind.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceMode } from '../../../agent/providers/stack/engine-api.ts';
import { stackFirst } from '../../../agent/providers/stack/first.ts';
import { imageAnswer } from '../../../agent/providers/stack/image-answer.ts';
import type { Swarm } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, observed, service, unit } from '../../fakes/stack.ts';

const web = (image: string, mode: ServiceMode = { Replicated: { Replicas: 2 } }) => {
  const { TaskTemplate: template, ...rest } = service('web', { Mode: mode });
  const ContainerSpec = { ...template.ContainerSpec, Image: image };
  return { ...rest, TaskTemplate: { ...template, ContainerSpec } };
};
const labelled = { ...web('site:1'), Labels: { ...service('web').Labels, a: 'b' } };
type Web = ReturnType<typeof web>;

function first(
  before: Web | undefined,
  after: Web,
  answers: Readonly<Record<string, Answer>> = {},
) {
  const services = before === undefined ? [] : [live(before)];
  const now = observed({ networks: [blogNetwork], services });
  const wanted = unit({ services: { web: after } });
  const { operations } = diffStack(wanted, now);
  return stackFirst(wanted, now, { operations, answers: new Map(Object.entries(answers)) });
}
const answer = (status: Answer['status'], cause?: 'missing' | 'denied'): Answer => ({
  status,
  detail: 'says it',
  inARow: 1,
  wasGood: status === 'good',
  ...(cause !== undefined && { cause }),
});
const question = (image: string, kept: boolean) => ({
  name: `image ${image} before${kept ? ', kept' : ''}`,
  question: { ask: 'image', image, everyMs: 600_000, first: { kept } },
});

describe('before the first call', () => {
  it.each([
    ['a first deploy', undefined, web('site:1'), question('site:1', false)],
    ['another image', web('site:1'), web('site:2'), question('site:2', true)],
    ['another registry', web('site:1'), web('ghcr.io/a/b:1'), question('ghcr.io/a/b:1', false)],
    ['a first digest', web('site:1'), web(`site:1@sha256:${'a'.repeat(64)}`), question(`site:1@sha256:${'a'.repeat(64)}`, true)], // prettier-ignore
    [
      'copies where there were none',
      web('site:1', { Replicated: { Replicas: 0 } }),
      web('site:1'),
      question('site:1', true),
    ],
    ['a global service', undefined, web('site:1', { Global: {} }), question('site:1', false)],
  ])('%s asks for its image', (_, before, after, asked) => {
    expect(first(before, after)).toEqual({
      status: 'asking',
      why: `the registry is asked for ${asked.question.image}`,
      asks: [asked],
    });
  });

  it.each([
    ['an image that runs', web('site:1'), labelled],
    ['no copies', undefined, web('site:1', { Replicated: { Replicas: 0 } })],
    ['an image by id', undefined, web('a'.repeat(64))],
    ['a tag that runs by a digest', web(`site:1@sha256:${'a'.repeat(64)}`), labelled], // prettier-ignore
  ])('%s asks nobody', (_, before, after) => {
    expect(first(before, after)).toEqual({ status: 'clear' });
  });

  it.each([
    ['good', undefined, { status: 'clear' }],
    ['open', undefined, { status: 'clear' }],
    ['bad', 'missing', { status: 'failing', failure: { code: 'image-missing', why: 'the registry does not have site:1', evidence: 'says it; nothing was called' } }], // prettier-ignore
    ['bad', 'denied', { status: 'failing', failure: { code: 'image-denied', why: 'the registry wants another login for site:1' } }], // prettier-ignore
  ] as const)('the answer %s, %s', (status, cause, found) => {
    const answers = { 'image site:1 before': answer(status, cause) };
    expect(first(undefined, web('site:1'), answers)).toMatchObject(found);
  });

  it('all that a stack has is asked for where nothing is due yet, for what is in its way', () => {
    const wanted = unit({ services: { web: web('site:1') } });
    expect(stackFirst(wanted, observed(), { answers: new Map() })).toMatchObject({
      status: 'asking',
      asks: [question('site:1', false)],
    });
  });

  it('tells what it asked also once it is answered: asked no more the answer is forgotten', () => {
    const answers = { 'image site:1 before': answer('good') };
    const asks = [question('site:1', false)];
    expect(first(undefined, web('site:1'), answers)).toEqual({ status: 'clear', asks });
  });
});

describe('the answer of an engine', () => {
  type Said = { why?: string; found: 'there' | 'missing' | 'denied' | 'open'; login?: true };
  const { signal } = new AbortController();
  const of = async (said: Said, own: boolean | undefined, kept: boolean | undefined) => {
    const swarm: Pick<Swarm, 'image' | 'hasImage'> = {
      image: async () => ({ status: 'ok', value: { why: 'why', ...said } }),
      hasImage: async () =>
        own === undefined ? { status: 'unknown', why: 'gone' } : { status: 'ok', value: own },
    };
    const first = kept === undefined ? {} : { first: { kept } };
    const question = { ask: 'image', image: 'site:1', everyMs: 1, ...first } as const;
    return (await imageAnswer(swarm, question, signal)).status;
  };

  it.each<[string, Said, boolean | undefined, boolean | undefined, string]>([
    ['an image that is there', { found: 'there' }, false, false, 'good'],
    ['a registry that is away', { found: 'open' }, false, false, 'open'],
    ['one that is missing', { found: 'missing' }, false, false, 'bad'],
    ['one that is missing, also where a service runs', { found: 'missing' }, false, true, 'bad'],
    ['one of a host that nobody knows', { found: 'missing', why: 'dial tcp: lookup r.example.org: no such host' }, false, false, 'open'], // prettier-ignore
    ['one that this engine has', { found: 'missing' }, true, false, 'open'],
    ['one that this engine may have', { found: 'missing' }, undefined, false, 'open'],
    ['one that nobody logged in for', { found: 'denied' }, false, false, 'bad'],
    ['one for which a service may have a login', { found: 'denied' }, false, true, 'open'],
    ['one that our login may not read', { found: 'denied', login: true }, false, true, 'bad'],
    ['one that this engine has, after the calls', { found: 'missing' }, true, undefined, 'bad'],
  ])('%s', async (_, said, own, kept, status) => {
    expect(await of(said, own, kept)).toBe(status);
  });
});
