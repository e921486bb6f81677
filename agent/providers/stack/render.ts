import { Stack } from '../../../schemas/stack.ts';
import type { StackDefaults } from '../../../schemas/stack.ts';
import { type Diagnostic, type Place, placeOfFile } from '../../core/diagnostic.ts';
import { digestOf } from '../../core/digest.ts';
import { documentText, readDocument } from '../../core/document.ts';
import type { Read } from '../../core/document.ts';
import type { Id } from '../../core/kind.ts';
import type { Dependency, FolderInput, FolderKind, FolderOutput } from '../../core/folder-kind.ts';
import { closedOutput, ofEncryption, withoutValues } from './closed.ts';
import { convertChecks, type WrittenChecks } from './checks.ts';
import { composeFiles } from './compose-files.ts';
import { type ComposeInput, renderCompose, type RenderedCompose } from './compose/render.ts';
import type { ServiceSpec } from './engine-api.ts';
import { type GivenVariables, givenVariables } from './given-variables.ts';
import { convertIgnore } from './ignore.ts';
import { SealedFiles } from './sealed-files.ts';
import type { CheckSpec, HealthSpec, RollbackSpec, StackSpec } from './spec.ts';

const NANOSECONDS = 1_000_000;
const TIMEOUT_MS = 5 * 60_000;
const STABLE_FOR_MS_MIN = 30_000;
const RELEASES_KEPT = 3;
/** What the engine uses where a healthcheck names no interval. */
const HEALTHCHECK_INTERVAL_MS = 30_000;

/** Folders of `stacks/`. */
export const stackFolders: FolderKind<StackSpec> = { kind: 'stack', render: renderStack };

/** Pure. One folder of `stacks/` as the Swarm objects it asks for. */
export function renderStack(input: FolderInput): FolderOutput<StackSpec> {
  const sealed = new SealedFiles(input);
  const { openDocument } = sealed;
  const output = renderOpened({ ...input, ...(openDocument && { openDocument }) }, sealed);
  const { words, places } = sealed;
  return {
    ...output,
    diagnostics: withoutValues(output.diagnostics, sealed),
    ...(words.length > 0 && { words }),
    ...(places.size > 0 && { sealedAt: places }),
  };
}

function renderOpened(input: FolderInput, sealed: SealedFiles): FolderOutput<StackSpec> {
  const { name, surroundings } = input;
  const document = readStack(input);
  sealed.inStack(document.located);
  const depends = dependenciesOf(document);
  const movedFrom = movedFromOf(document);
  const single = singleIn(input, document);
  const { files, paths, diagnostics: unreadable } = composeFiles(input, document);
  const [first, ...over] = files;
  const given = givenVariables(input, depends);
  const around = aroundCompose(input, { given, movedFrom, isSingle: single !== undefined });
  const compose: RenderedCompose =
    first === undefined || isWrong(unreadable)
      ? { diagnostics: [] }
      : renderCompose({ stack: name, ...first, over, ...around, sealed });
  const nothing = { claims: [], depends, files: paths, ...(movedFrom && { movedFrom }) };
  const certain = [...unreadable, ...given.diagnostics, ...sealed.mistakes];
  if (sealed.isClosed) {
    const sure = [...certain, ...sureMistakes(document, compose.diagnostics)];
    return closedOutput(name, { ...nothing, diagnostics: sure }, sealed);
  }
  const found = [...document.diagnostics, ...certain, ...compose.diagnostics];
  if (isWrong(found) || first === undefined || compose.result === undefined) {
    return { ...nothing, diagnostics: found };
  }
  const { needs, ...objects } = compose.result;
  const written = writtenChecks(surroundings.stack, document, first.file);
  const { checks, ...converted } = convertChecks(written, objects.services);
  const ignored = ignoredIn(document, objects.services, single !== undefined);
  const diagnostics = [...found, ...converted.diagnostics, ...ignored.diagnostics];
  if (isWrong(diagnostics)) return { ...nothing, diagnostics };
  const spec: StackSpec = {
    name,
    ...objects,
    health: healthOf([surroundings.stack, document.value ?? {}], objects.services, checks),
    ...rulesIn(input, document),
    ...listsIn(ignored.fields, given.units),
    ...sealed.inSpec,
  };
  const gives = givesOf(spec);
  return {
    rendered: {
      id: `stack/${name}`,
      spec,
      digest: digestOf(spec),
      place: placeOfFile(first.file),
      dependsOn: [...new Set(depends.map(({ on }) => on))],
      needs,
      gives,
      // Beside the spec, so beside the digest: to suspend a stack is no new version of it.
      ...(document.value?.suspend === true && { suspended: true }),
      ...(movedFrom && { movedFrom: movedFrom.on }),
      ...sealed.inUnit,
    },
    ...nothing,
    ...(single && { single }),
    claims: claimsOf(spec, gives),
    state: stateOf(objects.services),
    diagnostics,
  };
}

