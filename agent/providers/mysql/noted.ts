import { digestOf } from '../../core/digest.ts';
import { Claim } from './claim.ts';
import type { Claimed } from './ledger.ts';
import { namedBy } from './named.ts';
import type { ServerSeen } from './observed.ts';
import type { MysqlSpec } from './spec.ts';
import type { One } from './unit-parts.ts';

// What the ledger on a server says of a unit, and is to say.

/** A role has nothing that could be locked meanwhile: it goes as soon as nobody has it. Seconds. */
const ROLE_RETENTION_S = 0;

/** Pure. Whether the ledger says that it is ours, and all that it is to say. */
export function ledgerOf(one: One<MysqlSpec>): {
  readonly isOurs: boolean;
  readonly isNoted: boolean;
} {
  const { unit, seen } = one;
  const row = seen.owned.get(unit.id);
  if (row === undefined) return { isOurs: false, isNoted: false };
  const { digest, retentionS, owner } = claimed(one);
  const isNoted =
    row.digest === digest &&
    row.leftAt === undefined &&
    row.retentionS === retentionS &&
    row.owner === owner;
  return { isOurs: true, isNoted };
}

/** Pure. Goes before what makes or changes it. */
export function noted(one: One<MysqlSpec>): Claim {
  return claimOf(one, claimed(one));
}

/**
 * Pure. The same where not all of it shows on the server once it is done: until the line says what `noted` says, all of it is done
 * again.
 */
export function begun(one: One<MysqlSpec>): Claim {
  const line = claimed(one);
  return claimOf(one, { ...line, digest: `${line.digest} begun` });
}

function claimOf({ unit: { id }, seen: { owned } }: One<MysqlSpec>, line: Claimed): Claim {
  return new Claim(id, line, !owned.has(id));
}

function claimed({ unit, spec, seen: { owner } }: One<MysqlSpec>): Claimed {
  const retentionS = retentionOf(spec);
  return {
    digest: notedDigest(unit.digest, spec),
    ...(retentionS !== undefined && { retentionS }),
    ...(owner !== undefined && { owner }),
  };
}

function retentionOf(spec: MysqlSpec): number | undefined {
  if (spec.deletionPolicy === 'Orphan') return undefined;
  return spec.kind === 'MySQLUser' ? Math.ceil(spec.retention / 1000) : ROLE_RETENTION_S;
}

const digests = new WeakMap<MysqlSpec, string>();

/**
 * Pure. A digest covers a declared password, and with the rest of it known whoever reads the ledger could try passwords on it,
 * much faster than on the server's own hash. So it does not lie there: that another password is wanted the hash itself says.
 */
function notedDigest(digest: string, spec: MysqlSpec): string {
  if (spec.kind !== 'MySQLUser' || spec.password.from !== 'file') return digest;
  const known = digests.get(spec);
  if (known !== undefined) return known;
  const { password: _password, ...source } = spec.password;
  const made = digestOf({ ...spec, password: source });
  digests.set(spec, made);
  return made;
}

const indexes = new WeakMap<NonNullable<ServerSeen['foreign']>, ReadonlyMap<string, string>>();

/** Pure. Whose it is where another one who shares the server made it or took it over, under whatever id. */
export function foreignOwner(
  spec: Pick<MysqlSpec, 'kind' | 'name'>,
  { foreign }: Pick<ServerSeen, 'foreign'>,
): string | undefined {
  if (foreign === undefined || foreign.size === 0) return undefined;
  const index = indexes.get(foreign) ?? indexOf(foreign);
  indexes.set(foreign, index);
  return index.get(JSON.stringify([WHATS[spec.kind], spec.name]));
}

const WHATS = { MySQLDatabase: 'database', MySQLRole: 'role', MySQLUser: 'account' } as const;

function indexOf(foreign: NonNullable<ServerSeen['foreign']>): ReadonlyMap<string, string> {
  return new Map(
    [...foreign].flatMap(([id, owner]): [string, string][] => {
      const named = namedBy(id);
      return named === undefined ? [] : [[JSON.stringify([named.what, named.name]), owner]];
    }),
  );
}
