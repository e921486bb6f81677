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

/** As `ConfigSpec`; the content cannot be printed. */
export interface SecretSpec {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** base64 */
  readonly data: Secret;
  readonly templating?: string;
}

/** How long a stack may take and how long it must stay well. Milliseconds. */
export interface HealthSpec {
  /** Without progress. */
  readonly timeoutMs: number;
  readonly stableForMs: number;
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
}