/** As they are written: an empty list is none. */
function listsIn(
  ignore: readonly string[],
  outputs: readonly Id[],
): Pick<StackSpec, 'ignore' | 'outputs'> {
  return { ...(ignore.length > 0 && { ignore }), ...(outputs.length > 0 && { outputs }) };
}

/** What is wrong in any case, whatever is encrypted. */
function sureMistakes(
  { located, diagnostics }: StackDocument,
  ofCompose: readonly Diagnostic[],
): readonly Diagnostic[] {
  const isSealed = (located?.sealed ?? []).length > 0;
  return [...(isSealed ? [] : diagnostics), ...ofCompose.filter(ofEncryption)];
}

/** What becomes of what fails, and of what leaves the repository. As it is written, so that what nobody wrote asks for the same thing whatever the default is. */
function rulesIn(
  { surroundings }: FolderInput,
  { value }: StackDocument,
): Pick<StackSpec, 'rollback' | 'removal' | 'prune'> {
  const prune = value?.prune ?? surroundings.stack.prune;
  return {
    rollback: rollbackOf([surroundings.stack, value ?? {}]),
    ...(value?.removal === 'hold' && { removal: 'hold' }),
    ...(prune !== undefined && { prune }),
  };
}

/** Where it is written that no service may run twice, nearest first; undefined: it is not. */
function singleIn(
  { name, surroundings }: FolderInput,
  { value, located }: StackDocument,
): Place | undefined {
  const instances = value?.instances ?? surroundings.stack.instances;
  if (instances !== 'single') return undefined;
  const own = value?.instances !== undefined && located !== undefined;
  return own
    ? located.place(['instances'], 'value')
    : placeOfFile(located?.file ?? `stacks/${name}/compose.yaml`);
}

/** Named volumes that it writes to. What is mounted read-only is the state of somebody else. */
function stateOf(services: Readonly<Record<string, ServiceSpec>>): readonly string[] {
  const volumes = Object.values(services).flatMap(
    ({ TaskTemplate: { ContainerSpec: container } }) =>
      (container.Mounts ?? []).flatMap(({ Type, Source = '', ReadOnly }) =>
        Type === 'volume' && Source !== '' && ReadOnly !== true ? [`volume \`${Source}\``] : [],
      ),
  );
  return [...new Set(volumes)];
}

type Around =
  | 'variables'
  | 'environment'
  | 'allow'
  | 'images'
  | 'read'
  | 'pin'
  | 'outputs'
  | 'movedFrom'
  | 'single';

function aroundCompose(
  { surroundings: { environment, allow, images }, read, pin, outputs }: FolderInput,
  {
    given: { variables },
    movedFrom: moved,
    isSingle,
  }: {
    readonly given: GivenVariables;
    readonly movedFrom?: Dependency | undefined;
    readonly isSingle: boolean;
  },
): Pick<ComposeInput, Around> {
  const movedFrom = moved && { movedFrom: moved.on.slice('stack/'.length) };
  const beside = {
    ...(images && { images }),
    ...(pin && { pin }),
    ...(outputs && { outputs }),
    ...movedFrom,
  };
  return { variables, environment, allow, read, single: isSingle, ...beside };
}

function claimsOf(spec: StackSpec, gives: readonly string[]): readonly string[] {
  const services = Object.values(spec.services).map((service) => `service:${service.Name}`);
  return [...services, ...gives].map((claim) => claim.toLowerCase());
}

