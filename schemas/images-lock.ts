import { z } from 'zod';

const DIGEST = 'write a digest: `sha256:` and 64 lower-case hexadecimal digits';
const IMAGES = 'write a mapping of images to digests; `{}` for none';

/** images.lock.yaml: the digest that stands for each image and tag. */
export const ImagesLock = z.strictObject({
  version: z.literal(1, { error: 'write `version: 1`' }),
  images: z.record(
    z.string(),
    z.string({ error: DIGEST }).regex(/^sha256:[a-f0-9]{64}$/, { error: DIGEST }),
    { error: IMAGES },
  ),
});
export type ImagesLock = z.output<typeof ImagesLock>;
