import type { LongVolume, Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { Mount } from '../engine-api.ts';
import { hostPath, judgeBind } from './binds.ts';
import type { Context } from './context.ts';
import { swarmName } from './context.ts';
import type { Notes } from './notes.ts';
import { nonEmpty, present } from './present.ts';
import { parseVolume } from './volume-text.ts';
import { convertNamedVolume, noteUndefinedVolume } from './volumes.ts';

const propagations = ['', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** `volumes` of a service, in the order of the file. Absent where there are none. */
export function convertMounts(
  volumes: Service['volumes'],
  path: Path,
  context: Context,
): Mount[] | undefined {
  const mounts: Mount[] = [];
  const targets = new Set<string>();
  for (const [index, written] of (volumes ?? []).entries()) {
    const at = [...path, index];
    const volume = typeof written === 'string' ? shortVolume(written, at, context.notes) : written;
    if (volume === undefined) continue;
    const mount = convertMount(volume, at, context);
    if (mount === undefined) continue;
    const { Target: target } = mount;
    if (target !== undefined && targets.has(target)) {
      context.notes.error('conflict', at, `something is mounted at \`${target}\` already`);
    }
    if (target !== undefined) targets.add(target);
    mounts.push(mount);
  }
  return mounts.length === 0 ? undefined : mounts;
}

/** The long form of a short volume; undefined where it cannot be read, which is noted. */
export function shortVolume(text: string, path: Path, notes: Notes): LongVolume | undefined {
  const parsed = parseVolume(text);
  if ('problem' in parsed) {
    notes.error('wrong-value', path, parsed.problem, parsed.hint);
    return undefined;
  }
  if (parsed.drive === true) {
    notes.unworkable(
      'wrong-value',
      path,
      'a name of one letter before `:` is read as a Windows drive',
      'use the long form (`type`, `source`, `target`), or a longer name',
    );
  }
  for (const option of parsed.ignored) {
    notes.warn('ignored-key', path, `Swarm ignores the option \`${option}\``);
  }
  return parsed.volume;
}

function convertMount(volume: LongVolume, path: Path, context: Context): Mount | undefined {
  const { notes } = context;
  if (volume.target === undefined || volume.target === '') {
    notes.unworkable(
      'missing-key',
      path,
      'the volume has no `target`',
      'write where in the container it goes',
    );
  }
  if (nonEmpty(volume.consistency) !== undefined) {
    notes.warn(
      'ignored-key',
      [...path, 'consistency'],
      'the engine drops `consistency`: it has no effect',
    );
  }
  switch (volume.type) {
    case 'bind':
      return bind(volume, path, context);
    case 'volume':
      noteForeignOptions(volume, 'volume', path, context);
      return convertNamedVolume(volume, commonFields(volume), path, context);
    case 'tmpfs':
      return tmpfs(volume, path, context);
    case 'npipe':
      return pipe(volume, path, context);
    case 'cluster':
      return cluster(volume, path, context);
    case 'image':
      notes.error(
        'unsupported-key',
        [...path, 'type'],
        `volumes of type \`${volume.type}\` are not supported`,
        'use `bind`, `volume`, `tmpfs`, `cluster` or `npipe`',
      );
      return undefined;
    default:
      notes.error(
        'wrong-value',
        [...path, 'type'],
        'volumes have no such type',
        'write `bind`, `volume` or `tmpfs`',
      );
      return undefined;
  }
}

/** The fields that every type has. */
function commonFields(volume: LongVolume): Mount {
  return {
    Type: volume.type,
    ...present({
      Source: nonEmpty(volume.source),
      Target: nonEmpty(volume.target),
      ReadOnly: volume.read_only === true ? true : undefined,
      Consistency: nonEmpty(volume.consistency),
    }),
  };
}

function bind(volume: LongVolume, path: Path, context: Context): Mount {
  const { notes, allow } = context;
  noteForeignOptions(volume, 'bind', path, context);
  const { source: written = '' } = volume;
  const source = written === '' ? '' : hostPath(written, context.folder, allow);
  if (source === '') notes.error('missing-key', path, 'a bind needs a `source`');
  else {
    const refusal = judgeBind(source, allow);
    if (refusal !== undefined)
      notes.error('not-allowed', [...path, 'source'], refusal.message, refusal.hint);
  }
  const options = bindOptions(volume, path, context);
  return { ...commonFields({ ...volume, source }), ...present({ BindOptions: options }) };
}

function bindOptions(volume: LongVolume, path: Path, { notes }: Context): Mount['BindOptions'] {
  const propagation = volume.bind?.propagation;
  if (propagation !== undefined && !propagations.includes(propagation)) {
    notes.error(
      'wrong-value',
      [...path, 'bind', 'propagation'],
      'there is no such propagation',
      'write `rprivate`, `private`, `rshared`, `shared`, `rslave` or `slave`',
    );
  }
  return volume.bind === undefined ? undefined : present({ Propagation: nonEmpty(propagation) });
}

/** A named pipe of a Windows node: the engine itself listens on one of them. */
function pipe(volume: LongVolume, path: Path, context: Context): Mount {
  const { notes, allow } = context;
  noteForeignOptions(volume, 'npipe', path, context);
  if (nonEmpty(volume.source) === undefined)
    notes.error('missing-key', path, 'a named pipe needs a `source`');
  else if (!allow.dockerSocket) {
    notes.error(
      'not-allowed',
      [...path, 'source'],
      'the policy does not allow the pipes of a node, on which the engine listens, too',
      'set `policy.allow.dockerSocket: true` in the environment if it must be',
    );
  }
  const options = bindOptions(volume, path, context);
  return { ...commonFields(volume), ...present({ BindOptions: options }) };
}

/** A volume that a CSI plugin of the Swarm holds, or one of a group of them. */
function cluster(volume: LongVolume, path: Path, context: Context): Mount {
  const { notes, allow, stack, volumes } = context;
  noteForeignOptions(volume, 'cluster', path, context);
  const { source = '' } = volume;
  const options = { ClusterOptions: {} };
  if (!allow.plugins) {
    notes.error(
      'not-allowed',
      [...path, 'type'],
      'the policy does not allow cluster volumes: a plugin holds them',
      'set `policy.allow.plugins: true` in the environment, or use `volume`',
    );
  }
  if (source === '') {
    notes.error('missing-key', path, 'a cluster volume needs a `source`');
    return { ...commonFields(volume), ...options };
  }
  if (source.startsWith('group:')) return { ...commonFields(volume), ...options };
  const declared = volumes.entries.get(source);
  if (declared === undefined) noteUndefinedVolume(source, path, context);
  return { ...commonFields(volume), Source: swarmName(source, declared, stack), ...options };
}

function tmpfs(volume: LongVolume, path: Path, context: Context): Mount {
  noteForeignOptions(volume, 'tmpfs', path, context);
  if (volume.source !== undefined && volume.source !== '') {
    context.notes.error('conflict', [...path, 'source'], 'a `tmpfs` is memory and has no `source`');
  }
  const size = volume.tmpfs?.size;
  const options =
    volume.tmpfs === undefined ? undefined : present({ SizeBytes: size === 0 ? undefined : size });
  return { ...commonFields(volume), ...present({ TmpfsOptions: options }) };
}

function noteForeignOptions(
  volume: LongVolume,
  own: 'bind' | 'volume' | 'tmpfs' | 'npipe' | 'cluster',
  path: Path,
  { notes }: Context,
): void {
  for (const key of ['bind', 'volume', 'tmpfs'] as const) {
    const isOwn = key === own || (own === 'npipe' && key === 'bind');
    if (isOwn || volume[key] === undefined) continue;
    notes.error(
      'conflict',
      [...path, key],
      `a volume of type \`${own}\` takes no \`${key}\` options`,
    );
  }
}
