import type { Id } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { NetworkCreate, ServiceSpec } from './engine-api.ts';

/** A config that the stack itself makes from a file of the repository. */
export interface ConfigSpec {
  /** The full Swarm name while content has not changed yet: `blog_site`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** base64 */
  readonly data: string;
  readonly templating?: string;
}

/** As `ConfigSpec`; the content cannot be printed, or is not here at all. */
export type SecretSpec = Omit<ConfigSpec, 'data'> & SecretSource;

/** Where the content of a secret comes from. */
export type SecretSource =
  | {
      /** base64 */
      readonly data: Secret;
      readonly driver?: never;
    }
  | { readonly driver: SecretDriver; readonly data?: never };

/** A plugin of the engine that holds the content. */
export interface SecretDriver {
  readonly name: string;
  readonly options?: Readonly<Record<string, string>>;
}

/** One probe of a stack. Times in milliseconds. */
export interface CheckSpec {
  /** For messages; one of a kind in its stack. */
  readonly name: string;
  readonly target:
    | ({
        readonly protocol: 'http';
        /** The Host header. */
        readonly host?: string;
        /** Ranges, ends included. */
        readonly status: readonly { readonly from: number; readonly to: number }[];
        readonly contains?: string;
      } & ({ readonly at: Published; readonly path: string } | { readonly url: string }))
    | { readonly protocol: 'tcp'; readonly at: Published };
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many in a row, after a good answer, are a certain failure. */
  readonly failures: number;
}

/** A port that a service publishes on the nodes. */
export interface Published {
  /** Compose key. */
  readonly service: string;
  /** The port on the node, not the one inside the container. */
  readonly port: number;
}

/** How long a stack may take, how long it must stay well, and what is asked of it. Milliseconds. */
export interface HealthSpec {
  /** Without progress. */
  readonly timeoutMs: number;
  readonly stableForMs: number;
  readonly checks: readonly CheckSpec[];
}

/** What happens to a stack that fails, and how many healthy releases are kept (1 to 5). */
export interface RollbackSpec {
  readonly mode: 'auto' | 'hold';
  readonly keep: number;
}

/**
 * A stack as the repository wants it. Services are as `docker stack deploy` would send them, but
 * networks, configs and secrets stand by name: the ids are known only when the call is made.
 * All maps are keyed by the Compose key.
 */
export interface StackSpec {
  readonly name: string;
  readonly services: Readonly<Record<string, ServiceSpec>>;
  readonly networks: Readonly<Record<string, NetworkCreate>>;
  readonly configs: Readonly<Record<string, ConfigSpec>>;
  readonly secrets: Readonly<Record<string, SecretSpec>>;
  readonly health: HealthSpec;
  readonly rollback: RollbackSpec;
  /** `hold`: it is not removed without a person. Absent: `auto`. */
  readonly removal?: 'hold';
  /** What its files say of what left the Compose file: false, it stays. Absent: it goes, as with true. */
  readonly prune?: boolean;
  /** Fields that others change, as `stack.yaml` names them: what is live counts, the file only for a new service. */
  readonly ignore?: readonly string[];
  /** Units whose values it names, which stand-ins stand for (`standInFor`). */
  readonly outputs?: readonly Id[];
  /** Variables by service whose values come from encrypted files and are shown nowhere. */
  readonly hidden?: Hidden;
  /** Values from encrypted documents stand elsewhere in it: none of its values is shown. */
  readonly veiled?: true;
  /** Of a release: names of secrets that stood for passwords of accounts, with the units of these. */
  readonly generated?: Readonly<Record<string, string>>;
}

/** Names of variables by service. */
export type Hidden = Readonly<Record<string, readonly string[]>>;
