import type { Answer, Question } from '../../core/kind.ts';
import { noSuchHost } from './distribution.ts';
import type { Swarm } from './swarm.ts';

type ImageQuestion = Extract<Question, { readonly ask: 'image' }>;
type ImageAnswer = Pick<Answer, 'status' | 'detail' | 'cause'>;

/**
 * What the engine says about an image, as an answer. Before anything is called more than the registry counts: an image that
 * this engine has itself, or a login that only a service has, may be enough.
 */
export async function imageAnswer(
  swarm: Pick<Swarm, 'image' | 'hasImage'>,
  { image, first }: ImageQuestion,
  signal: AbortSignal,
): Promise<ImageAnswer> {
  const asked = await swarm.image(image, signal);
  if (asked.status !== 'ok') return { status: 'open', detail: asked.why };
  const { found, why, login } = asked.value;
  if (found === 'there') return { status: 'good', detail: why };
  if (found === 'open') return { status: 'open', detail: why };
  const bad = { status: 'bad', detail: why, cause: found } as const;
  if (first === undefined) return bad;
  if (found === 'denied' && first.kept && login !== true) return { ...bad, status: 'open' };
  // No registry said anything: where there is no way out, every node may have been given the image by hand.
  if (noSuchHost(why)) return { ...bad, status: 'open' };
  const here = await swarm.hasImage(image, signal);
  return here.status === 'ok' && !here.value ? bad : { ...bad, status: 'open' };
}
