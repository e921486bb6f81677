import type {
  ContainerSpec,
  EndpointSpec,
  Mount,
  ServiceMode,
  ServiceSpec,
  TaskTemplate,
  UpdateConfig,
} from '../../agent/providers/stack/engine-api.ts';

/** A service spec as the engine (20.10) gives it back after it was sent. `networkId` turns a name or id into the id. */
export function storedSpec(spec: ServiceSpec, networkId: (target: string) => string): ServiceSpec {
  return compact({
    Name: spec.Name,
    Labels: spec.Labels ?? {},
    TaskTemplate: storedTask(spec.TaskTemplate, networkId),
    Mode: storedMode(spec.Mode),
    UpdateConfig: spec.UpdateConfig && storedUpdate(spec.UpdateConfig),
    RollbackConfig: spec.RollbackConfig && storedUpdate(spec.RollbackConfig),
    EndpointSpec: spec.EndpointSpec && storedEndpoint(spec.EndpointSpec),
  });
}

function storedTask(task: TaskTemplate, networkId: (target: string) => string): TaskTemplate {
  return compact({
    ...task,
    ContainerSpec: storedContainer(task.ContainerSpec),
    RestartPolicy: task.RestartPolicy && {
      ...task.RestartPolicy,
      Condition: task.RestartPolicy.Condition ?? 'any',
      MaxAttempts: task.RestartPolicy.MaxAttempts ?? 0,
    },
    Placement: withoutEmpty(task.Placement),
    Networks: task.Networks?.map((one) => withoutEmpty({ ...one, Target: networkId(one.Target) })),
    ForceUpdate: task.ForceUpdate ?? 0,
    Runtime: task.Runtime === undefined || task.Runtime === '' ? 'container' : task.Runtime,
  });
}

function storedContainer(container: ContainerSpec): ContainerSpec {
  const { Isolation, Healthcheck, Mounts, Labels, Privileges, ...rest } = container;
  const known = ['default', 'process', 'hyperv'].includes(Isolation ?? '');
  return withoutEmpty(
    compact({
      ...rest,
      Labels: Labels && Object.keys(Labels).length > 0 ? Labels : undefined,
      Privileges: Privileges && { CredentialSpec: null, SELinuxContext: null, ...Privileges },
      Mounts: Mounts?.map(storedMount),
      Healthcheck: Healthcheck && without(Healthcheck, 'StartInterval'),
      Isolation: known && Isolation !== undefined ? Isolation : 'default',
    }),
  );
}

function storedMount(mount: Mount): Mount {
  const { BindOptions, VolumeOptions, Consistency: _dropped, ...rest } = mount;
  return compact({
    ...rest,
    BindOptions: BindOptions && Object.keys(BindOptions).length > 0 ? BindOptions : undefined,
    VolumeOptions: VolumeOptions && without(VolumeOptions, 'Subpath'),
  });
}

function storedMode(mode: ServiceMode | undefined): ServiceMode {
  if (mode?.Global !== undefined || mode?.GlobalJob !== undefined) return mode;
  if (mode?.ReplicatedJob !== undefined) {
    const MaxConcurrent = mode.ReplicatedJob.MaxConcurrent ?? 1;
    const TotalCompletions = mode.ReplicatedJob.TotalCompletions ?? MaxConcurrent;
    return { ReplicatedJob: { MaxConcurrent, TotalCompletions } };
  }
  return { Replicated: { Replicas: mode?.Replicated?.Replicas ?? 1 } };
}

function storedUpdate(update: UpdateConfig): UpdateConfig {
  return compact({
    ...update,
    Delay: update.Delay === 0 ? undefined : update.Delay,
    Monitor: update.Monitor === 0 ? undefined : update.Monitor,
    FailureAction: update.FailureAction ?? 'pause',
    MaxFailureRatio: float32(update.MaxFailureRatio),
    Order: update.Order === '' ? 'stop-first' : update.Order,
  });
}

/** As Go prints a float32: the shortest decimal that gives the same one. */
function float32(value: number): number {
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return Number(value.toPrecision(9));
}

function storedEndpoint(endpoint: EndpointSpec): EndpointSpec {
  const Ports = endpoint.Ports?.map((port) => ({
    Protocol: 'tcp',
    PublishMode: 'ingress',
    ...port,
  }));
  return withoutEmpty(compact({ ...endpoint, Mode: endpoint.Mode ?? 'vip', Ports }));
}

function without<Value extends object, Key extends keyof Value>(
  value: Value,
  key: Key,
): Omit<Value, Key> {
  const { [key]: _dropped, ...rest } = value;
  return rest;
}

/** Go's `omitempty`: an empty list is not written. Empty objects are. */
function withoutEmpty<Value extends object>(value: Value): Value {
  const copy = { ...value };
  for (const key of Object.keys(copy)) {
    const one: unknown = Reflect.get(copy, key);
    if (Array.isArray(one) && one.length === 0) Reflect.deleteProperty(copy, key);
  }
  return copy;
}

/** Takes keys away whose value is undefined, as sending through JSON does. */
function compact<Value>(value: { [Key in keyof Value]: Value[Key] | undefined }): Value {
  return JSON.parse(JSON.stringify(value));
}
