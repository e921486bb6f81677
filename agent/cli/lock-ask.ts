import type { Diagnostic } from '../core/diagnostic.ts';
import type { ImageUse } from '../core/images-lock.ts';
import type { Registries } from '../registry/registries.ts';

/** What registries said. */
export interface Resolved {
  readonly digests: ReadonlyMap<string, string>;
  /** One an image that got none, at its place. */
  readonly failed: readonly (Diagnostic & { readonly image: string })[];
}

const AT_ONCE = 16;

/** Asks for the digests of these images, some at once. One that gets none keeps nobody else from theirs. */
export async function resolveAll(
  uses: readonly ImageUse[],
  registries: Registries,
  signal: AbortSignal,
): Promise<Resolved> {
  const digests = new Map<string, string>();
  const failed: (Diagnostic & { readonly image: string })[] = [];
  const queue = uses.values(); // shared: each worker takes the next image from it
  async function worker(): Promise<void> {
    for (const { image, place } of queue) {
      const answer = await registries.digestOf(image, signal);
      if (answer.status === 'found') digests.set(image, answer.digest);
      else {
        const { code, message, hint } = answer;
        failed.push({ severity: 'error', code, message, place, hint, image });
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, uses.length) }, worker));
  return { digests, failed };
}
