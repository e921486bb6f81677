/** What one reading of a Swarm gave to the doctor. Times are milliseconds since 1970, by the clocks of the engines. */
export interface Inspection {
  /** The engine that was asked. */
  readonly engine: { readonly nodeId: string; readonly name: string };
  readonly settings: SwarmSettings;
  readonly nodes: readonly SwarmNode[];
  readonly networks: readonly SwarmNetwork[];
  readonly services: readonly SwarmService[];
  readonly tasks: readonly SwarmTask[];
}

/** What `docker swarm init` and `docker swarm update` set. */
export interface SwarmSettings {
  readonly swarmId: string;
  /** So many ended tasks of a slot are kept; below 0: all of them. */
  readonly historyLimit: number;
  readonly raft: {
    /** Entries of the log between two snapshots. */
    readonly snapshotInterval: number;
    readonly keepOldSnapshots: number;
    readonly slowFollowerEntries: number;
    readonly electionTick: number;
    readonly heartbeatTick: number;
  };
  readonly heartbeatMs: number;
  /** How long a node's certificate lasts. */
  readonly certificateMs: number;
  readonly rootRotates: boolean;
  /** PEM of the Swarm's own authority; empty where the engine does not say. */
  readonly trustRoot: string;
  /** Where the Swarm takes the subnets of networks that ask for none: CIDR. */
  readonly addressPools: readonly string[];
  /** Prefix length of a subnet from the pool. */
  readonly subnetSize: number;
}

export interface SwarmNode {
  readonly id: string;
  readonly name: string;
  readonly role: 'manager' | 'worker';
  /** `active`, `pause`, `drain`. */
  readonly availability: string;
  /** `ready`, `down`, `unknown`, `disconnected`. */
  readonly state: string;
  readonly message: string;
  readonly address: string;
  /** Of a manager: `reachable`, `unreachable`, `unknown`. */
  readonly reachability?: string;
  readonly engineVersion: string;
  readonly trustRoot: string;
  readonly updatedMs: number;
}

export interface SwarmNetwork {
  readonly id: string;
  readonly name: string;
  /** `swarm`, or `local`: of the engine that was asked. */
  readonly scope: string;
  /** Empty: the Swarm could not give it what it needs. */
  readonly driver: string;
  readonly isIngress: boolean;
  readonly createdMs: number;
  /** CIDR. */
  readonly subnets: readonly string[];
  /** Of the label that `docker stack deploy` sets; empty: none. */
  readonly stack: string;
  /** Containers of the engine that was asked. */
  readonly containers: number;
}

export interface SwarmService {
  readonly id: string;
  readonly name: string;
  readonly mode: 'replicated' | 'global' | 'job';
  /** Of a replicated one. */
  readonly replicas: number;
  /** Ids. */
  readonly networks: readonly string[];
  /** It gets an address of its own in each of its networks. */
  readonly hasVip: boolean;
  /** It publishes a port on every node, and so is in the ingress network. */
  readonly publishes: boolean;
  readonly vips: readonly { readonly networkId: string; readonly address: string }[];
  readonly createdMs: number;
}

export interface SwarmTask {
  readonly id: string;
  readonly serviceId: string;
  /** Empty: none yet. */
  readonly nodeId: string;
  readonly state: string;
  readonly desiredState: string;
  readonly error: string;
  readonly createdMs: number;
  readonly addresses: readonly { readonly networkId: string; readonly address: string }[];
}
