import { z } from 'zod';

import {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../../schemas/ceph.ts';
import { CephCrushRule, CephPool } from '../../../schemas/ceph-pool.ts';
import { unlookedKind } from '../../core/data-kind.ts';
import type { Health, Kind, Release, Rendered } from '../../core/kind.ts';
import type { CephCall } from './call.ts';
import { hiddenLeft, membersLeft, removeLeft } from './left.ts';
import type { ClusterSeen } from './observed.ts';
import type { CephSpec } from './spec.ts';
import { type CephObserved, clusterOf, diffUnit } from './unit-diff.ts';
import { targetOf } from './unit-parts.ts';

/** The same for one who does not look at clusters: nothing is said to differ, and all are well. */
export const unknownClusters = unlookedKind<CephSpec, CephCall>({
  kind: 'ceph',
  release: ({ spec }) => contentOf(spec),
  restore: restoreUnit,
  parts: ({ spec }) => [targetOf(spec)],
});

/**
 * Pools, rules, file systems, their parts and clients: what differs and how they do, from data alone. They only go forward, and what
 * holds data stays when its document goes.
 */
export const cephKind: Kind<CephSpec, CephObserved, CephCall> = {
  ...unknownClusters,
  diff: diffUnit,
  health: ({ spec }, observed) => healthOf(spec, observed),
  members: membersLeft,
  remove: removeLeft,
  hidden: hiddenLeft,
  sizes: ({ clusters }) =>
    Object.fromEntries(
      [...clusters].flatMap(([name, { sight }]) =>
        sight.status === 'seen' ? sizesOf(name, sight.seen) : [],
      ),
    ),
};

function sizesOf(
  name: string,
  { pools, marks }: ClusterSeen,
): readonly (readonly [string, number])[] {
  return [
    [`pools on ${name}`, pools.size],
    [`marks on ${name}`, marks.size],
  ];
}

/** By whether its cluster can be asked, and those of its file system: what differs is seen elsewhere. */
function healthOf(spec: CephSpec, observed: CephObserved): Health {
  const cluster = clusterOf(spec, observed);
  const sight = 'why' in cluster ? cluster : cluster.sight;
  if ('why' in sight) {
    return { status: 'outside', why: sight.why, summary: 'its cluster is not reached' };
  }
  const { seen } = sight;
  const silent = silence(spec, seen);
  if (silent !== undefined) {
    return { status: 'outside', why: silent, summary: 'its file system is down' };
  }
  return { status: 'converged', members: seen.fsid, summary: seen.health.status };
}

function silence(spec: CephSpec, { filesystems, volumes }: ClusterSeen): string | undefined {
  switch (spec.kind) {
    case 'CephFilesystem': {
      const isDown = filesystems.get(spec.name)?.active === 0;
      return isDown ? 'the file system has no active metadata daemon' : undefined;
    }
    case 'CephSubvolumeGroup':
    case 'CephSubvolume': {
      const sight = volumes.get(spec.filesystem);
      return sight === undefined || sight.status === 'seen' ? undefined : sight.why;
    }
    case 'CephPool':
    case 'CephCrushRule':
    case 'CephClient':
      return undefined;
  }
}

/** What it was, by its names alone: nothing is ever brought back from it. */
const Content = z.strictObject({
  kind: z.enum([
    'CephPool',
    'CephCrushRule',
    'CephFilesystem',
    'CephSubvolumeGroup',
    'CephSubvolume',
    'CephClient',
  ]),
  name: z.string(),
  cluster: z.string().exactOptional(),
  filesystem: z.string().exactOptional(),
  group: z.string().exactOptional(),
});
type Content = z.output<typeof Content>;

function contentOf(spec: CephSpec): Content {
  const { kind, name, cluster } = spec;
  return {
    kind,
    name,
    ...(cluster !== undefined && { cluster }),
    ...('filesystem' in spec && { filesystem: spec.filesystem }),
    ...('group' in spec && spec.group !== undefined && { group: spec.group }),
  };
}

const restored = new WeakMap<Release, Rendered<CephSpec>>();

function restoreUnit(
  id: Rendered<CephSpec>['id'],
  release: Release,
): Rendered<CephSpec> | undefined {
  const known = restored.get(release);
  if (known !== undefined) return known;
  const content = Content.safeParse(release.content);
  const spec = content.success ? specOf(content.data) : undefined;
  if (spec === undefined) return undefined;
  const { digest } = release;
  const place = { file: '', line: 1, column: 1, length: 1, quoted: '' };
  const lists = { dependsOn: [], needs: [], gives: [] };
  const unit = { id, spec, digest, place, ...lists };
  restored.set(release, unit);
  return unit;
}

/** As a document that says no more than its names; the rest of it means nothing. */
function specOf({ cluster, ...names }: Content): CephSpec | undefined {
  const some = 'unknown';
  const written: Readonly<Record<Content['kind'], object>> = {
    CephPool: { application: some, replicated: {} },
    CephCrushRule: {},
    CephFilesystem: { metadataPool: some, dataPools: [some] },
    CephSubvolumeGroup: {},
    CephSubvolume: {},
    CephClient: { caps: { mon: 'allow r' }, secret: some },
  };
  const document = { ...names, ...written[names.kind] };
  const read = Document.safeParse(document);
  if (!read.success) return undefined;
  const { cluster: _cluster, ...own } = read.data;
  return { ...own, ...(cluster !== undefined && { cluster }) };
}

const Document = z.union([
  CephPool,
  CephCrushRule,
  CephFilesystem,
  CephSubvolumeGroup,
  CephSubvolume,
  CephClient,
]);
