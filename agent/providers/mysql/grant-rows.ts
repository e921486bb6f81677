import { accountKey } from './account.ts';
import { GRANT_COLUMN, columnsOf } from './columns.ts';
import type { Grant, Level } from './grants.ts';
import type { MariadbRows, MysqlRows } from './rows.ts';
import type { Server } from './server.ts';
import { folded } from './words.ts';

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
    return held(row, { level, ...fromSet(row.Table_priv, server) });
  });
  const columns = rows.columns.map((row) => {
    const [database, table, column] = [row.Db, row.Table_name, row.Column_name];
    return held(row, {
      level: { on: 'column', database, table, column },
      ...fromSet(row.Column_priv, server),
    });
  });
  const routines = rows.routines.map((row) => {
    const [type, database, name] = [row.Routine_type, row.Db, row.Routine_name];
    return held(row, {
      level: { on: 'routine', type, database, name },
      ...fromSet(row.Proc_priv, server),
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

/** `Select,Create View,Grant`. */
function fromSet(text: string, server: Server): Given {
  const words = text.split(',').filter((word) => word !== '');
  const privileges = words.filter((word) => word !== 'Grant').map((word) => folded(word, server));
  return { privileges: new Set(privileges), grantOption: words.includes('Grant') };
}
