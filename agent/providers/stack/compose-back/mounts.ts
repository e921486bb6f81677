import { NAMESPACE_LABEL } from '../compose/labels.ts';
import type { Mount } from '../engine-api.ts';
import type { Writing } from './context.ts';
import { keysFor } from './sections.ts';
import { fields, labelsOf, orAbsent, textMap, type Tree } from './tree.ts';

/** `volumes` of a service, in the long form; named volumes come to the top level. */
export function mountsOf(mounts: readonly Mount[] | undefined, writing: Writing): Tree | undefined {
  return orAbsent((mounts ?? []).map((mount) => mountOf(mount, writing)));
}

function mountOf(mount: Mount, writing: Writing): Tree {
  const {
    Type: type,
    BindOptions: bind,
    VolumeOptions: volume,
    TmpfsOptions: tmpfs,
    ReadOnly: readOnly,
  } = mount;
  const nocopy = volume?.NoCopy === true ? true : undefined;
  return fields({
    type,
    source: isNamedVolume(mount) ? volumeKey(mount, writing) : mount.Source,
    target: mount.Target,
    read_only: readOnly === true ? true : undefined,
    bind: bind?.Propagation === undefined ? undefined : fields({ propagation: bind.Propagation }),
    volume: orAbsent(fields({ nocopy, subpath: volume?.Subpath })),
    tmpfs: tmpfs && fields({ size: tmpfs.SizeBytes }),
  });
}

/** What stands at the top level: groups of cluster volumes do not. */
function isNamedVolume({ Type: type, Source: source = '' }: Mount): boolean {
  if (source === '') return false;
  return type === 'volume' || (type === 'cluster' && !source.startsWith('group:'));
}

/** Tasks make volumes, so what a volume is stands at each mount. What says nothing of it was made outside. */
function volumeKey(mount: Mount, { stack, volumes }: Writing): string {
  const { Source: name = '', VolumeOptions: options } = mount;
  const { Labels: labels, DriverConfig: driver } = options ?? {};
  const isExternal = labels === undefined && driver === undefined;
  // One volume that two services describe differently is two entries with one name.
  const id = JSON.stringify([name, labels, driver]);
  return volumes.use(id, keysFor(name, isExternal ? '' : stack), (key) =>
    isExternal
      ? fields({ external: true, name: key === name ? undefined : name })
      : entryOf({ name, key, stack }, labels, driver),
  );
}

function entryOf(
  { name, key, stack }: { readonly name: string; readonly key: string; readonly stack: string },
  labels: Readonly<Record<string, string>> | undefined,
  driver: NonNullable<Mount['VolumeOptions']>['DriverConfig'],
): Tree {
  return (
    orAbsent(
      fields({
        name: name === `${stack}_${key}` ? undefined : name,
        driver: driver?.Name,
        // A driver without a name shows by its options, be there none.
        driver_opts:
          driver === undefined
            ? undefined
            : driver.Name === undefined || driver.Options !== undefined
              ? textMap(driver.Options)
              : undefined,
        labels: labelsOf(labels, [NAMESPACE_LABEL]),
      }),
    ) ?? null
  );
}
