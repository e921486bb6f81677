import type { Id, Operation, Rendered } from '../../core/kind.ts';
import { canonical } from './canonical.ts';
import type { ServiceSpec } from './engine-api.ts';
import { waitsForImage } from './failure.ts';
import { fieldDiffs } from './fields.ts';
import { NAMESPACE, type StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedService, StackCall } from './swarm.ts';
import { isSettled, stackTasks } from './tasks.ts';

/** No node has this id: what runs once on every fitting node runs nowhere. */
const NOWHERE = 'node.id==none';

const SERVICE = 'service ';

/** Pure. Targets of the operations that could make what runs of a stack. */
export function stackParts({ spec }: Rendered<StackSpec>): readonly string[] {
  return Object.values(spec.services).map(({ Name }) => `${SERVICE}${Name}`);
}

/**
 * Pure. What brings these services to a standstill and keeps all else of them but the ports that they publish: nobody could
 * have those, also while nothing runs behind them. Nothing for what is not there, or stands still already.
 */
export function stopParts(
  id: Id,
  targets: readonly string[],
  observed: StackObserved,
): readonly Operation<StackCall>[] {
  const stack = id.slice(id.indexOf('/') + 1);
  return [...new Set(targets)].flatMap((target) => {
    if (!target.startsWith(SERVICE)) return [];
    const live = observed.services.get(target.slice(SERVICE.length).toLowerCase());
    // By now the name may be somebody else's.
    if (live?.spec.Labels?.[NAMESPACE] !== stack) return [];
    const body = stopped(live.spec);
    return body === undefined ? [] : [update(target, live, body, observed)];
  });
}

/** Undefined where it stands still. */
function stopped(spec: ServiceSpec): ServiceSpec | undefined {
  const still = withoutTasks(spec);
  const { EndpointSpec: endpoint } = spec;
  if ((endpoint?.Ports ?? []).length === 0) return still;
  return { ...(still ?? spec), EndpointSpec: { ...endpoint, Ports: [] } };
}

/** Undefined where none are wanted. A job of which none is to complete is done. */
function withoutTasks(spec: ServiceSpec): ServiceSpec | undefined {
  const { Mode: mode, TaskTemplate: task } = spec;
  if (mode?.Global !== undefined || mode?.GlobalJob !== undefined) {
    const { Constraints: constraints = [] } = task.Placement;
    if (constraints.includes(NOWHERE)) return undefined;
    const Placement = { ...task.Placement, Constraints: [...constraints, NOWHERE] };
    return { ...spec, TaskTemplate: { ...task, Placement } };
  }
  if (mode?.ReplicatedJob !== undefined) {
    if (mode.ReplicatedJob.TotalCompletions === 0) return undefined;
    return {
      ...spec,
      Mode: { ...mode, ReplicatedJob: { ...mode.ReplicatedJob, TotalCompletions: 0 } },
    };
  }
  if (mode?.Replicated?.Replicas === 0) return undefined;
  return { ...spec, Mode: { ...mode, Replicated: { ...mode?.Replicated, Replicas: 0 } } };
}

/**
 * Pure. What makes the engine go on where it paused an update: the same spec once more (seen on 20.10). Only for services
 * of which something is missing but their image, and never for a job, which would run again.
 */
export function resumeStack(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
): readonly Operation<StackCall>[] {
  return stackTasks(unit.spec, observed).flatMap((tasks) => {
    const { live, job } = tasks;
    const paused = live?.updateState?.endsWith('paused') === true;
    if (!paused || job || isSettled(tasks) || waitsForImage(tasks)) return [];
    return [update(`${SERVICE}${live.spec.Name}`, live, live.spec, observed)];
  });
}

function update(
  target: string,
  live: ObservedService,
  body: ServiceSpec,
  observed: StackObserved,
): Operation<StackCall> {
  const name = (network: string): string => observed.networkNames.get(network) ?? network;
  return {
    target,
    verb: 'update',
    phase: 'change',
    effect: 'restart',
    fields: fieldDiffs(target, canonical(live.spec, name), canonical(body, name)),
    call: { op: 'service-update', id: live.id, version: live.version, body },
  };
}
