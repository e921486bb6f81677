import { z } from 'zod';

import { GRANT_COLUMN, columnsOf } from './columns.ts';
import type { Server } from './server.ts';
import { identifier, list, sql } from './sql.ts';
import type { Sql } from './sql.ts';

// All accounts of a server by a handful of queries, whatever their number. Tables and not `SHOW`: that prints what is not
// kept any more, hides what it does not escape, and costs two queries an account. Every cell is text, a number or nothing,
// whatever a library makes of JSON and bytes.

const Text = z.string();
const YesNo = z.enum(['Y', 'N']);
const Count = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);
const Of = { Host: Text, User: Text };

const DatabaseRow = z.looseObject({ ...Of, Db: Text, [GRANT_COLUMN]: YesNo });
const TableRow = z.looseObject({ ...Of, Db: Text, Table_name: Text, Table_priv: Text });
const ColumnRow = z.looseObject({
  ...Of,
  Db: Text,
  Table_name: Text,
  Column_name: Text,
  Column_priv: Text,
});
const RoutineRow = z.looseObject({
  ...Of,
  Db: Text,
  Routine_name: Text,
  Routine_type: z.enum(['FUNCTION', 'PROCEDURE', 'LIBRARY', 'PACKAGE', 'PACKAGE BODY']),
  Proc_priv: Text,
});
const ProxyRow = z.looseObject({ ...Of, Proxied_host: Text, Proxied_user: Text });

const GrantRows = {
  databases: z.array(DatabaseRow),
  tables: z.array(TableRow),
  columns: z.array(ColumnRow),
  routines: z.array(RoutineRow),
  proxies: z.array(ProxyRow),
};

const UserRow = z.looseObject({
  ...Of,
  [GRANT_COLUMN]: YesNo,
  plugin: Text,
  /** Hexadecimal, for salts hold any byte; so is the password that is kept beside. */
  current_auth: Text.nullable(),
  retained_auth: Text.nullable(),
  ssl_type: z.enum(['', 'ANY', 'X509', 'SPECIFIED']),
  tls_cipher: Text.nullable(),
  tls_issuer: Text.nullable(),
  tls_subject: Text.nullable(),
  max_questions: Count,
  max_updates: Count,
  max_connections: Count,
  max_user_connections: Count,
  password_expired: YesNo,
  password_lifetime: Count.nullable(),
  account_locked: YesNo,
  /** JSON as text. */
  metadata: Text.nullable(),
  restrictions: Text.nullable(),
});

/** What MySQL answers. */
export const MysqlRows = z.strictObject({
  accounts: z.array(UserRow),
  ...GrantRows,
  dynamic: z.array(z.looseObject({ USER: Text, HOST: Text, PRIV: Text, WITH_GRANT_OPTION: YesNo })),
  edges: z.array(
    z.looseObject({
      FROM_HOST: Text,
      FROM_USER: Text,
      TO_HOST: Text,
      TO_USER: Text,
      WITH_ADMIN_OPTION: YesNo,
    }),
  ),
  defaults: z.array(
    z.looseObject({ HOST: Text, USER: Text, DEFAULT_ROLE_HOST: Text, DEFAULT_ROLE_USER: Text }),
  ),
});
export type MysqlRows = z.output<typeof MysqlRows>;

/** What MariaDB answers. */
export const MariadbRows = z.strictObject({
  accounts: z.array(z.looseObject({ ...Of, priv: Text })),
  ...GrantRows,
  edges: z.array(z.looseObject({ ...Of, Role: Text, Admin_option: YesNo })),
});
export type MariadbRows = z.output<typeof MariadbRows>;

/** An answer that is not what it should be. Names the place and none of the values, which may be secret. */
export class UnreadableRows extends Error {
  override readonly name = 'UnreadableRows';
}

