import type { ImagePolicy } from '../../schemas/environment.ts';

/** `policy.images`, decided. */
export interface ImageRules {
  /**
   * What an image is that neither its file nor the lock pins to a digest: `required`, an error; `warn`, a warning; `off`,
   * nothing, and then the lock pins nothing either.
   */
  readonly lock: 'off' | 'warn' | 'required';
  /** Patterns: the registry of every image must fit one. */
  readonly registries: readonly string[];
}

/** Where nobody asks anything of images. */
export const anyImage: ImageRules = { lock: 'off', registries: ['*'] };

/** Whether there is an images.lock.yaml, and whether it can be read. */
export type LockFile = 'none' | 'read' | 'broken';

/**
 * Pure. Later layers win, key by key. A repository without a lock whose policy says nothing of it hears nothing of it; what
 * a lock that cannot be read would pin is not known, so nothing is said of single images either.
 */
export function imageRulesOf(
  layers: readonly (ImagePolicy | undefined)[],
  file: LockFile,
): ImageRules {
  const lock = layers.findLast((layer) => layer?.lock !== undefined)?.lock;
  const registries = layers.findLast((layer) => layer?.registries !== undefined)?.registries;
  const usual = file === 'none' ? 'off' : 'warn';
  return {
    lock: file === 'broken' ? 'off' : (lock ?? usual),
    registries: registries ?? anyImage.registries,
  };
}
