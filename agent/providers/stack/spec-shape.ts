import { z } from 'zod';
import type { Resources, ServiceSpec } from './engine-api.ts';
import { textMap } from './text-map.ts';

// What the differ and the health rules look into is checked; everything else is kept as it came, so that a spec
// that was read and sent again loses nothing that a newer engine knows. Absent stays absent.

const text = z.string().exactOptional();
const number = z.number().exactOptional();
const bool = z.boolean().exactOptional();
const texts = z.array(z.string()).exactOptional();
const map = textMap.exactOptional();
const empty = z.record(z.string(), z.never()).exactOptional();

const file = z.looseObject({
  Name: z.string(),
  UID: z.string(),
  GID: z.string(),
  Mode: z.number(),
});

const mount = z.looseObject({
  Type: z.string(),
  Source: text,
  Target: text,
  ReadOnly: bool,
  Consistency: text,
  BindOptions: z.looseObject({ Propagation: text }).exactOptional(),
  VolumeOptions: z
    .looseObject({
      NoCopy: bool,
      Subpath: text,
      Labels: map,
      DriverConfig: z.looseObject({ Name: text, Options: map }).exactOptional(),
    })
    .exactOptional(),
  TmpfsOptions: z.looseObject({ SizeBytes: number }).exactOptional(),
  ClusterOptions: empty,
});

const containerSpec = z.looseObject({
  // A service that an API user made may lack it.
  Image: z.string().default(''),
  Labels: map,
  Command: texts,
  Args: texts,
  Env: texts,
  Healthcheck: z
    .looseObject({
      Test: texts,
      Interval: number,
      Timeout: number,
      Retries: number,
      StartPeriod: number,
      StartInterval: number,
    })
    .exactOptional(),
  Mounts: z.array(mount).exactOptional(),
  StopGracePeriod: number,
  Secrets: z
    .array(z.looseObject({ File: file.exactOptional(), SecretID: text, SecretName: z.string() }))
    .exactOptional(),
  Configs: z
    .array(
      z.looseObject({
        File: file.exactOptional(),
        Runtime: empty,
        ConfigID: text,
        ConfigName: z.string(),
      }),
    )
    .exactOptional(),
  Privileges: z
    .looseObject({
      CredentialSpec: z
        .looseObject({ Config: text, File: text, Registry: text })
        .nullable()
        .exactOptional(),
    })
    .exactOptional(),
  Isolation: text,
  Hostname: text,
  Dir: text,
  User: text,
  Init: bool,
  TTY: bool,
  OpenStdin: bool,
  ReadOnly: bool,
  StopSignal: text,
  Hosts: texts,
  DNSConfig: z.looseObject({ Nameservers: texts, Search: texts }).exactOptional(),
  Sysctls: map,
  CapabilityAdd: texts,
  CapabilityDrop: texts,
  Ulimits: z
    .array(z.looseObject({ Name: z.string(), Soft: z.number(), Hard: z.number() }))
    .exactOptional(),
});

type Generic = NonNullable<NonNullable<Resources['Reservations']>['GenericResources']>;

const resources = z.looseObject({
  Limits: z.looseObject({ NanoCPUs: number, MemoryBytes: number, Pids: number }).exactOptional(),
  Reservations: z
    .looseObject({
      NanoCPUs: number,
      MemoryBytes: number,
      // Named resources exist too, in services that are not ours: the list is not looked into.
      GenericResources: z.custom<Generic>(Array.isArray).exactOptional(),
    })
    .exactOptional(),
});

const placement = z.looseObject({
  Constraints: texts,
  Preferences: z
    .array(z.looseObject({ Spread: z.looseObject({ SpreadDescriptor: z.string() }) }))
    .exactOptional(),
  MaxReplicas: number,
  Platforms: z.array(z.looseObject({ Architecture: text, OS: text })).exactOptional(),
});

const updateConfig = z.looseObject({
  Parallelism: z.number(),
  Delay: number,
  FailureAction: text,
  Monitor: number,
  MaxFailureRatio: z.number(),
  Order: z.string(),
});

const taskTemplate = z.looseObject({
  ContainerSpec: containerSpec,
  Resources: resources.exactOptional(),
  RestartPolicy: z
    .looseObject({ Condition: text, Delay: number, MaxAttempts: number, Window: number })
    .exactOptional(),
  // Absent in what some API users made. It can never be sent without (see TaskTemplate), so absent is read as empty.
  Placement: placement.default({}),
  Networks: z
    .array(z.looseObject({ Target: z.string(), Aliases: texts, DriverOpts: map }))
    .exactOptional(),
  LogDriver: z.looseObject({ Name: text, Options: map }).exactOptional(),
  ForceUpdate: number,
  Runtime: text,
});

/** The shape of a container service's spec as the engine stores it. Unknown keys are kept. */
export const serviceSpec: z.ZodType<ServiceSpec> = z.looseObject({
  Name: z.string(),
  Labels: map,
  TaskTemplate: taskTemplate,
  Mode: z
    .looseObject({
      Replicated: z.looseObject({ Replicas: number }).exactOptional(),
      Global: empty,
      ReplicatedJob: z
        .looseObject({ MaxConcurrent: number, TotalCompletions: number })
        .exactOptional(),
      GlobalJob: empty,
    })
    .exactOptional(),
  UpdateConfig: updateConfig.exactOptional(),
  RollbackConfig: updateConfig.exactOptional(),
  EndpointSpec: z
    .looseObject({
      Mode: text,
      Ports: z
        .array(
          z.looseObject({
            Protocol: text,
            TargetPort: number,
            PublishedPort: number,
            PublishMode: text,
          }),
        )
        .exactOptional(),
    })
    .exactOptional(),
});
