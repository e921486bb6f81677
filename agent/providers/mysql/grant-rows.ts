import { accountKey } from './account.ts';
import { GRANT_COLUMN, columnsOf } from './columns.ts';
import type { Grant, Level } from './grants.ts';
import type { MariadbRows, MysqlRows } from './rows.ts';
import type { Server } from './server.ts';
import { folded, privilegesOf } from './words.ts';

/** A grant and the key of the account that has it. */
export interface Held {
  readonly key: string;
  readonly grant: Grant;
}

type Rows = Pick<MysqlRows | MariadbRows, 'databases' | 'tables' | 'columns' | 'routines'>;
type Of = { readonly User: string; readonly Host: string };

/** Pure. What the tables that both families have say, below `*.*`. */
export function heldIn(rows: Rows, server: Server): readonly Held[] {
  const databases = rows.databases.map((row) => {
    const level: Level = { on: 'database', stored: row.Db };
    return held(row, { level, ...fromColumns(row, 'database', server) });
  });
  const tables = rows.tables.map((row) => {
    const level: Level = { on: 'table', database: row.Db, table: row.Table_name };
    return held(row, { level, ...fromSet(row.Table_priv, 'table', server) });
  });
  const columns = rows.columns.map((row) => {
    const [database, table, column] = [row.Db, row.Table_name, row.Column_name];
    return held(row, {
      level: { on: 'column', database, table, column },
      ...fromSet(row.Column_priv, 'column', server),
    });
  });
  const routines = rows.routines.map((row) => {
    const [type, database, name] = [row.Routine_type, row.Db, row.Routine_name];
    return held(row, {
      level: { on: 'routine', type, database, name },
      ...fromSet(row.Proc_priv, 'routine', server),
    });
  });
  return [...databases, ...tables, ...columns, ...routines];
}

function held({ User: user, Host: host }: Of, grant: Grant): Held {
  return { key: accountKey({ user, host }), grant };
}

type Given = Pick<Grant, 'privileges' | 'grantOption'>;

/** Pure. Privileges of a row with a column for each: `Y` or `N`. */
export function fromColumns(
  row: Readonly<Record<string, unknown>>,
  place: 'everything' | 'database',
  server: Server,
): Given {
  const given = [...columnsOf(place, server)].filter(([column]) => row[column] === 'Y');
  return {
    privileges: new Set(given.map(([, word]) => word)),
    grantOption: row[GRANT_COLUMN] === 'Y',
  };
}

/** `Select,Create View,Grant`. What this program does not know of a later server is not compared. */
function fromSet(text: string, place: Level['on'], server: Server): Given {
  const words = text.split(',');
  const known = privilegesOf(place, server);
  return {
    privileges: new Set(words.map((word) => folded(word, server))).intersection(known),
    grantOption: words.includes('Grant'),
  };
}
