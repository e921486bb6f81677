import { z } from 'zod';
import { iteration, iterationOf } from './job-shape.ts';
import { mountingSpec, mountsOf } from './mounts.ts';
import { listOf, type Shaped } from './shaped.ts';
import type { ObservedTask } from './swarm.ts';

// Absent and null mean the same to the engine; both are read as "nothing".
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const id = z.string().min(1);

const task = z.looseObject({
  ID: id,
  ServiceID: text,
  NodeID: text,
  Slot: z.number().nullish(),
  CreatedAt: z.string(),
  Spec: mountingSpec,
  JobIteration: iteration,
  DesiredState: z.string(),
  Status: z.looseObject({
    Timestamp: z.string(),
    State: z.string(),
    Message: text,
    Err: text,
    ContainerStatus: z.looseObject({ ExitCode: z.number().nullish(), ContainerID: text }).nullish(),
  }),
});
const taskId = z.looseObject({ ID: id });

/** Pure. */
export const readTasks = listOf(task, (row): Shaped<ObservedTask> => {
  const exitCode = row.Status.ContainerStatus?.ExitCode;
  const container = row.Status.ContainerStatus?.ContainerID ?? '';
  const mounts = mountsOf(row.Spec?.ContainerSpec);
  const value = {
    id: row.ID,
    serviceId: row.ServiceID,
    ...(row.NodeID === '' ? {} : { nodeId: row.NodeID }),
    // Global tasks have no slot: the engine leaves it out or gives 0.
    ...(typeof row.Slot === 'number' && row.Slot > 0 ? { slot: row.Slot } : {}),
    createdAt: row.CreatedAt,
    timestamp: row.Status.Timestamp,
    state: row.Status.State,
    desiredState: row.DesiredState,
    message: row.Status.Message,
    ...(row.Status.Err === '' ? {} : { error: row.Status.Err }),
    ...(typeof exitCode === 'number' ? { exitCode } : {}),
    ...(container === '' ? {} : { container }),
    ...iterationOf(row.JobIteration),
    ...(mounts && { mounts }),
  };
  return { ok: true, value };
});

/** Pure. The ids of a list of tasks. */
export function readTaskIds(json: unknown): Shaped<ReadonlySet<string>> {
  const rows = idsOf(json);
  return rows.ok ? { ok: true, value: new Set(rows.value.map(({ ID }) => ID)) } : rows;
}

const idsOf = listOf(taskId, (row) => ({ ok: true, value: row }));
