import type { ServiceSpec } from '../engine-api.ts';
import type { StackObserved } from '../observed.ts';
import { Section } from './sections.ts';

/** What is written of one stack while it is read. */
export interface Writing {
  readonly stack: string;
  readonly observed: StackObserved;
  readonly networks: Section;
  readonly volumes: Section;
  readonly configs: Section;
  readonly secrets: Section;
  /** Names of the configs that any of its services uses. */
  readonly configsInUse: ReadonlySet<string>;
  /** Contents of configs by their path from the stack's folder. */
  readonly files: Map<string, Uint8Array>;
  /** Of networks, left out because the engine may have chosen them: `10.0.1.0/24 of blog_default`. */
  readonly subnets: string[];
  /** What a person should know about what was written. */
  readonly notes: Set<string>;
}

/** Nothing is written yet. */
export function beginWriting(
  stack: string,
  observed: StackObserved,
  services: readonly ServiceSpec[],
): Writing {
  const uses = services.flatMap(({ TaskTemplate: task }) => task.ContainerSpec.Configs ?? []);
  return {
    stack,
    observed,
    networks: new Section(),
    volumes: new Section(),
    configs: new Section(),
    secrets: new Section(),
    configsInUse: new Set(uses.map(({ ConfigName }) => ConfigName)),
    files: new Map(),
    subnets: [],
    notes: new Set(),
  };
}
