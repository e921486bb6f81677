import { inspect } from 'node:util';

import { z } from 'zod';

import type { Id } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import type { Row } from './connect.ts';
import { type Claimed, claim, LEDGER } from './ledger.ts';
import { namedBy } from './named.ts';
import { readRows } from './rows.ts';
import { literal, sql, type Sql } from './sql.ts';

/**
 * The line of a unit, and whether it came to be: where several environments share a server another one may have noted the same thing
 * since the look. Whoever is second stops here, before the account of the first is given what his document says.
 */
export class Claim {
  readonly id: Id;
  readonly line: Sql;
  /** No line of ours was there: where the claim is lost the one that is made goes again. */
  readonly isNew: boolean;

  constructor(id: Id, claimed: Claimed, isNew: boolean) {
    this.id = id;
    this.line = claim(id, claimed);
    this.isNew = isNew;
  }

  /** As that of a statement. */
  get text(): Secret {
    return this.line.text;
  }

  toString(): string {
    return String(this.line);
  }

  toJSON(): string {
    return String(this.line);
  }

  [inspect.custom](): string {
    return String(this.line);
  }
}

/**
 * Pure. Lines that name the same thing, under whatever id. On Galera a node says first what others wrote before: of two who claim at
 * once one at least sees the other.
 */
export function claimants(id: Id): Sql {
  const [kind = '', ...rest] = id.split('/');
  const name = rest.at(-1) ?? '';
  return sql`/*M! SET STATEMENT wsrep_sync_wait = 1 FOR */ SELECT id, owner FROM ${LEDGER} WHERE SUBSTRING_INDEX(id, '/', 1) = ${literal(kind)} AND SUBSTRING_INDEX(id, '/', -1) = ${literal(name)}`;
}

const Claimants = z.array(
  z.looseObject({
    id: z.templateLiteral([z.string(), '/', z.string()]),
    owner: z.string().nullable(),
  }),
);

/** Pure. Whose it is too, by a line that is not `owner`'s; undefined: nobody else's. Throws `UnreadableRows`. */
export function rivalIn(
  rows: readonly Row[],
  id: Id,
  owner: string | undefined,
): string | undefined {
  const rival = linesIn(rows, id).find((one) => one.owner !== null && one.owner !== owner);
  return rival?.owner ?? undefined;
}

/** Lines that name the same thing as `id`, as `claimants` gives them, and whose each is; null: nobody is named. */
export interface OwnerLine {
  readonly id: Id;
  readonly owner: string | null;
}

/** Pure. Throws `UnreadableRows`. */
export function linesIn(rows: readonly Row[], id: Id): readonly OwnerLine[] {
  const what = namedBy(id)?.what;
  return readRows(Claimants, rows).filter((one) => namedBy(one.id)?.what === what);
}
