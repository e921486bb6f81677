import {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../../schemas/ceph.ts';
import { CephCrushRule, CephPool } from '../../../schemas/ceph-pool.ts';
import { z } from 'zod';
import type { Id, Rendered } from '../../../agent/core/kind.ts';
import { thingKey, thingOf } from '../../../agent/providers/ceph/named.ts';
import type { CephSpec } from '../../../agent/providers/ceph/spec.ts';

const Document = z.union([
  CephPool,
  CephCrushRule,
  CephFilesystem,
  CephSubvolumeGroup,
  CephSubvolume,
  CephClient,
]);

/** A unit of a document in the default cluster. */
export function cephUnit(
  kind: CephSpec['kind'],
  name: string,
  more: object = {},
): Rendered<CephSpec> {
  const { cluster: _cluster, ...spec } = Document.parse({ kind, name, ...more });
  const [what = '', ...names] = thingKey(thingOf(spec)).split('/');
  const id: Id = `${what}/${names.join('/')}`;
  return {
    id,
    spec,
    digest: 'd1',
    place: { file: 'ceph/x.yaml', line: 1, column: 1, length: 1, quoted: '' },
    dependsOn: [],
    needs: [],
    gives: [],
  };
}
