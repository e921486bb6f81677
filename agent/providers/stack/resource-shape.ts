import { z } from 'zod';
import type { ObservedNode } from './swarm.ts';

/** What a node has for tasks, as the engine gives it. */
export const resources = z
  .looseObject({ NanoCPUs: z.number().nullish(), MemoryBytes: z.number().nullish() })
  .nullish();

/** Pure. Nothing where it says nothing. */
export function resourcesOf(
  value: z.output<typeof resources>,
): Partial<Pick<ObservedNode, 'resources'>> {
  const { NanoCPUs: nanoCpus, MemoryBytes: memoryBytes } = value ?? {};
  if (typeof nanoCpus !== 'number' || typeof memoryBytes !== 'number') return {};
  return { resources: { nanoCpus, memoryBytes } };
}
