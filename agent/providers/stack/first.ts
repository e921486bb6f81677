import type { First, FirstInput } from '../../core/first.ts';
import type { Answer, Asked, Failure, Rendered } from '../../core/kind.ts';
import type { ServiceSpec } from './engine-api.ts';
import type { StackObserved } from './observed.ts';
import { registryOf } from './registry-logins.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

/** Longer than anybody waits for the answer: one is enough. */
const EVERY_MS = 600_000;

/**
 * Pure. Whether the images that a change brings are to be had. An update with one that is not stops the copies that run
 * before anybody notices, so the registry is asked once for those that no service of the stack runs yet. What is certain is
 * a failure; a registry that does not answer says nothing, since every node may have the image.
 */
export function stackFirst(
  { spec }: Rendered<StackSpec>,
  observed: StackObserved,
  { operations, answers }: FirstInput<StackCall>,
): First {
  const there = (observed.serviceNames.get(spec.name) ?? []).flatMap(
    (name) => observed.services.get(name.toLowerCase())?.spec ?? [],
  );
  const running = new Set(there.filter(runs).map(imageOf));
  const registries = new Set(there.map((one) => registryOf(imageOf(one))));
  const sent = operations?.flatMap(({ call }) =>
    call.op === 'service-create' || call.op === 'service-update' ? [call.body] : [],
  );
  const bring = (sent ?? Object.values(spec.services)).filter(runs).map(imageOf);
  const fresh = [...new Set(bring)].filter(
    (image) => !running.has(image) && registryOf(image) !== undefined,
  );
  const looks = fresh.map((image) => {
    const kept = registries.has(registryOf(image));
    const asked = questionOf(image, kept);
    return { image, asked, answer: answers.get(asked.name) };
  });
  for (const { image, answer } of looks) {
    if (answer?.status === 'bad') return { status: 'failing', failure: failureOf(image, answer) };
  }
  const asks = looks.map(({ asked }) => asked);
  const open = looks.filter(({ answer }) => answer === undefined);
  if (open.length === 0) return { status: 'clear', ...(asks.length > 0 && { asks }) };
  const why = `the registry is asked for ${open.map(({ image }) => image).join(', ')}`;
  return { status: 'asking', why, asks };
}

function questionOf(image: string, kept: boolean): Asked {
  const question = { ask: 'image', image, everyMs: EVERY_MS, first: { kept } } as const;
  return { name: `image ${image} before${kept ? ', kept' : ''}`, question };
}

function failureOf(image: string, { cause, detail }: Answer): Failure {
  const evidence = `${detail}; nothing was called`;
  if (cause !== 'denied') {
    return { code: 'image-missing', why: `the registry does not have ${image}`, evidence };
  }
  const why = `the registry wants another login for ${image}`;
  return { code: 'image-denied', why, evidence: `${evidence}; \`registries\` of the agent's settings has the logins` }; // prettier-ignore
}

function imageOf({ TaskTemplate: { ContainerSpec } }: ServiceSpec): string {
  return ContainerSpec.Image;
}

/** Nobody pulls an image for a service of no copies. */
function runs({ Mode }: ServiceSpec): boolean {
  return Mode?.Replicated?.Replicas !== 0;
}
