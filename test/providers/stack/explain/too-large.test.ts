import { describe, expect, it } from 'vitest';

import { diffStack } from '../../../../agent/providers/stack/diff.ts';
import type { Resources } from '../../../../agent/providers/stack/engine-api.ts';
import { node, observed, service, unit } from '../../../fakes/stack.ts';

const GIB = 2 ** 30;
const CPU = 1_000_000_000;
const has = (gib: number, cpus: number) => ({
  resources: { memoryBytes: gib * GIB, nanoCpus: cpus * CPU },
});
const nodes = [node('m1', has(4, 4)), node('w1', has(8, 2))];
const notes = (resources: Resources, there = nodes): readonly string[] => {
  const web = service('web');
  const wanted = unit({
    services: { web: { ...web, TaskTemplate: { ...web.TaskTemplate, Resources: resources } } },
  });
  return diffStack(wanted, observed({ nodes: there })).notes ?? [];
};

describe('a service that wants more than any node has', () => {
  it.each<[string, Resources, readonly string[]]>([
    [
      'reserves more memory',
      { Reservations: { MemoryBytes: 9 * GIB }, Limits: { MemoryBytes: 10 * GIB } },
      [
        'service blog_web reserves 9 GiB of memory for a task, and the largest node has 8 GiB: it cannot be placed',
      ],
    ],
    [
      'reserves more CPUs',
      { Reservations: { NanoCPUs: 5 * CPU } },
      [
        'service blog_web reserves 5 CPUs for a task, and the largest node has 4 CPUs: it cannot be placed',
      ],
    ],
    [
      'has a larger limit',
      { Limits: { MemoryBytes: 9 * GIB } },
      [
        'service blog_web has a memory limit of 9 GiB, and the largest node has 8 GiB: it limits nothing',
      ],
    ],
    [
      'just fits',
      {
        Reservations: { MemoryBytes: 8 * GIB, NanoCPUs: 4 * CPU },
        Limits: { MemoryBytes: 8 * GIB },
      },
      [],
    ],
    ['wants nothing', {}, []],
  ])('%s', (_what, resources, expected) => {
    expect(notes(resources)).toEqual(expected);
  });

  it('is not judged while a node does not say what it has', () => {
    expect(notes({ Reservations: { MemoryBytes: 99 * GIB } }, [...nodes, node('w2')])).toEqual([]);
  });
});
