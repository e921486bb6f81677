import { z } from 'zod';

/** Which run of a job: each update of the service begins the next one. On the service and on each of its tasks. */
export const iteration = z
  .looseObject({ Index: z.number().int().nonnegative().nullish() })
  .nullish();

/** Pure. The first run has no number: the engine leaves a zero out. What is no job has none. */
export function iterationOf(run: z.output<typeof iteration>): { readonly jobIteration?: number } {
  return run === undefined || run === null ? {} : { jobIteration: run.Index ?? 0 };
}
