import { describe, expect, it } from 'vitest';

import { layOut } from '../../agent/core/layout.ts';

const good = ['environments/production.yaml', 'stacks/blog/compose.yaml', 'understudy.yaml'];

function codes(...more: readonly string[]): readonly string[] {
  return layOut([...good, ...more].toSorted()).diagnostics.map(
    ({ code, place }) => `${code} ${place?.file ?? ''}`,
  );
}

describe('which file is what', () => {
  it('names environments and stacks', () => {
    const { repository, environments, stacks, diagnostics } = layOut(good);
    expect(repository).toBe('understudy.yaml');
    expect([...environments]).toEqual([['production', 'environments/production.yaml']]);
    expect([...stacks]).toEqual([['blog', ['compose.yaml']]]);
    expect(diagnostics).toEqual([]);
  });

  it.each([
    ['README.md'],
    ['.github/workflows/check.yaml'],
    ['stacks/README.md'],
    ['stacks/blog/README.md'],
    ['stacks/blog/stack.yaml'],
    ['stacks/blog/prometheus.yml'],
    ['stacks/blog/compose.production.yaml'],
    ['stacks/shop/stack.yaml'],
    ['stacks/blog/conf/nested/site.yaml'],
    ['stacks/blog/docker-compose.yml'],
    ['environments/README.md'],
    ['ceph/README.md'],
    ['secrets/README.md'],
    ['secrets/plain.yaml'],
    ['shared/common.env'],
    ['stackset/x.md'],
  ])('%s means nothing and is fine', (path) => expect(codes(path)).toEqual([]));

  it.each([
    ['understudy.yml', 'file-name'],
    ['environments/staging.yml', 'file-name'],
    ['environments/eu/staging.yaml', 'file-name'],
    ['stacks/shop.yaml', 'file-name'],
    ['stacks/blog/stack.yml', 'file-name'],
    ['stacks/shop/compose.yml', 'file-name'],
    ['stacks/shop/docker-compose.yml', 'file-name'],
    ['stacks/shop/docker-compose.yaml', 'file-name'],
    ['Stacks/shop/compose.yaml', 'file-name'],
    ['stack/shop/compose.yaml', 'file-name'],
    ['environment/staging.yaml', 'file-name'],
    ['environments/-x.yaml', 'wrong-name'],
    ['stacks/a.b/compose.yaml', 'wrong-name'],
    ['stacks/-a/compose.yaml', 'wrong-name'],
    ['stacks/a_/compose.yaml', 'wrong-name'],
    ['stacks/é/compose.yaml', 'wrong-name'],
    ['stacks/a b/compose.yaml', 'wrong-name'],
    [`stacks/${'a'.repeat(62)}/compose.yaml`, 'wrong-name'],
    ['stacks/Blog/compose.yaml', 'name-conflict'],
    ['stacksets/ghost/stackset.yaml', 'unsupported-key'],
    ['ceph/pools.yaml', 'unsupported-key'],
    ['mysql/users.yml', 'unsupported-key'],
    ['secrets/blog.sops.yaml', 'unsupported-key'],
    ['images.lock.yml', 'file-name'],
    ['stacks/blog/images.lock.yaml', 'file-name'],
  ])('%s is %s', (path, code) => {
    const found = codes(path);
    expect(found).toHaveLength(1);
    // Of two that differ in case the second one is shown.
    const where = code === 'name-conflict' ? 'stacks/blog/compose.yaml' : path;
    expect(found[0]).toBe(`${code} ${where}`);
  });

  it.each([
    ['a'],
    ['A1'],
    ['a-b_c'],
    ['a--b'],
    ['constructor'],
    ['__proto__x'.slice(2)],
    ['a'.repeat(61)],
  ])('a stack may be called %s', (name) => {
    const { stacks, diagnostics } = layOut([`stacks/${name}/compose.yaml`]);
    expect(diagnostics).toEqual([]);
    expect([...stacks.keys()]).toEqual([name]);
  });

  it('a folder that lost its Compose file is not a stack that was removed', () => {
    const { stacks, diagnostics } = layOut(['stacks/blog/index.html']);
    expect([...stacks]).toEqual([]);
    expect(diagnostics).toMatchObject([
      { code: 'missing-file', place: { file: 'stacks/blog/compose.yaml' } },
    ]);
  });

  it('a StackSet with many sites is one mistake', () => {
    const sites = Array.from({ length: 50 }, (_, site) => `stacksets/ghost/sites/s${site}.yaml`);
    expect(codes('stacksets/ghost/stackset.yaml', ...sites)).toHaveLength(1);
  });
});
