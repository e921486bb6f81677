import type { Compose } from '../../../../schemas/compose.ts';
import { anyImage, type ImageRules } from '../../../core/image-rules.ts';
import type { Pin } from '../../../core/images-lock.ts';
import { Secret } from '../../../core/secret.ts';
import type { ConfigSpec, SecretSpec } from '../spec.ts';
import type { Context, Declared } from './context.ts';
import { isExternal } from './context.ts';
import type { FileContent, FileKind, FileUse } from './files.ts';
import { convertFiles } from './files.ts';
import { bytewise, isComposeKey } from './names.ts';
import { checkNetworks, convertNetworks } from './networks.ts';
import { notePortConflicts } from './publish.ts';
import type { ComposeResult } from './render.ts';
import type { ConvertedService } from './service.ts';
import { convertService } from './service.ts';
import { isMapping } from './variables.ts';
import { checkVolumes } from './volumes.ts';

/** Most ports of one stack: a range of thousands is one short line. */
const PORTS_MAX = 8192;

type Surroundings = Omit<
  Context,
  'networks' | 'volumes' | 'configs' | 'secrets' | 'images' | 'pin'
> &
  ImageInput;

/** What is asked of images, and what pins them; absent: nothing. */
export interface ImageInput {
  readonly images?: ImageRules;
  readonly pin?: Pin;
}

/** Pure. What conversions may look at; `written` tells which keys the file declares, well or badly. */
export function contextOf(compose: Compose, written: unknown, rest: Surroundings): Context {
  const { stack, folder, variables, environment, read, allow, notes } = rest;
  const { sealed, outputs, movedFrom, resolved } = rest;
  return {
    ...(environment !== undefined && { environment }),
    ...(movedFrom !== undefined && { movedFrom }),
    stack,
    folder,
    variables,
    read,
    ...(sealed && { sealed }),
    ...(outputs && { outputs }),
    allow,
    images: rest.images ?? anyImage,
    pin: rest.pin ?? (() => undefined),
    ...(resolved === true && { resolved }),
    notes,
    networks: declared(compose.networks, written, 'networks'),
    volumes: declared(compose.volumes, written, 'volumes'),
    configs: declared(compose.configs, written, 'configs'),
    secrets: declared(compose.secrets, written, 'secrets'),
  };
}

function declared<Entry>(
  entries: Readonly<Record<string, Entry | null>> | undefined,
  written: unknown,
  section: string,
): Declared<Entry> {
  const top = isMapping(written) ? written[section] : undefined;
  return {
    entries: new Map(Object.entries(entries ?? {})),
    has: (key) => (top === undefined ? false : !isMapping(top) || Object.hasOwn(top, key)),
  };
}

/** Converts all of a stack; mistakes go to the context's notes. */
export function convertStack(compose: Compose, context: Context): ComposeResult {
  noteNames(compose, context);
  const services = convertServices(compose, context);
  const used = new Set(services.flatMap(({ networks }) => networks));
  notePortConflicts(services, context.notes);
  checkVolumes(context);
  checkNetworks(used, context);
  const { networks, needs } = convertNetworks(used, context);
  const configs = convertFiles('config', context);
  const secrets = convertFiles('secret', context);
  noteSameNames({ network: networksByName(networks), config: configs, secret: secrets }, context);
  return {
    services: Object.fromEntries(services.map(({ name, spec }) => [name, spec])),
    networks,
    configs: mapped(configs, (content) => configSpec(content)),
    secrets: mapped(secrets, (content) => secretSpec(content)),
    needs: [
      ...new Set([
        ...needs,
        ...fileNeeds('config', services, context),
        ...fileNeeds('secret', services, context),
      ]),
    ].toSorted(bytewise),
  };
}

function convertServices(compose: Compose, context: Context): ConvertedService[] {
  const services: ConvertedService[] = [];
  let ports = 0;
  for (const [name, service] of Object.entries(compose.services ?? {})) {
    const converted = convertService(name, service, context);
    ports += converted.ports.length;
    if (ports > PORTS_MAX) {
      const message = `the services of a stack can have ${String(PORTS_MAX)} ports, here are more`;
      context.notes.error('too-large', ['services', name, 'ports'], message);
      break;
    }
    services.push(converted);
  }
  return services;
}

function noteNames(compose: Compose, { notes }: Context): void {
  // Docker takes any key as the name of a network; the engine judges those that are made.
  for (const section of ['services', 'volumes', 'configs', 'secrets'] as const) {
    for (const key of Object.keys(compose[section] ?? {})) {
      if (isComposeKey(key)) continue;
      notes.errorAtKey(
        'wrong-name',
        [section, key],
        'a name consists of letters, digits, `.`, `_` and `-`',
      );
    }
  }
}

function networksByName(networks: ComposeResult['networks']): Record<string, { name: string }> {
  return mapped(networks, ({ Name }) => ({ name: Name }));
}

/** Two keys with one `name`: whichever comes second would be refused, or take the other over. */
function noteSameNames(
  kinds: Readonly<Record<string, Readonly<Record<string, { readonly name: string }>>>>,
  { notes }: Context,
): void {
  for (const [kind, entries] of Object.entries(kinds)) {
    const keys = new Map<string, string>();
    for (const [key, { name }] of Object.entries(entries)) {
      const other = keys.get(name.toLowerCase());
      if (other !== undefined) {
        notes.errorAtKey(
          'name-conflict',
          [`${kind}s`, key],
          `the ${kind}s \`${other}\` and \`${key}\` have the same name \`${name}\``,
        );
      }
      keys.set(name.toLowerCase(), key);
    }
  }
}

function fileNeeds(
  kind: FileKind,
  services: readonly ConvertedService[],
  context: Context,
): readonly string[] {
  const section = `${kind}s` as const;
  const uses: readonly Omit<FileUse, 'file'>[] = services.flatMap((service) => service[section]);
  return uses
    .filter(({ key }) => isExternal(context[section].entries.get(key)?.external))
    .map(({ name }) => `${kind}:${name}`);
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  convert: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, convert(value)]));
}

function configSpec(content: FileContent): ConfigSpec {
  if ('driver' in content) throw new Error('bug: a config with a driver');
  const { bytes, ...rest } = content;
  return { ...rest, data: Buffer.from(bytes).toString('base64') };
}

function secretSpec(content: FileContent): SecretSpec {
  if ('driver' in content) return content;
  const { bytes, ...rest } = content;
  return { ...rest, data: new Secret(Buffer.from(bytes).toString('base64')) };
}
