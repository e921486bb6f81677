import { globFits } from '../../../core/glob.ts';
import type { ImageName } from '../../../core/image.ts';
import type { Path } from '../../../core/parse.ts';
import type { Context } from './context.ts';

/**
 * An image as it is sent: with the digest that the lock has for it, unless its file gives one. What the policy says
 * against the image at `path` goes to the notes.
 */
export function imageToSend(image: ImageName, path: Path, context: Context): string {
  noteRegistry(image, path, context);
  const { images, pin } = context;
  const { familiar } = image;
  if (image.pinned || images.lock === 'off') return familiar;
  const digest = pin(familiar, () => context.notes.placeAt(path));
  if (digest !== undefined) return `${familiar}@${digest}`;
  noteUnpinned(familiar, path, context);
  return familiar;
}

function noteUnpinned(image: string, path: Path, { images, notes }: Context): void {
  const message = `\`${image}\` has no digest, here or in images.lock.yaml: its tag may be moved`;
  const hint = `add \`"${image}": "sha256:…"\` to \`images\` of images.lock.yaml`;
  if (images.lock === 'required') notes.error('unpinned-image', path, message, hint);
  else notes.warn('unpinned-image', path, message, hint);
}

function noteRegistry(
  { familiar, registry }: ImageName,
  path: Path,
  { images: { registries }, notes }: Context,
): void {
  // Names of hosts are the same in either case.
  const host = registry?.toLowerCase() ?? '';
  if (registries.some((pattern) => globFits(pattern.toLowerCase(), host))) return;
  const message =
    registry === undefined
      ? `\`${familiar}\` is an image id, which says no registry, and the policy does not allow every one`
      : `the policy does not allow images from \`${registry}\``;
  const hint =
    registry === undefined
      ? 'write the name of the image'
      : `add \`${registry}\` to \`policy.images.registries\` of the environment, or take the image from elsewhere`;
  notes.error('not-allowed', path, message, hint);
}
