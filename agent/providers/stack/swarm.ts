import type { CallOutcome } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { NetworkCreate, ServiceSpec } from './engine-api.ts';
import type { Mounts } from './mounts.ts';
import type { SecretDriver, SecretSource } from './spec.ts';

/** What one round of list calls gave. Unknown fields of a spec are kept as they came. */
export interface SwarmState {
  readonly services: readonly ObservedService[];
  readonly networks: readonly ObservedNetwork[];
  readonly configs: readonly ObservedConfig[];
  readonly secrets: readonly ObservedSecret[];
  readonly nodes: readonly ObservedNode[];
  /** All tasks with their history. */
  readonly tasks: readonly ObservedTask[];
  /** Ids of the tasks that fit the current spec of their service (the engine's `_up-to-date` filter). */
  readonly freshTaskIds: ReadonlySet<string>;
}

export interface ObservedService {
  readonly id: string;
  readonly version: number;
  readonly spec: ServiceSpec;
  /** Of its spec before, which the engine goes back to where somebody tells it to. */
  readonly before?: Mounts;
  /** `updating`, `completed`, `paused`, `rollback_started`, ...; absent after create and quiet updates. */
  readonly updateState?: string;
  readonly updateMessage?: string;
  /** Of a job: which run is the current one. */
  readonly jobIteration?: number;
}

export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  /** Of the driver; what the engine filled in stands among them. */
  readonly options: Readonly<Record<string, string>>;
  /** Empty where the engine does not say. */
  readonly ipamDriver: string;
  readonly subnets: readonly string[];
}

export interface ObservedConfig {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** base64 */
  readonly data: string;
  readonly templating?: string;
  /** When somebody last wrote its labels, by the clock of the Swarm's leader, ISO 8601. */
  readonly updatedAt?: string;
}

/** A config without its data. */
export type ConfigHead = Pick<ObservedConfig, 'id' | 'version' | 'labels'>;

export interface ObservedSecret {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly templating?: string;
  readonly driver?: SecretDriver;
}

export interface ObservedNode {
  readonly id: string;
  readonly hostname: string;
  readonly role: 'manager' | 'worker';
  readonly availability: string;
  /** `ready`, `down`, `unknown`, `disconnected`. */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly engineLabels: Readonly<Record<string, string>>;
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly address: string;
  /** What it has for tasks; absent where it does not say. */
  readonly resources?: { readonly memoryBytes: number; readonly nanoCpus: number };
  /** When the Swarm last wrote it: it came, went, came back, or somebody changed it. */
  readonly updatedAt?: string;
}

export interface ObservedTask {
  readonly id: string;
  readonly serviceId: string;
  readonly nodeId?: string;
  readonly slot?: number;
  readonly createdAt: string;
  /** Of the status. */
  readonly timestamp: string;
  readonly state: string;
  readonly desiredState: string;
  readonly message: string;
  readonly error?: string;
  readonly exitCode?: number;
  /** Whole id of its container, as its node has it. */
  readonly container?: string;
  /** Of a job: the run that it belongs to. */
  readonly jobIteration?: number;
  /** Of the spec that it was made with. */
  readonly mounts?: Mounts;
}

/** What a stack consists of in the Swarm, but for its volumes: these hold data, and nothing here removes them. */
export type StackNoun = 'service' | 'network' | 'config' | 'secret';

/** Every write that the stack provider can make, as data. `veiled`: what the engine says to it is shown to nobody. */
export type StackCall = StackWrite & { readonly veiled?: true };

type StackWrite =
  | { readonly op: 'network-create'; readonly body: NetworkCreate }
  | {
      readonly op: 'config-create';
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      /** base64 */
      readonly data: string;
      readonly templating?: string;
    }
  | ({
      readonly op: 'secret-create';
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly templating?: string;
    } & SecretSource)
  | {
      /** Only labels of a config or secret can change; the body repeats the name and leaves the data out. */
      readonly op: 'config-label' | 'secret-label';
      readonly id: string;
      readonly version: number;
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
    }
  | {
      /**
       * The engine compares `data` with what a secret holds and nobody can read. Equal: it takes the labels, the digest of the
       * content among them. Other: it refuses with `other-content`, and nothing was written.
       */
      readonly op: 'secret-prove';
      readonly id: string;
      readonly version: number;
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      /** base64 */
      readonly data: Secret;
      readonly templating?: string;
    }
  /** A blob of the record. By full id; deletes carry no version. */
  | { readonly op: 'config-remove'; readonly id: string; readonly name: string }
  | {
      /** An object of a stack, by full id too; never one of the agent's own. */
      readonly op: `${StackNoun}-remove`;
      readonly id: string;
      readonly name: string;
      readonly stack: string;
    }
  | {
      /** A password that an account had, by full id too: it is in no stack. */
      readonly op: 'secret-remove';
      readonly id: string;
      readonly name: string;
      /** The id of the account's unit. */
      readonly account: string;
    }
  | { readonly op: 'service-create'; readonly body: ServiceSpec }
  | {
      readonly op: 'service-update';
      readonly id: string;
      /** The version read when the difference was found: the engine refuses any other. */
      readonly version: number;
      readonly body: ServiceSpec;
      /** The image comes from another registry than before, for which the login that the engine keeps is not. */
      readonly otherRegistry?: true;
    };

/** The Swarm, as the stack provider sees it: through one manager's engine. */
export interface Swarm {
  /** Bulk: one call a collection, side by side. `unknown` when any of them failed: there is no partial answer. */
  observe(signal: AbortSignal): Promise<CallOutcome<SwarmState>>;
  /** Which Swarm and which of its nodes this engine is: `GET /info`. `refused` where it is not a manager. */
  identity(signal: AbortSignal): Promise<
    CallOutcome<{
      readonly swarmId: string;
      readonly nodeId: string;
      /** The host's name. */
      readonly nodeName: string;
    }>
  >;
  /** Whether a container of this very engine runs, by its full id; undefined where it has none such: `GET /containers/{id}/json`. */
  containerRuns(id: string, signal: AbortSignal): Promise<CallOutcome<boolean | undefined>>;
  /**
   * Whether a registry has the image, as this engine sees it: `GET /distribution/{image}/json`. `open`: the registry is out
   * of order (5xx, timeout, TLS, refused), which says nothing about the image. `login`: one was sent.
   */
  image(
    image: string,
    signal: AbortSignal,
  ): Promise<
    CallOutcome<{
      readonly found: 'there' | 'missing' | 'denied' | 'open';
      readonly why: string;
      readonly login?: true;
    }>
  >;
  /** Whether this very engine has the image: `GET /images/{image}/json`. No registry is asked. */
  hasImage(image: string, signal: AbortSignal): Promise<CallOutcome<boolean>>;
  /** What a task wrote last, on whatever node it ran: `GET /tasks/{id}/logs`. A few lines; they may hold anything. */
  taskLog(task: string, signal: AbortSignal): Promise<CallOutcome<string>>;
  /** What the last healthcheck of a container wrote, which may be anything; undefined where this engine has none of it: `GET /containers/{id}/json`. */
  lastCheck(container: string, signal: AbortSignal): Promise<CallOutcome<string | undefined>>;
  /** One config of the agent's own by its name, read alone; undefined where there is none: `GET /configs/{name}`. */
  configNamed(name: string, signal: AbortSignal): Promise<CallOutcome<ConfigHead | undefined>>;
  /** Carries out one write. A create gives the new object's id, an update the service's. */
  call(call: StackCall, signal: AbortSignal): Promise<CallOutcome<{ readonly id: string }>>;
}
