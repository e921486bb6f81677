import { IMAGE_LABEL, NAMESPACE_LABEL } from '../compose/labels.ts';
import type {
  Placement,
  PortConfig,
  Resources,
  RestartPolicy,
  ServiceMode,
  ServiceSpec,
  UpdateConfig,
} from '../engine-api.ts';
import { fields, labelsOf, orAbsent, type Tree } from './tree.ts';
import { bytesText, cpusText, durationText } from './units.ts';

/** Pure. `deploy`, without what the engine fills in where nothing is written; absent where nothing is left. */
export function deployOf(spec: ServiceSpec): Tree | undefined {
  const { Resources: resources, RestartPolicy: restart, Placement: placement } = spec.TaskTemplate;
  const mode = spec.EndpointSpec?.Mode;
  return orAbsent(
    fields({
      ...modeOf(spec.Mode),
      labels: labelsOf(spec.Labels, [IMAGE_LABEL, NAMESPACE_LABEL]),
      update_config: updateOf(spec.UpdateConfig),
      rollback_config: updateOf(spec.RollbackConfig),
      restart_policy: restartOf(restart),
      placement: placementOf(placement),
      resources: resourcesOf(resources),
      endpoint_mode: unless(mode, 'vip'),
    }),
  );
}

/** `ports`, in the long form. */
export function portsOf(ports: readonly PortConfig[] | undefined): Tree | undefined {
  return orAbsent(
    (ports ?? []).map((port) =>
      fields({
        target: port.TargetPort,
        published: port.PublishedPort,
        protocol: unless(port.Protocol, 'tcp'),
        mode: unless(port.PublishMode, 'ingress'),
      }),
    ),
  );
}

/** Undefined also where it is empty. */
function unless(value: string | undefined, usual: string): string | undefined {
  return value === usual || value === '' ? undefined : value;
}

function unlessNumber(value: number | undefined, usual: number): number | undefined {
  return value === usual ? undefined : value;
}

function modeOf(mode: ServiceMode | undefined): Readonly<Record<string, Tree | undefined>> {
  if (mode?.Global !== undefined) return { mode: 'global' };
  if (mode?.GlobalJob !== undefined) return { mode: 'global-job' };
  if (mode?.ReplicatedJob !== undefined) {
    return { mode: 'replicated-job', replicas: mode.ReplicatedJob.TotalCompletions };
  }
  return { replicas: unlessNumber(mode?.Replicated?.Replicas, 1) };
}

function updateOf(update: UpdateConfig | undefined): Tree | undefined {
  if (update === undefined) return undefined;
  return fields({
    parallelism: unlessNumber(update.Parallelism, 1),
    delay: durationText(update.Delay),
    failure_action: unless(update.FailureAction, 'pause'),
    monitor: durationText(update.Monitor),
    max_failure_ratio: unlessNumber(update.MaxFailureRatio, 0),
    order: unless(update.Order, 'stop-first'),
  });
}

function restartOf(restart: RestartPolicy | undefined): Tree | undefined {
  if (restart === undefined) return undefined;
  return fields({
    condition: restart.Condition === '' ? undefined : restart.Condition,
    delay: durationText(restart.Delay),
    max_attempts: unlessNumber(restart.MaxAttempts, 0),
    window: durationText(restart.Window),
  });
}

function placementOf(placement: Placement): Tree | undefined {
  return orAbsent(
    fields({
      constraints: orAbsent(placement.Constraints ?? []),
      preferences: orAbsent(
        (placement.Preferences ?? []).map(({ Spread: { SpreadDescriptor: spread } }) =>
          fields({ spread }),
        ),
      ),
      max_replicas_per_node: placement.MaxReplicas,
    }),
  );
}

function resourcesOf(resources: Resources | undefined): Tree | undefined {
  const { Limits: limits, Reservations: reservations } = resources ?? {};
  return orAbsent(
    fields({
      limits: limits && fields({ ...amountsOf(limits), pids: limits.Pids }),
      reservations:
        reservations &&
        fields({
          ...amountsOf(reservations),
          generic_resources: orAbsent(genericOf(reservations.GenericResources)),
        }),
    }),
  );
}

function amountsOf(amounts: {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
}): Readonly<Record<string, Tree | undefined>> {
  return { cpus: cpusText(amounts.NanoCPUs), memory: bytesText(amounts.MemoryBytes) };
}

type Generic = NonNullable<Resources['Reservations']>['GenericResources'];

/** Resources with names of their own are none that Compose knows. */
function genericOf(list: Generic): readonly Tree[] {
  return (list ?? []).flatMap((one: Partial<NonNullable<Generic>[number]>) => {
    const { DiscreteResourceSpec: discrete } = one;
    if (discrete === undefined) return [];
    const { Kind: kind, Value: value } = discrete;
    return [fields({ discrete_resource_spec: fields({ kind, value }) })];
  });
}
