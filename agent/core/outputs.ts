import type { FolderOutput } from './folder-kind.ts';
import type { Id } from './kind.ts';

/** Which variables units give to those that depend on them. */
export interface Outputs {
  /** Undefined: it gives none. */
  variableOf(id: Id): string | undefined;
  /** The first by id of those that give it. Undefined: nobody does. */
  giverOf(variable: string): Id | undefined;
}

/** Pure. What the units of a revision give. */
export function outputsOf(
  outputs: Iterable<{
    readonly id: Id;
    readonly output: Pick<FolderOutput<unknown>, 'variable'>;
  }>,
): Outputs {
  const variables = new Map<Id, string>();
  const givers = new Map<string, Id>();
  for (const { id, output } of outputs) {
    if (output.variable === undefined) continue;
    variables.set(id, output.variable);
    const before = givers.get(output.variable);
    if (before === undefined || id < before) givers.set(output.variable, id);
  }
  return {
    variableOf: (id) => variables.get(id),
    giverOf: (variable) => givers.get(variable),
  };
}

/** What was asked, with the answers. */
export interface AskedOutputs {
  readonly units: ReadonlyMap<Id, string | undefined>;
  readonly variables: ReadonlyMap<string, Id | undefined>;
}

/** Pure. Whether everything is answered as it was. */
export function fitOutputs({ units, variables }: AskedOutputs, outputs: Outputs): boolean {
  for (const [id, variable] of units) if (outputs.variableOf(id) !== variable) return false;
  for (const [variable, id] of variables) if (outputs.giverOf(variable) !== id) return false;
  return true;
}

/** Notes what is asked. */
export class NotedOutputs implements Outputs, AskedOutputs {
  readonly units = new Map<Id, string | undefined>();
  readonly variables = new Map<string, Id | undefined>();
  readonly #of: Outputs;

  constructor(of: Outputs) {
    this.#of = of;
  }

  variableOf(id: Id): string | undefined {
    const variable = this.#of.variableOf(id);
    this.units.set(id, variable);
    return variable;
  }

  giverOf(variable: string): Id | undefined {
    const id = this.#of.giverOf(variable);
    this.variables.set(variable, id);
    return id;
  }
}

/**
 * Pure. What stands in a rendered unit for the value that another one gives, until that is known. It looks like a path, as values
 * do so far. No name of an id begins with a dot: none of these is the beginning of another one.
 */
export function standInFor(id: Id): string {
  return `/understudy.output/${id}/.value`;
}
