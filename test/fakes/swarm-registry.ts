import { createHash } from 'node:crypto';
import { type FakeAnswer, ok, refused } from './swarm-answers.ts';
import type { Conduct } from './swarm-world.ts';

/** What an engine says of an image that it asks the registry about: `GET /distribution/{image}/json`. */
export function distribution(image: string, { pull }: Conduct, registryUp: boolean): FakeAnswer {
  const slash = image.indexOf('/');
  const host = slash === -1 ? 'registry-1.docker.io' : image.slice(0, slash);
  const repository = image.slice(slash + 1).replace(/[:@].*$/, '');
  if (repository !== repository.toLowerCase()) {
    return refused(400, 'invalid reference format: repository name must be lowercase');
  }
  if (!registryUp || pull === 'open') {
    const why = `dial tcp ${host}: connect: connection refused`;
    return refused(500, `Get "https://${host}/v2/": ${why}`);
  }
  if (pull === 'missing') return refused(404, 'manifest unknown: manifest unknown');
  if (pull === 'denied') return refused(401, 'unauthorized');
  return ok({
    Descriptor: {
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      digest: `sha256:${createHash('sha256').update(image).digest('hex')}`,
      size: 587,
    },
    Platforms: [{ architecture: 'amd64', os: 'linux' }],
  });
}
