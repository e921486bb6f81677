import { suggest } from '../../../core/suggest.ts';
import type { Notes } from './notes.ts';
import { isMapping } from './variables.ts';

/** Keys that are refused, and would give an image elsewhere. */
const explains = ['extends'];

/** Notes services without an image, unless another mistake in them says why there is none. */
export function noteMissingImages(value: unknown, notes: Notes): void {
  const services = isMapping(value) ? value['services'] : undefined;
  if (!isMapping(services)) return;
  for (const [name, service] of Object.entries(services)) {
    if (!isMapping(service)) continue;
    const { image } = service;
    if (image !== undefined && image !== '') continue;
    if (notes.isBroken(['services', name, 'image'])) continue;
    const keys = Object.keys(service);
    if (
      image === undefined &&
      keys.some((key) => explains.includes(key) || suggest(key, ['image']) !== undefined)
    ) {
      continue;
    }
    notes.errorAtKey(
      'missing-image',
      ['services', name],
      `the service \`${name}\` has no image`,
      'write `image`',
    );
  }
}
