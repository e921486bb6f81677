import type { ServiceSpec, UpdateConfig } from '../engine-api.ts';
import type { Notes } from './notes.ts';

/** Stop-first waits a minute for the old copy, and then starts the new one beside it (seen): this leaves a quarter of it. */
const GRACE_MAX_NS = 45_000_000_000;

const WHY = 'the stack has `instances: single`: ';

/**
 * What would run a second copy of a service beside the first, in a stack that has one copy of each. It is no fence: a node that
 * is cut off goes on running its copy while Swarm starts another one.
 */
export function noteSecondCopies(
  services: Readonly<Record<string, ServiceSpec>>,
  notes: Notes,
): void {
  for (const [key, spec] of Object.entries(services)) {
    const path = ['services', key, 'deploy'];
    const { Mode: mode } = spec;
    if (mode?.Global !== undefined || mode?.GlobalJob !== undefined) {
      const message = `${WHY}a global service has a copy on every node`;
      notes.error('conflict', [...path, 'mode'], message, 'write `mode: replicated`');
    }
    const replicas = mode?.Replicated?.Replicas ?? mode?.ReplicatedJob?.MaxConcurrent ?? 1;
    if (replicas > 1) {
      const message = `${WHY}${String(replicas)} replicas are ${String(replicas)} copies`;
      notes.error('conflict', [...path, 'replicas'], message, 'write `replicas: 1`');
    }
    noteOrder('update_config', spec.UpdateConfig, key, notes);
    noteOrder('rollback_config', spec.RollbackConfig, key, notes);
    if ((spec.TaskTemplate.ContainerSpec.StopGracePeriod ?? 0) >= GRACE_MAX_NS) {
      const message = `${WHY}Swarm waits a minute for the old copy to end, and then starts the new one beside it`;
      const hint = 'write less than `45s`';
      notes.error('conflict', ['services', key, 'stop_grace_period'], message, hint);
    }
  }
}

function noteOrder(
  what: 'update_config' | 'rollback_config',
  config: UpdateConfig | undefined,
  key: string,
  notes: Notes,
): void {
  if (config?.Order !== 'start-first') return;
  const message = `${WHY}with \`start-first\` the new copy starts while the old one runs`;
  const path = ['services', key, 'deploy', what, 'order'];
  notes.error('conflict', path, message, 'write `order: stop-first`, or leave it out');
}
