/**
 * The parts of the Engine API (v1.41) that a stack uses, as plain types. Field names are the API's.
 * A key that is absent and a key that is present but empty are different requests: see `docker stack deploy`.
 */

export interface ServiceSpec {
  Name: string;
  Labels?: Record<string, string>;
  TaskTemplate: TaskTemplate;
  Mode?: ServiceMode;
  UpdateConfig?: UpdateConfig;
  RollbackConfig?: UpdateConfig;
  EndpointSpec?: EndpointSpec;
}

export interface TaskTemplate {
  ContainerSpec: ContainerSpec;
  Resources?: Resources;
  RestartPolicy?: RestartPolicy;
  /** Never left out: an update that drops it makes swarm leaders panic (moby/swarmkit#2947). */
  Placement: Placement;
  Networks?: NetworkAttachment[];
  LogDriver?: { Name?: string; Options?: Record<string, string> };
  ForceUpdate?: number;
  Runtime?: string;
}

export interface ContainerSpec {
  Image: string;
  Labels?: Record<string, string>;
  Command?: string[];
  Args?: string[];
  Env?: string[];
  Healthcheck?: Healthcheck;
  Mounts?: Mount[];
  StopGracePeriod?: number;
  Secrets?: SecretReference[];
  Configs?: ConfigReference[];
  Privileges?: { CredentialSpec?: CredentialSpec | null; [other: string]: unknown };
  Isolation?: string;
  Hostname?: string;
  Dir?: string;
  User?: string;
  Init?: boolean;
  TTY?: boolean;
  OpenStdin?: boolean;
  ReadOnly?: boolean;
  StopSignal?: string;
  /** `ADDRESS HOST` */
  Hosts?: string[];
  DNSConfig?: { Nameservers?: string[]; Search?: string[] };
  Sysctls?: Record<string, string>;
  CapabilityAdd?: string[];
  CapabilityDrop?: string[];
  Ulimits?: Ulimit[];
  [other: string]: unknown;
}

/** One of the three; the others are empty. `Config`: a name in what we hold, an id in what is sent and given back. */
export interface CredentialSpec {
  Config?: string;
  File?: string;
  Registry?: string;
}

export interface Ulimit {
  Name: string;
  Soft: number;
  Hard: number;
}

export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  Retries?: number;
  StartPeriod?: number;
  StartInterval?: number;
}

export interface Mount {
  Type: string;
  Source?: string;
  Target?: string;
  ReadOnly?: boolean;
  Consistency?: string;
  BindOptions?: { Propagation?: string };
  VolumeOptions?: {
    NoCopy?: boolean;
    Subpath?: string;
    Labels?: Record<string, string>;
    DriverConfig?: { Name?: string; Options?: Record<string, string> };
  };
  TmpfsOptions?: { SizeBytes?: number };
  ClusterOptions?: Record<string, never>;
}

export interface FileTarget {
  Name: string;
  UID: string;
  GID: string;
  Mode: number;
}

/** `SecretID` is filled in just before the call: only then is it known which object carries the name. */
export interface SecretReference {
  File?: FileTarget;
  SecretID?: string;
  SecretName: string;
}

/** As `SecretReference`. */
export interface ConfigReference {
  File?: FileTarget;
  Runtime?: Record<string, never>;
  ConfigID?: string;
  ConfigName: string;
}

export interface Resources {
  Limits?: { NanoCPUs?: number; MemoryBytes?: number; Pids?: number };
  Reservations?: {
    NanoCPUs?: number;
    MemoryBytes?: number;
    GenericResources?: { DiscreteResourceSpec: { Kind: string; Value: number } }[];
  };
}

export interface RestartPolicy {
  Condition?: string;
  Delay?: number;
  MaxAttempts?: number;
  Window?: number;
}

export interface Placement {
  Constraints?: string[];
  Preferences?: { Spread: { SpreadDescriptor: string } }[];
  MaxReplicas?: number;
  Platforms?: { Architecture?: string; OS?: string }[];
}

/** `Target` is a name in what we send and an id in what the engine gives back. */
export interface NetworkAttachment {
  Target: string;
  Aliases?: string[];
  DriverOpts?: Record<string, string>;
}

export interface ServiceMode {
  Replicated?: { Replicas?: number };
  Global?: Record<string, never>;
  ReplicatedJob?: { MaxConcurrent?: number; TotalCompletions?: number };
  GlobalJob?: Record<string, never>;
}

export interface UpdateConfig {
  Parallelism: number;
  Delay?: number;
  FailureAction?: string;
  Monitor?: number;
  MaxFailureRatio: number;
  Order: string;
}

export interface PortConfig {
  Protocol?: string;
  TargetPort?: number;
  PublishedPort?: number;
  PublishMode?: string;
}

export interface EndpointSpec {
  Mode?: string;
  Ports?: PortConfig[];
}

/** Body of `POST /networks/create`. */
export interface NetworkCreate {
  Name: string;
  CheckDuplicate: true;
  Driver: string;
  Scope: string;
  IPAM: { Driver: string; Options: null; Config: { Subnet?: string }[] | null } | null;
  Internal: boolean;
  Attachable: boolean;
  Ingress: false;
  ConfigOnly: false;
  ConfigFrom: null;
  Options: Record<string, string> | null;
  Labels: Record<string, string>;
}
