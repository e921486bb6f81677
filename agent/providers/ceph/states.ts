import type { z } from 'zod';
import { Secret } from '../../core/secret.ts';
import type {
  Daemons,
  FolderDetails,
  Health,
  ObservedClient,
  ObservedSubvolume,
  Release,
} from './observed.ts';
import type { AuthLs, FolderInfo, Status, SubvolumeInfo, Versions } from './shapes.ts';

/** Before all marks of ours in what `config-key` holds. */
export const MARK_PREFIX = 'understudy/';

/** Pacific. */
const OLDEST = 16;

/** Pure. Of the oldest monitor, or why this cluster is not understood. */
export function releaseIn({
  mon,
}: z.output<typeof Versions>): Release | { readonly reason: string } {
  const releases = Object.keys(mon).flatMap((text): readonly Release[] => {
    const found = /^ceph version (\d{1,3})\.(\d{1,4})\.(\d{1,4})\S* \([^)]*\) (\w+)/.exec(text);
    const [, major, minor, patch, name] = found ?? [];
    return name === undefined
      ? []
      : [{ version: [Number(major), Number(minor), Number(patch)], name }];
  });
  const [oldest] = releases.toSorted((one, other) => comparedVersions(one, other));
  if (oldest === undefined || releases.length < Object.keys(mon).length) {
    return { reason: 'the monitors of Ceph do not say which version they are' };
  }
  const [major] = oldest.version;
  if (major >= OLDEST) return oldest;
  const shown = `${oldest.version.join('.')} (${oldest.name})`;
  return { reason: `a monitor is Ceph ${shown}, older than ${OLDEST} (pacific)` };
}

function comparedVersions(one: Release, other: Release): number {
  const [difference = 0] = one.version
    .map((part, at) => part - (other.version[at] ?? 0))
    .filter((part) => part !== 0);
  return difference;
}

/** Pure. */
export function healthIn({ health }: Status): Health {
  return {
    status: health.status,
    checks: new Map(
      Object.entries(health.checks).map(([code, { severity, summary, muted }]) => [
        code,
        { severity, summary: summary.message, muted },
      ]),
    ),
  };
}

/** Pure. */
export function daemonsIn({ quorum, monmap, osdmap, mgrmap }: Status): Daemons {
  return {
    monitors: { total: monmap.num_mons, inQuorum: quorum.length },
    osds: { total: osdmap.num_osds, up: osdmap.num_up_osds, in: osdmap.num_in_osds },
    managerAvailable: mgrmap.available,
  };
}

/** Pure. */
export function placementIn({ pgmap }: Status): ReadonlyMap<string, number> {
  return new Map(pgmap.pgs_by_state.map((one) => [one.state_name, one.count]));
}

/** Pure. Clients by their full name. Keys are kept of those alone that units are about. */
export function clientsIn(
  { auth_dump: all }: AuthLs,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, ObservedClient> {
  return new Map(
    all
      .filter(({ entity }) => entity.startsWith('client.'))
      .map(({ entity, key, caps }) => [
        entity,
        {
          caps: new Map(Object.entries(caps)),
          ...(wanted.has(entity) && { key: new Secret(key) }),
        },
      ]),
  );
}

/** Pure. By what follows our prefix. */
export function marksIn(dump: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(dump)
      .filter(([key]) => key.startsWith(MARK_PREFIX))
      .map(([key, value]) => [key.slice(MARK_PREFIX.length), value]),
  );
}

/** Pure. */
export function folderIn(info: FolderInfo): FolderDetails {
  const { bytes_quota: quota } = info;
  return {
    // The rest says that it is a folder.
    mode: info.mode & 0o7777,
    uid: info.uid,
    gid: info.gid,
    dataPool: info.data_pool,
    ...(quota !== 'infinite' && { quotaBytes: quota }),
    usedBytes: info.bytes_used,
  };
}

/** Pure. */
export function subvolumeIn(info: SubvolumeInfo): ObservedSubvolume {
  if (info.state === 'other') return info;
  const { path, pool_namespace: namespace } = info;
  return {
    ...folderIn(info),
    state: 'complete',
    path,
    ...(namespace !== '' && { namespace }),
  };
}