function ignoredIn(
  { value, located }: StackDocument,
  services: Readonly<Record<string, ServiceSpec>>,
  single: boolean,
): ReturnType<typeof convertIgnore> {
  if (value?.ignore === undefined || located === undefined) return { fields: [], diagnostics: [] };
  const placeOf = (index: number): Place => located.place(['ignore', index]);
  return convertIgnore(value.ignore, { services, single }, placeOf);
}

function isWrong(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

type StackDocument = Read<Stack>;

function readStack({ name, folder, read, openDocument }: FolderInput): StackDocument {
  const file = `${folder}/stack.yaml`;
  const bytes = read(file);
  if (bytes === undefined) return { diagnostics: [] };
  const { document, diagnostics: unreadable } = documentText(file, bytes, openDocument);
  if (document === undefined) return { diagnostics: unreadable };
  const { text, clears } = document;
  const reading = { schema: Stack, unsupported: [], clears };
  const { value, located, diagnostics } = readDocument(file, text, reading);
  if (value?.name === undefined || value.name === name || located === undefined) {
    return { ...(value && { value }), ...(located && { located }), diagnostics };
  }
  const mistake: Diagnostic = {
    severity: 'error',
    code: 'wrong-name',
    message: `the folder is called \`${name}\`, so the stack's name is \`${name}\``,
    place: located.place(['name'], 'value'),
    hint: 'leave `name` out: the folder names the stack',
  };
  return { value, diagnostics: [...diagnostics, mistake] };
}

function dependenciesOf({ value, located }: StackDocument): readonly Dependency[] {
  if (located === undefined) return [];
  return (value?.dependsOn ?? []).map((on, index) => {
    return { on, place: located.place(['dependsOn', index], 'value') };
  });
}

function movedFromOf({ value, located }: StackDocument): Dependency | undefined {
  if (located === undefined || value?.movedFrom === undefined) return undefined;
  return { on: `stack/${value.movedFrom}`, place: located.place(['movedFrom'], 'value') };
}

/** The stack's own list counts as a whole, and without one that of the defaults. `file`: the Compose file. */
function writtenChecks(
  defaults: StackDefaults,
  { value, located }: StackDocument,
  file: string,
): WrittenChecks {
  const own = value?.health?.checks;
  if (own !== undefined && located !== undefined) {
    return { checks: own, place: (path) => located.place(['health', 'checks', ...path]) };
  }
  const origin = ' (a check of `defaults.stack`)';
  const place = placeOfFile(located?.file ?? file);
  return { checks: defaults.health?.checks ?? [], place: () => place, origin };
}

/** Pure. Later layers win, key by key. */
function rollbackOf(layers: readonly StackDefaults[]): RollbackSpec {
  const { mode, keep } = { ...layers[0]?.rollback, ...layers[1]?.rollback };
  return { mode: mode ?? 'auto', keep: keep ?? RELEASES_KEPT };
}

/** Pure. Later layers win, key by key. */
function healthOf(
  layers: readonly StackDefaults[],
  services: Readonly<Record<string, ServiceSpec>>,
  checks: readonly CheckSpec[],
): HealthSpec {
  const health = { ...layers[0]?.health, ...layers[1]?.health };
  return {
    timeoutMs: health.timeout ?? TIMEOUT_MS,
    stableForMs: health.stableFor ?? stableForMs(services),
    checks,
  };
}

/** Pure. The larger of 30 s and three times the longest healthcheck interval. */
export function stableForMs(services: Readonly<Record<string, ServiceSpec>>): number {
  const intervals = Object.values(services).map((service) => {
    const check = service.TaskTemplate.ContainerSpec.Healthcheck;
    if (check === undefined || check.Test?.[0] === 'NONE') return 0;
    const writtenMs = (check.Interval ?? 0) / NANOSECONDS;
    return writtenMs > 0 ? writtenMs : HEALTHCHECK_INTERVAL_MS;
  });
  return Math.max(STABLE_FOR_MS_MIN, ...intervals.map((ms) => 3 * ms));
}

function givesOf(spec: StackSpec): readonly string[] {
  return [
    ...Object.values(spec.networks).map(({ Name }) => `network:${Name}`),
    ...Object.values(spec.configs).map(({ name }) => `config:${name}`),
    ...Object.values(spec.secrets).map(({ name }) => `secret:${name}`),
  ];
}
