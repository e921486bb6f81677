/** What a routine is. MySQL has libraries from 9.2 on, MariaDB has packages: they are read, never written. */
export type RoutineType = 'FUNCTION' | 'PROCEDURE' | 'LIBRARY' | 'PACKAGE' | 'PACKAGE BODY';

/** On what privileges are given. Each level has one grant option, and a dynamic privilege has its own. */
export type Level =
  | { readonly on: 'everything' }
  | { readonly on: 'dynamic'; readonly word: string }
  /** As the server keeps it: a pattern, where patterns count. */
  | { readonly on: 'database'; readonly stored: string }
  | { readonly on: 'table'; readonly database: string; readonly table: string }
  | {
      readonly on: 'column';
      readonly database: string;
      readonly table: string;
      readonly column: string;
    }
  | {
      readonly on: 'routine';
      readonly type: RoutineType;
      readonly database: string;
      readonly name: string;
    };

/** Privileges on one level. Of a column none has a grant option: it is the table's. */
export interface Grant {
  readonly level: Level;
  readonly privileges: ReadonlySet<string>;
  readonly grantOption: boolean;
}

/** Grants by the key of their level: one a level, none that gives nothing. */
export type Grants = ReadonlyMap<string, Grant>;

/** Pure. The same text for the same level. Columns and routines are one whatever their capitals. */
export function keyOf(level: Level): string {
  switch (level.on) {
    case 'everything':
      return JSON.stringify([level.on]);
    case 'dynamic':
      return JSON.stringify([level.on, level.word]);
    case 'database':
      return JSON.stringify([level.on, level.stored]);
    case 'table':
      return JSON.stringify([level.on, level.database, level.table]);
    case 'column':
      return JSON.stringify([level.on, level.database, level.table, level.column.toLowerCase()]);
    case 'routine':
      return JSON.stringify([level.on, level.type, level.database, level.name.toLowerCase()]);
  }
}

/** Pure. Grants of the same level become one; the first says how its names are written. */
export function gathered(grants: Iterable<Grant>): Grants {
  const byLevel = new Map<string, Grant>();
  for (const grant of grants) {
    if (isEmpty(grant)) continue;
    const key = keyOf(grant.level);
    const before = byLevel.get(key);
    byLevel.set(key, before === undefined ? grant : joined(before, grant));
  }
  return byLevel;
}

function joined(one: Grant, other: Grant): Grant {
  return {
    level: one.level,
    privileges: one.privileges.union(other.privileges),
    grantOption: one.grantOption || other.grantOption,
  };
}

function isEmpty({ privileges, grantOption }: Grant): boolean {
  return privileges.size === 0 && !grantOption;
}

/** Pure. What `one` gives and `other` does not, level by level, written as in `one`. */
export function beyond(one: Grants, other: Grants): readonly Grant[] {
  return [...one].flatMap(([key, grant]) => {
    const same = other.get(key);
    if (same === undefined) return [grant];
    const left = {
      level: grant.level,
      privileges: grant.privileges.difference(same.privileges),
      grantOption: grant.grantOption && !same.grantOption,
    };
    return isEmpty(left) ? [] : [left];
  });
}
