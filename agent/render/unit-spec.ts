import { z } from 'zod';

import type { Id } from '../core/kind.ts';
import type { MysqlSpec } from '../providers/mysql/spec.ts';
import { mysqlFromWire, mysqlToWire } from '../providers/mysql/wire.ts';
import type { StackSpec } from '../providers/stack/spec.ts';
import { stackFromWire, stackToWire } from '../providers/stack/wire.ts';

/** Units of all kinds together. */
export type UnitSpec = StackSpec | MysqlSpec;

/** As they come out of the pipe; secrets are wrapped at once. */
export const unitFromWire: z.ZodType<UnitSpec> = z.union([stackFromWire, mysqlFromWire]);

/** Pure. A unit as plain JSON, secrets in clear: for the pipe between two of our own processes, nothing else. */
export function unitToWire(spec: UnitSpec): unknown {
  return isStackSpec(spec) ? stackToWire(spec) : mysqlToWire(spec);
}

/** Pure. */
export function isStackSpec(spec: UnitSpec): spec is StackSpec {
  return 'services' in spec;
}

/** Pure. Whether a unit of this id can be made like that. */
export function belongs(id: Id, spec: UnitSpec): boolean {
  return id.startsWith('stack/') === isStackSpec(spec);
}
