import type { Environment } from '../../schemas/environment.ts';
import type { Repository } from '../../schemas/repository.ts';
import type { CronFields } from './cron.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Read } from './document.ts';
import { undefinedUnit } from './edge-mistakes.ts';
import type { Id } from './kind.ts';
import { defaultRollout, type RolloutPolicy } from './rollout.ts';
import type { WindowRule } from './windows.ts';

/** Reads a cron expression; undefined where it cannot. */
export type ReadCron = (expression: string) => CronFields | undefined;

/** Pure. How the units of a revision change; the Environment wins, key by key. */
export function rolloutOf(
  repository: Read<Repository> | undefined,
  environment: Read<Environment>,
): RolloutPolicy {
  const [below, above] = [repository?.value?.rollout, environment.value?.rollout];
  return {
    atOnce: above?.atOnce ?? below?.atOnce ?? defaultRollout.atOnce,
    maxFailures: above?.maxFailures ?? below?.maxFailures ?? defaultRollout.maxFailures,
    pauseMs: above?.pause ?? below?.pause ?? defaultRollout.pauseMs,
    canary: above?.canary ?? below?.canary ?? defaultRollout.canary,
    onFailure: above?.onFailure ?? below?.onFailure ?? defaultRollout.onFailure,
  };
}

/** Pure. When units may change; without what cannot be read, which is a mistake of its own. */
export function windowsOf({ value }: Read<Environment>, readCron: ReadCron): readonly WindowRule[] {
  return (value?.windows ?? []).flatMap(({ cron, duration, timeZone, stacks = ['*'] }) => {
    const fields = readCron(cron);
    return fields === undefined ? [] : { cron: fields, durationMs: duration, timeZone, stacks };
  });
}

/**
 * Pure. Canaries that the repository does not have: the rest would never wait for them. All units count, whichever
 * environment they are for, because several may share what understudy.yaml says. `isJudged`: of others `ids` says nothing.
 */
export function canaryMistakes(
  reads: readonly (Read<Repository> | Read<Environment>)[],
  ids: ReadonlySet<Id>,
  isJudged: (on: Id) => boolean = () => true,
): readonly Diagnostic[] {
  return reads.flatMap(({ value, located }) =>
    (value?.rollout?.canary ?? []).flatMap((on, at) => {
      const place = located?.place(['rollout', 'canary', at], 'value');
      if (place === undefined || ids.has(on) || !isJudged(on)) return [];
      return undefinedUnit({ on, place }, ids);
    }),
  );
}
