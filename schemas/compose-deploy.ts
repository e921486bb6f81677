import { z } from 'zod';

import { Amount, ListOrMap, Text, TextList, Whole, count } from './compose-common.ts';

/** `update_config` and `rollback_config`. */
export const Update = z.strictObject({
  parallelism: count().optional(),
  delay: Text.optional(),
  failure_action: Text.optional(),
  monitor: Text.optional(),
  max_failure_ratio: Amount.optional(),
  order: Text.optional(),
});
export type Update = z.output<typeof Update>;

const Reservations = z.strictObject({
  cpus: Text.optional(),
  memory: Text.optional(),
  generic_resources: z
    .array(
      z.strictObject({
        discrete_resource_spec: z
          .strictObject({ kind: Text.optional(), value: Amount.optional() })
          .optional(),
      }),
    )
    .optional(),
});

/** `deploy.resources`. */
export const Resources = z.strictObject({
  limits: z
    .strictObject({ cpus: Text.optional(), memory: Text.optional(), pids: Whole.optional() })
    .optional(),
  reservations: Reservations.optional(),
});
export type Resources = z.output<typeof Resources>;

/** `deploy.restart_policy`. */
export const RestartPolicy = z.strictObject({
  condition: Text.optional(),
  delay: Text.optional(),
  max_attempts: count().optional(),
  window: Text.optional(),
});
export type RestartPolicy = z.output<typeof RestartPolicy>;

/** `deploy.placement`. */
export const Placement = z.strictObject({
  constraints: TextList.optional(),
  preferences: z.array(z.strictObject({ spread: Text.optional() })).optional(),
  max_replicas_per_node: count().optional(),
});
export type Placement = z.output<typeof Placement>;

/** `deploy`. */
export const Deploy = z.strictObject({
  mode: Text.optional(),
  replicas: count().optional(),
  labels: ListOrMap.optional(),
  update_config: Update.optional(),
  rollback_config: Update.optional(),
  restart_policy: RestartPolicy.optional(),
  placement: Placement.optional(),
  resources: Resources.optional(),
  endpoint_mode: Text.optional(),
});
export type Deploy = z.output<typeof Deploy>;
