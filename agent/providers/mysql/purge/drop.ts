import type { Id } from '../../../core/kind.ts';
import { purgeOwner } from '../../../core/taken.ts';
import { LEDGER } from '../ledger.ts';
import { identifier, list, literal, sql, type Sql } from '../sql.ts';

// The only file that drops a database. Nothing that an agent runs imports it; a test holds that.

/** Pure. Said again it changes nothing. */
export function dropDatabase(name: string): Sql {
  return sql`DROP DATABASE IF EXISTS ${identifier(name)}`;
}

/** Pure. Takes the lines of what left; one that an agent wrote since stays its own. */
export function takeLines(ids: readonly Id[], environment: string): Sql {
  const [own, mine] = owners(environment);
  return sql`UPDATE ${LEDGER} SET owner = ${mine} WHERE id IN (${list(ids.map(literal))}) AND left_at IS NOT NULL AND (owner IS NULL OR owner IN (${own}, ${mine}))`;
}

/** Pure. Nothing was dropped: the agents have their lines again. */
export function giveLinesBack(ids: readonly Id[], environment: string): Sql {
  const [own, mine] = owners(environment);
  return sql`UPDATE ${LEDGER} SET owner = ${own} WHERE id IN (${list(ids.map(literal))}) AND owner = ${mine}`;
}

/** Pure. Nothing tells of it any more. Goes after the database. */
export function removeLines(ids: readonly Id[], environment: string): Sql {
  const [, mine] = owners(environment);
  return sql`DELETE FROM ${LEDGER} WHERE id IN (${list(ids.map(literal))}) AND owner = ${mine}`;
}

function owners(environment: string): readonly [own: Sql, mine: Sql] {
  return [literal(environment), literal(purgeOwner(environment))];
}
