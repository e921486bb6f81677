import { z } from 'zod';

import type { Id } from '../core/kind.ts';
import type { CephSpec } from '../providers/ceph/spec.ts';
import { cephFromWire } from '../providers/ceph/wire.ts';
import type { MysqlSpec } from '../providers/mysql/spec.ts';
import { mysqlFromWire, mysqlToWire } from '../providers/mysql/wire.ts';
import type { StackSpec } from '../providers/stack/spec.ts';
import { stackFromWire, stackToWire } from '../providers/stack/wire.ts';

/** Units of all kinds together. */
export type UnitSpec = StackSpec | MysqlSpec | CephSpec;

/** As they come out of the pipe; secrets are wrapped at once. */
export const unitFromWire: z.ZodType<UnitSpec> = z.union([
  stackFromWire,
  mysqlFromWire,
  cephFromWire,
]);

/** Pure. A unit as plain JSON, secrets in clear: for the pipe between two of our own processes, nothing else. */
export function unitToWire(spec: UnitSpec): unknown {
  if (isStackSpec(spec)) return stackToWire(spec);
  return isMysqlSpec(spec) ? mysqlToWire(spec) : spec;
}

/** Pure. */
export function isStackSpec(spec: UnitSpec): spec is StackSpec {
  return 'services' in spec;
}

/** Pure. */
export function isMysqlSpec(spec: UnitSpec): spec is MysqlSpec {
  return 'kind' in spec && spec.kind.startsWith('MySQL');
}

/** Pure. */
export function isCephSpec(spec: UnitSpec): spec is CephSpec {
  return 'kind' in spec && spec.kind.startsWith('Ceph');
}

/** What lives where, by the beginning of its ids. */
export type Family = 'stack' | 'mysql' | 'ceph';

/** Pure. Undefined: nothing of ours has such an id. */
export function familyOf(id: Id): Family | undefined {
  const [kind = ''] = id.split('/');
  if (kind === 'stack') return 'stack';
  if (kind.startsWith('mysql-')) return 'mysql';
  return kind.startsWith('ceph-') ? 'ceph' : undefined;
}

/** Pure. Whether a unit of this id can be made like that. */
export function belongs(id: Id, spec: UnitSpec): boolean {
  switch (familyOf(id)) {
    case 'stack':
      return isStackSpec(spec);
    case 'mysql':
      return isMysqlSpec(spec);
    case 'ceph':
      return isCephSpec(spec);
    case undefined:
      return false;
  }
}
