import { expect, it } from 'vitest';

import { normalizeImage } from '../../agent/core/image.ts';

const sha = `sha256:${'a'.repeat(64)}`;

it.each([
  ['nginx', 'nginx:latest'],
  ['nginx:1.27', 'nginx:1.27'],
  ['docker.io/library/nginx:1', 'nginx:1'],
  ['docker.io/nginx', 'nginx:latest'],
  ['library/nginx', 'nginx:latest'],
  ['library/a/b', 'library/a/b:latest'],
  ['index.docker.io/foo/bar', 'foo/bar:latest'],
  ['ghcr.io/a/b', 'ghcr.io/a/b:latest'],
  ['registry-1.docker.io/library/x', 'registry-1.docker.io/library/x:latest'],
  ['localhost/x', 'localhost/x:latest'],
  ['localhost:5000/x', 'localhost:5000/x:latest'],
  ['10.0.0.1:5000/a/b:c', '10.0.0.1:5000/a/b:c'],
  ['[::1]:5000/a', '[::1]:5000/a:latest'],
  ['Registry/a', 'Registry/a:latest'],
  [`nginx@${sha}`, `nginx@${sha}`],
  [`nginx:1@${sha}`, `nginx:1@${sha}`],
  [`docker.io/library/nginx@${sha}`, `nginx@${sha}`],
  [sha, sha],
  ['b'.repeat(64), 'b'.repeat(64)],
  ['a__b', 'a__b:latest'],
  ['a--b', 'a--b:latest'],
  ['nginx:_', 'nginx:_'],
])('%s', (text, familiar) => expect(normalizeImage(text)).toMatchObject({ familiar }));

it.each([
  'Nginx',
  'nginx:',
  'nginx:a b',
  'nginx:-1',
  'a/B',
  'a//b',
  '/a',
  'a/',
  'a..b',
  'a_-b',
  'https://ghcr.io/a',
  ' nginx',
  'nginx@sha256:abc',
  `nginx@sha256:${'A'.repeat(64)}`,
  'nginx@',
  `nginx:${'x'.repeat(129)}`,
  'x'.repeat(256),
  'ghcr.io/',
  '-a.b/c',
])('refuses %j', (text) => expect(normalizeImage(text)).toHaveProperty('problem'));

it.each([
  ['nginx', 'docker.io'],
  ['docker.io/library/nginx:1', 'docker.io'],
  ['index.docker.io/foo/bar', 'docker.io'],
  ['foo/bar', 'docker.io'],
  ['registry-1.docker.io/library/x', 'registry-1.docker.io'],
  ['localhost/x', 'localhost'],
  ['10.0.0.1:5000/a/b:c', '10.0.0.1:5000'],
  [`ghcr.io/a/b@${sha}`, 'ghcr.io'],
  [sha, undefined],
  ['b'.repeat(64), undefined],
])('%s comes from %s', (text, registry) => {
  const read = normalizeImage(text);
  expect('registry' in read ? read.registry : undefined).toBe(registry);
});

it.each([
  ['nginx', false],
  ['nginx:1.27', false],
  [`nginx@${sha}`, true],
  [`nginx:1@${sha}`, true],
  [sha, true],
  ['b'.repeat(64), true],
])('%s names a content: %s', (text, pinned) =>
  expect(normalizeImage(text)).toMatchObject({ pinned }),
);
