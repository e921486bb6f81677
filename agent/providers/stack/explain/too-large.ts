import type { StackObserved } from '../observed.ts';
import type { StackSpec } from '../spec.ts';
import { bytesInWords, cpusInWords } from './units.ts';

/**
 * Pure. Services that want more for one task than any node has at all, which offline nobody can tell: a reservation that never
 * fits, and a limit that limits nothing. Nothing is said as long as some node does not say what it has.
 */
export function tooLargeNotes(spec: StackSpec, { largest }: StackObserved): readonly string[] {
  const memory = largest.get('memoryBytes') ?? Infinity;
  const cpus = largest.get('nanoCpus') ?? Infinity;
  return Object.values(spec.services).flatMap(({ Name: name, TaskTemplate: { Resources } }) => {
    const { Reservations: reserved, Limits: limits } = Resources ?? {};
    const notes: string[] = [];
    const wanted = [reserved?.MemoryBytes ?? 0, reserved?.NanoCPUs ?? 0] as const;
    if (wanted[0] > memory) {
      notes.push(
        `service ${name} reserves ${bytesInWords(wanted[0])} of memory for a task, and the largest node has ${bytesInWords(memory)}: it cannot be placed`,
      );
    }
    if (wanted[1] > cpus) {
      notes.push(
        `service ${name} reserves ${cpusInWords(wanted[1])} for a task, and the largest node has ${cpusInWords(cpus)}: it cannot be placed`,
      );
    }
    const limit = limits?.MemoryBytes ?? 0;
    if (limit > memory && wanted[0] <= memory) {
      notes.push(
        `service ${name} has a memory limit of ${bytesInWords(limit)}, and the largest node has ${bytesInWords(memory)}: it limits nothing`,
      );
    }
    return notes;
  });
}
