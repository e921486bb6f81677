import { z } from 'zod';

import { positiveDuration } from './common.ts';
import { Defaults, POLICY_UNSUPPORTED, Policy, Rollout } from './environment.ts';

/** understudy.yaml. Durations in milliseconds. */
export const Repository = z.strictObject({
  version: z.literal(1, { error: 'write `version: 1`' }),
  interval: positiveDuration().optional(),
  retryInterval: positiveDuration().optional(),
  defaults: Defaults.optional(),
  rollout: Rollout.optional(),
  policy: Policy.optional(),
});
export type Repository = z.output<typeof Repository>;

/** Keys of `Repository` that this version does not act upon. */
export const REPOSITORY_UNSUPPORTED = POLICY_UNSUPPORTED.map((key) => `policy.${key}`);
