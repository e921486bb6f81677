import type { Answer, Asked, Health, Seen } from '../../core/kind.ts';
import type { ServiceFailure } from './failure.ts';

const EVERY_MS = 10_000;

/**
 * So many good answers before it is the node's fault: what was refused while the registry was away is still in the history
 * when it is back, and the engine takes some seconds to try again.
 */
const GOOD_MIN = 3;

/**
 * Pure. The health of a stack whose nodes cannot get an image. The engine says the same for an image that does not exist
 * and for a registry that is out of order, so the registry is asked before anybody is blamed.
 */
export function imageHealth(
  failures: readonly ServiceFailure[],
  summary: string,
  progress: number,
  seen: Seen,
): Health {
  const asks = [...new Set(failures.map(({ image }) => image))].map(questionOf);
  const looks = failures.map((failure) => ({
    ...failure,
    answer: answerFor(failure.image, seen),
  }));
  for (const { answer, image, trying, why, evidence } of looks) {
    const failing = { status: 'failing', code: 'image-missing', why, summary, asks } as const;
    if (answer?.status === 'bad') {
      const code = answer.cause === 'denied' ? 'image-denied' : failing.code;
      return {
        ...failing,
        code,
        evidence: `${evidence}; the registry of ${image}: ${answer.detail}`,
      };
    }
    if (answer?.status === 'good' && answer.inARow >= GOOD_MIN && !trying) {
      const but = 'the registry has the image, but the node could not pull it';
      return { ...failing, evidence: `${evidence}; ${but}` };
    }
  }
  const open = looks.find(({ answer }) => answer?.status === 'open');
  if (open?.answer !== undefined) {
    return { status: 'outside', why: outOfOrder(open.image, open.answer), summary, asks };
  }
  const waits = looks.map(({ answer, image }) =>
    answer === undefined
      ? `the registry is asked for ${image}`
      : `the registry has ${image}, the nodes try again`,
  );
  const said = [summary, ...new Set(waits)].join('; ');
  const late = {
    evidence: [said, ...failures.map(({ evidence }) => evidence)].join('; '),
    asks: [],
  };
  return { status: 'progressing', progress, summary: said, asks, late };
}

/**
 * Pure. What the registry is asked where nodes lack an image and nothing is certain yet. `why`: it is out of order, which is
 * nobody's failure.
 */
export function askedFor(
  images: readonly string[],
  seen: Seen,
): { readonly asks?: readonly Asked[]; readonly why?: string } {
  if (images.length === 0) return {};
  const asks = [...new Set(images)].map(questionOf);
  for (const image of images) {
    const answer = answerFor(image, seen);
    if (answer?.status === 'open') return { asks, why: outOfOrder(image, answer) };
  }
  return { asks };
}

function outOfOrder(image: string, { detail }: Answer): string {
  return `the registry of ${image} is out of order: ${detail}`;
}

/** Pure. What the registry said of an image, if it was asked and answered. */
export function answerFor(image: string, { answers }: Seen): Answer | undefined {
  return answers.get(questionOf(image).name);
}

function questionOf(image: string): Asked {
  return { name: `image ${image}`, question: { ask: 'image', image, everyMs: EVERY_MS } };
}
