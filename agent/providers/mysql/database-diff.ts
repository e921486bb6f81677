import type { ObservedDatabase, ServerSeen } from './observed.ts';
import type { DatabaseSpec } from './spec.ts';
import { identifier, literal, type Sql, sql, words } from './sql.ts';

/** One thing about a database that differs. */
interface Change {
  readonly path: 'characterSet' | 'collation';
  readonly observed: string;
  readonly desired: string;
}

/** What brings a database to what is wanted. What is in it is never touched: its tables keep theirs. */
export interface DatabaseDifference {
  readonly statements: readonly Sql[];
  readonly changes: readonly Change[];
}

/** Pure. Where no collation is named it is the one that the server has for the character set, and none is compared. */
export function databaseDifference(
  { name, characterSet, collation }: DatabaseSpec,
  live: ObservedDatabase | undefined,
): DatabaseDifference {
  const rules = words([
    sql`CHARACTER SET ${literal(characterSet)}`,
    ...(collation === undefined ? [] : [sql`COLLATE ${literal(collation)}`]),
  ]);
  if (live === undefined) {
    const made = sql`CREATE DATABASE IF NOT EXISTS ${identifier(name)} ${rules}`;
    return { statements: [made], changes: [] };
  }
  const changes: readonly Change[] = [
    ...changed('characterSet', live.characterSet, characterSet),
    ...(collation === undefined
      ? []
      : changed('collation', live.collation, wholeName(collation, characterSet))),
  ];
  if (changes.length === 0) return { statements: [], changes };
  return { statements: [sql`ALTER DATABASE ${identifier(name)} ${rules}`], changes };
}

/** MariaDB takes its newer collations without the character set, and keeps them with it. */
function wholeName(collation: string, characterSet: string): string {
  return /^uca1400_/i.test(collation) ? `${characterSet}_${collation}` : collation;
}

function changed(path: Change['path'], observed: string, desired: string): readonly Change[] {
  // Servers say and take both in either case, and MySQL calls one of them by two names.
  const same = plain(observed) === plain(desired);
  return same ? [] : [{ path, observed, desired }];
}

function plain(name: string): string {
  return name.toLowerCase().replace(/^utf8(?=$|_)/, 'utf8mb3');
}

/** Pure. Why the server cannot give this. */
export function characterProblem(
  { characterSet, collation }: DatabaseSpec,
  { collations }: Pick<ServerSeen, 'collations'>,
): string | undefined {
  const sets = [...collations.keys()].map(plain);
  if (sets.length > 0 && !sets.includes(plain(characterSet))) {
    return `the server has no character set \`${characterSet}\``;
  }
  const fits = collation === undefined || isOf(plain(collation), plain(characterSet));
  return fits ? undefined : `\`${collation}\` is no collation of \`${characterSet}\``;
}

/** A collation begins with its character set. MariaDB's newer ones leave that out. */
function isOf(collation: string, characterSet: string): boolean {
  return (
    collation === characterSet ||
    collation.startsWith(`${characterSet}_`) ||
    collation.startsWith('uca1400_')
  );
}
