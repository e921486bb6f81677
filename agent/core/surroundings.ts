import {
  Environment,
  ENVIRONMENT_UNSUPPORTED,
  Policy,
  Defaults,
} from '../../schemas/environment.ts';
import type { Allow } from '../../schemas/environment.ts';
import { REPOSITORY_UNSUPPORTED, Repository } from '../../schemas/repository.ts';
import type { StackDefaults } from '../../schemas/stack.ts';
import type { ReadCron } from './change-rules.ts';
import type { Diagnostic } from './diagnostic.ts';
import { readDocument } from './document.ts';
import type { DocumentText, Read } from './document.ts';
import { type ImageRules, imageRulesOf, type LockFile } from './image-rules.ts';
import type { DataMovement } from './repository-settings.ts';
import { defaultRemovals, type RemovalPolicy } from './removal.ts';
import { sealedPolicy, sealedVariables, type SealedVariables } from './sealed-environment.ts';

/** `policy.allow` with nothing left open. */
export type AllowRules = { readonly [Key in keyof Allow]-?: NonNullable<Allow[Key]> };

/** What every unit is rendered with: understudy.yaml and the Environment, the latter on top. */
export interface Surroundings {
  readonly environment: string;
  /** Text as written. */
  readonly variables: Readonly<Record<string, string>>;
  /** Which of them are encrypted; absent: none. */
  readonly sealed?: SealedVariables;
  readonly allow: AllowRules;
  /** What is asked of images; absent: nothing. */
  readonly images?: ImageRules;
  readonly stack: StackDefaults;
}

/** What is allowed where nobody wrote anything. */
export const denied: AllowRules = {
  binds: [],
  dockerSocket: false,
  hostNetwork: false,
  capabilities: [],
  sysctls: [],
  plugins: false,
  subpath: false,
  undefinedVariables: false,
  checkout: '',
  home: '',
  moreDocuments: false,
  emptyStacks: false,
  unworkable: false,
};

/** Pure. Reads understudy.yaml. */
export function readRepository(file: string, text: string): Read<Repository> {
  return readDocument(file, text, { schema: Repository, unsupported: REPOSITORY_UNSUPPORTED });
}

/** An Environment, and which of its variables are encrypted. */
export type ReadEnvironment = Read<Environment> & { readonly sealed?: SealedVariables };

/** How Environments are read. */
export interface EnvironmentReading {
  /** Says whether a cron expression can be read. */
  readonly readCron: ReadCron;
  /** Keys that are acted upon although this version, as it is for its users, does not. Absent: none. */
  readonly supported?: readonly string[];
}

/** Pure. Reads an Environment. */
export function readEnvironment(
  file: string,
  { text, clears }: DocumentText,
  { readCron, supported = [] }: EnvironmentReading,
): ReadEnvironment {
  const name = file.replace(/^.*\//, '').replace(/\.yaml$/, '');
  const read = readDocument(file, text, {
    schema: Environment,
    unsupported: ENVIRONMENT_UNSUPPORTED.filter((key) => !supported.includes(key)),
    clears,
    given: { kind: 'Environment', name },
  });
  const closed = sealedPolicy(read);
  // Not even read: it could say what nobody has seen.
  if (closed.length > 0) return { diagnostics: closed };
  const sealed = sealedVariables(read, clears);
  return { ...withMistakes(read, name, readCron), ...(sealed && { sealed }) };
}

function withMistakes(
  read: Read<Environment>,
  name: string,
  readCron: ReadCron,
): Read<Environment> {
  const { value, located } = read;
  if (value === undefined || located === undefined) return read;
  const mistakes: Diagnostic[] = [];
  if (value.name !== name) {
    mistakes.push({
      severity: 'error',
      code: 'wrong-name',
      message: `the file is called \`${name}.yaml\`, so the environment's name is \`${name}\``,
      place: located.place(['name'], 'value'),
      hint: `write \`name: ${name}\` or rename the file`,
    });
  }
  for (const [index, window] of (value.windows ?? []).entries()) {
    if (readCron(window.cron) !== undefined) continue;
    mistakes.push({
      severity: 'error',
      code: 'wrong-value',
      message: 'this is not a cron expression, or one that never comes',
      place: located.place(['windows', index, 'cron'], 'value'),
      hint: 'write five fields of numbers, names, lists, ranges and steps, such as `0 2 * * 1-5`',
    });
  }
  return { ...read, diagnostics: [...read.diagnostics, ...mistakes] };
}

/** What stands around the units, as far as two documents with mistakes can tell. */
export interface Found {
  readonly surroundings: Surroundings;
  /** False: a `policy` could not be read, so that what it forbids is not known. */
  readonly policyKnown: boolean;
}

/** Pure. Undefined where not even the variables can be read: then no unit can be judged. */
export function surroundingsOf(
  environment: string,
  repository: Read<Repository> | undefined,
  document: ReadEnvironment,
  lock: LockFile = 'none',
): Found | undefined {
  const variables = variablesOf(document);
  if (variables === undefined) return undefined;
  const below = partsOf(repository);
  const above = partsOf(document);
  const defaults = [below.defaults?.stack ?? {}, above.defaults?.stack ?? {}];
  return {
    surroundings: {
      environment,
      variables,
      ...(document.sealed && { sealed: document.sealed }),
      allow: { ...denied, ...defined(below.policy?.allow), ...defined(above.policy?.allow) },
      images: imageRulesOf([below.policy?.images, above.policy?.images], lock),
      stack: {
        ...defaults[0],
        ...defaults[1],
        health: { ...defaults[0]?.health, ...defaults[1]?.health },
        rollback: { ...defaults[0]?.rollback, ...defaults[1]?.rollback },
      },
    },
    policyKnown: below.policy !== undefined && above.policy !== undefined,
  };
}

/** Pure. How much a revision may remove without a person; the Environment wins, key by key. */
export function removalsOf(
  repository: Read<Repository> | undefined,
  document: Read<Environment>,
): RemovalPolicy {
  const [below, above] = [repository, document].map((read) => partsOf(read).policy?.removals);
  return {
    max: above?.max ?? below?.max ?? defaultRemovals.max,
    share: above?.share ?? below?.share ?? defaultRemovals.share,
  };
}

/** Pure. Whether changes may move data in clusters. Absent: nobody says. */
export function dataMovementOf(
  repository: Read<Repository> | undefined,
  document: Read<Environment>,
): DataMovement | undefined {
  const [below, above] = [repository, document].map((read) => partsOf(read).policy?.ceph);
  return above?.dataMovement ?? below?.dataMovement;
}

/** Pure. Without keys whose value is undefined, so that they do not hide what is below. */
function defined(allow: Allow | undefined): Partial<AllowRules> {
  return Object.fromEntries(Object.entries(allow ?? {}).filter(([, value]) => value !== undefined));
}

function variablesOf({ located }: Read<unknown>): Record<string, string> | undefined {
  const written = fieldOf(located?.value, 'variables') ?? {};
  if (located === undefined || !isMapping(located.value) || !isMapping(written)) return undefined;
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : (located.text(['variables', name]) ?? String(value)),
    ]),
  );
}

function partsOf(read: Read<unknown> | undefined) {
  const value = read?.located?.value;
  return {
    policy: Policy.safeParse(fieldOf(value, 'policy') ?? {}).data,
    defaults: Defaults.safeParse(fieldOf(value, 'defaults') ?? {}).data,
  };
}

function fieldOf(value: unknown, key: string): unknown {
  return isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