/** Pure. Answers by the name of their question, in their shape. Throws `UnreadableRows`. */
export function readRows<Rows>(shape: z.ZodType<Rows>, answers: unknown): Rows {
  const read = shape.safeParse(answers);
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.join('.') ?? '';
  throw new UnreadableRows(`the server's answer is not understood at \`${path}\``);
}

/** Says which server it is: see `parseVersion`. */
export const VERSION: Sql = sql`SELECT VERSION() AS version`;
/** MySQL: how the databases of grants are read. MariaDB does not know the word. */
export const PARTIAL_REVOKES: Sql = sql`SELECT @@GLOBAL.partial_revokes AS partial_revokes`;
/** Which privileges there are. Needs no privilege. */
export const PRIVILEGES: Sql = sql`SHOW PRIVILEGES`;

const PrivilegeRows = z.array(z.looseObject({ Privilege: Text }));

/** Pure. MySQL's dynamic privileges: it prints them, and no others, in capitals throughout. */
export function dynamicOf(answer: unknown): ReadonlySet<string> {
  const words = readRows(PrivilegeRows, answer).map(({ Privilege }) => Privilege);
  return new Set(words.filter((word) => /^[A-Z]+(?:_[A-Z]+)*$/.test(word)));
}

/** Pure. The questions of this server, by the names that `MysqlRows` or `MariadbRows` has for the answers. */
export function questionsOf(server: Server): Readonly<Record<string, Sql>> {
  const questions = { ...grantQuestions(server) };
  return server.flavor === 'mysql'
    ? { ...questions, ...mysqlQuestions(server) }
    : {
        ...questions,
        accounts: sql`SELECT Host, User, CAST(Priv AS CHAR) AS priv FROM mysql.global_priv`,
        edges: sql`SELECT Host, User, Role, Admin_option FROM mysql.roles_mapping`,
      };
}

function grantQuestions(server: Server): Readonly<Record<string, Sql>> {
  const columns = listed(columnsOf('database', server));
  return {
    databases: sql`SELECT Host, User, Db, ${columns} FROM mysql.db`,
    tables: sql`SELECT Host, User, Db, Table_name, Table_priv FROM mysql.tables_priv`,
    columns: sql`SELECT Host, User, Db, Table_name, Column_name, Column_priv FROM mysql.columns_priv`,
    routines: sql`SELECT Host, User, Db, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv`,
    proxies: sql`SELECT Host, User, Proxied_host, Proxied_user FROM mysql.proxies_priv`,
  };
}

function listed(columns: ReadonlyMap<string, string>): Sql {
  return list([GRANT_COLUMN, ...columns.keys()].map((column) => identifier(column)));
}

function mysqlQuestions(server: Server): Readonly<Record<string, Sql>> {
  const columns = listed(columnsOf('everything', server));
  return {
    accounts: sql`SELECT Host, User, ${columns}, plugin, HEX(CAST(authentication_string AS BINARY)) AS current_auth, HEX(JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.additional_password'))) AS retained_auth, ssl_type, CONVERT(ssl_cipher USING utf8mb4) AS tls_cipher, CONVERT(x509_issuer USING utf8mb4) AS tls_issuer, CONVERT(x509_subject USING utf8mb4) AS tls_subject, max_questions, max_updates, max_connections, max_user_connections, password_expired, password_lifetime, account_locked, CAST(JSON_EXTRACT(User_attributes, '$.metadata') AS CHAR) AS metadata, CAST(JSON_EXTRACT(User_attributes, '$.Restrictions') AS CHAR) AS restrictions FROM mysql.user`,
    dynamic: sql`SELECT USER, HOST, PRIV, WITH_GRANT_OPTION FROM mysql.global_grants`,
    edges: sql`SELECT FROM_HOST, FROM_USER, TO_HOST, TO_USER, WITH_ADMIN_OPTION FROM mysql.role_edges`,
    defaults: sql`SELECT HOST, USER, DEFAULT_ROLE_HOST, DEFAULT_ROLE_USER FROM mysql.default_roles`,
  };
}
