import type { Volume } from '../../../../schemas/compose.ts';
import type { LongVolume } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { Mount } from '../engine-api.ts';
import { judgeVolumeOptions } from './binds.ts';
import type { Context } from './context.ts';
import { isExternal, swarmName } from './context.ts';
import { NAMESPACE_LABEL, convertLabels } from './labels.ts';
import { checkExternal } from './external.ts';
import { nearest } from './names.ts';
import { nonEmpty, present } from './present.ts';

type MountVolume = NonNullable<Mount['VolumeOptions']>;

/** A mount of type `volume`: a declared one by its Swarm name, or an anonymous one. `common`: what all types have. */
export function convertNamedVolume(
  volume: LongVolume,
  common: Mount,
  path: Path,
  context: Context,
): Mount {
  const { source = '' } = volume;
  if (source === '') return common;
  noteSubpath(volume, path, context);
  const declared = context.volumes.entries.get(source);
  if (declared === undefined) {
    noteUndefinedVolume(source, path, context);
    return common;
  }
  return {
    ...common,
    Source: swarmName(source, declared, context.stack),
    VolumeOptions: { ...mountOptions(volume), ...ownOptions(declared, context.stack) },
  };
}

function mountOptions({ volume }: LongVolume): MountVolume {
  return present({
    NoCopy: volume?.nocopy === true ? true : undefined,
    Subpath: nonEmpty(volume?.subpath),
  });
}

/** Below API 1.45 the engine drops it without a word: the container sees all of the volume. */
function noteSubpath({ volume }: LongVolume, path: Path, { allow, notes }: Context): void {
  if (nonEmpty(volume?.subpath) === undefined) return;
  const at = [...path, 'volume', 'subpath'];
  const message = 'the engine drops `subpath` and mounts the whole volume';
  if (allow.subpath) notes.warn('ignored-key', at, message);
  else {
    const hint =
      'use a volume of its own for each folder, or set `policy.allow.subpath: true` in the environment if the whole volume will do';
    notes.error('not-allowed', at, message, hint);
  }
}

/** Tasks make the volume, so its driver and labels travel with each mount. */
function ownOptions(volume: Volume | null, stack: string): MountVolume {
  if (volume !== null && isExternal(volume.external)) return {};
  const driver = nonEmpty(volume?.driver);
  const options = volume?.driver_opts;
  return {
    Labels: convertLabels(volume?.labels, { [NAMESPACE_LABEL]: stack }),
    ...(driver === undefined && options === undefined
      ? {}
      : {
          DriverConfig: present({
            Name: driver,
            Options:
              options === undefined || Object.keys(options).length === 0 ? undefined : options,
          }),
        }),
  };
}

/** Notes that a volume of the service at `path` is not declared. */
export function noteUndefinedVolume(source: string, path: Path, { volumes, notes }: Context): void {
  if (notes.isFull || volumes.has(source)) return;
  const near = nearest(source, volumes.entries.keys());
  notes.error(
    'undefined-volume',
    [...path, 'source'],
    `the volume \`${source}\` is not declared`,
    near === undefined
      ? `add \`${source}:\` to \`volumes\` at the top level`
      : `did you mean \`${near}\`?`,
  );
}

/** The Swarm would make a volume of the new name, with nothing in it, and what is in the old one would be missing. */
function noteEmpty(key: string, volume: Volume | null, context: Context): void {
  const { movedFrom, stack, notes } = context;
  if (movedFrom === undefined || isExternal(volume?.external)) return;
  if (nonEmpty(volume?.name) !== undefined) return;
  notes.error(
    'moved-from',
    ['volumes', key],
    `the volume would be \`${stack}_${key}\` and empty: \`movedFrom\` moves no data`,
    `write \`name: ${movedFrom}_${key}\`, which is what it is called now`,
  );
}

function isEmpty(value: string | readonly unknown[] | object | undefined): boolean {
  if (value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Checks the volumes of the top level: forms that exclude each other, and what the policy refuses. */
export function checkVolumes(context: Context): void {
  const { notes, allow } = context;
  for (const [key, volume] of context.volumes.entries) {
    noteEmpty(key, volume, context);
    if (volume === null) continue;
    const path = ['volumes', key];
    if (volume['x-cluster-spec'] !== undefined) {
      notes.warn(
        'ignored-key',
        [...path, 'x-cluster-spec'],
        'no stack makes cluster volumes: it has no effect',
        'make it with `docker volume create --type`, under the name that the stack uses',
      );
    }
    checkExternal(volume, [], path, notes);
    if (isExternal(volume.external)) {
      for (const other of ['driver', 'driver_opts', 'labels'] as const) {
        if (isEmpty(volume[other])) continue;
        notes.errorAtKey(
          'conflict',
          [...path, other],
          `an external volume is not made here: \`${other}\` does not go with \`external\``,
        );
      }
      continue;
    }
    const driver = volume.driver ?? '';
    const isLocal = driver === '' || driver === 'local';
    if (!isLocal && !allow.plugins) {
      notes.error(
        'not-allowed',
        [...path, 'driver'],
        `the policy does not allow the volume driver \`${driver}\``,
        'set `policy.allow.plugins: true` in the environment, or use `local`',
      );
    }
    const refusal = isLocal ? judgeVolumeOptions(volume.driver_opts ?? {}, allow) : undefined;
    if (refusal !== undefined)
      notes.error('not-allowed', [...path, 'driver_opts'], refusal.message, refusal.hint);
  }
}
