import { z } from 'zod';

import { Flag, Name, RepositoryPath, UnitId, positiveDuration, text, whole } from './common.ts';

/** Most units that one document may name, most hosts and roles of one account, most grants. */
const DEPENDENCIES_MAX = 100;
const HOSTS_MAX = 100;
const ROLES_MAX = 100;
const PRIVILEGES_MAX = 1000;
const COLUMNS_MAX = 1000;
const NAME_MAX = 255;
const LIMIT_MAX = 2 ** 32 - 1;
/** How long a password that the agent makes may be. */
const LENGTH = { min: 16, max: 128, usual: 32 };
const RETENTION_MS = 30 * 24 * 60 * 60 * 1000;

/** What a server says about its names is not for a schema: which server it is decides. */
function serverName(what: string) {
  return text(what).max(NAME_MAX, {
    error: `write ${what} of at most ${String(NAME_MAX)} characters`,
  });
}

const KEPT = 'write `Orphan`: there is no code that deletes a database';

/** Keys that every document about a server has. */
const common = {
  adopt: Flag.default(false),
  dependsOn: z.array(UnitId).max(DEPENDENCIES_MAX).default([]),
  suspend: Flag.default(false),
  server: Name.default('default'),
};
const deletionPolicy = z
  .enum(['Orphan', 'Delete'], { error: 'write `Orphan` or `Delete`' })
  .default('Orphan');

const WORD = 'write a privilege such as `SELECT` or `CREATE VIEW`, or `ALL`';
const Word = z.string({ error: WORD }).regex(/^[A-Za-z]+(?:[ _][A-Za-z]+){0,7}$/, { error: WORD });

const Grant = z.strictObject({
  privileges: z.array(Word).min(1, { error: WORD }),
  /** `*` with `table: "*"`: everything, on `*.*`. */
  database: serverName('a database').default('*'),
  table: serverName('a table').default('*'),
  columns: z
    .array(serverName('a column'))
    .min(1, { error: 'write a column' })
    .max(COLUMNS_MAX)
    .optional(),
  routine: z
    .strictObject({
      type: z.enum(['function', 'procedure'], { error: 'write `function` or `procedure`' }),
      name: serverName('a routine'),
    })
    .optional(),
  /** `database` is a pattern in which `%` and `_` count. Else it is one name, whatever it holds. */
  pattern: Flag.default(false),
  grantOption: Flag.default(false),
});

/** What an account or a role may do, and on what. */
export const Privilege = Grant.superRefine((grant, context) => {
  const issue = (key: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  const everywhere = grant.database === '*';
  if (everywhere && grant.table !== '*') issue('table', 'write the database of the table, too');
  if (everywhere && grant.routine !== undefined)
    issue('routine', 'write the database of the routine, too');
  if (grant.columns !== undefined && grant.table === '*')
    issue('columns', 'write the table of the columns, too');
  if (grant.routine !== undefined && grant.table !== '*')
    issue('routine', 'write `table` or `routine`, not both');
  if (!grant.pattern) return;
  if (everywhere) issue('pattern', 'write the pattern as `database`');
  if (grant.table !== '*' || grant.routine !== undefined) {
    issue('pattern', 'a pattern is for whole databases: leave out `table` and `routine`');
  }
});
export type Privilege = z.output<typeof Privilege>;

const privileges = z.array(Privilege).max(PRIVILEGES_MAX).default([]);
const names = z.array(serverName('a role')).max(ROLES_MAX).default([]);

/** A database. It is never deleted; its character set is compared, its collation where one is given. */
export const MySQLDatabase = z.strictObject({
  kind: z.literal('MySQLDatabase', { error: 'write `kind: MySQLDatabase`' }),
  name: serverName('the name of a database'),
  ...common,
  deletionPolicy: z.literal('Orphan', { error: KEPT }).default('Orphan'),
  characterSet: Name.default('utf8mb4'),
  collation: Name.optional(),
});
export type MySQLDatabase = z.output<typeof MySQLDatabase>;

/** A role: privileges under a name. */
export const MySQLRole = z.strictObject({
  kind: z.literal('MySQLRole', { error: 'write `kind: MySQLRole`' }),
  name: serverName('the name of a role'),
  ...common,
  deletionPolicy,
  privileges,
});
export type MySQLRole = z.output<typeof MySQLRole>;

const SOURCES = 'write one of `generate: true`, `fromFile` and `hash`';
const Password = z
  .strictObject({
    generate: z.literal(true, { error: 'write `true`, or leave it out' }).optional(),
    fromFile: RepositoryPath.optional(),
    hash: text('the hash that the server keeps').max(NAME_MAX).optional(),
    secret: Name.optional(),
    key: text('where in the file, such as `a.b`').max(NAME_MAX).optional(),
    length: whole(LENGTH.min, LENGTH.max).optional(),
  })
  .transform(({ generate, fromFile, hash, secret, key, length }, context) => {
    const issue = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const given = [generate, fromFile, hash].filter((source) => source !== undefined);
    if (given.length !== 1) return issue(SOURCES);
    if (key !== undefined && fromFile === undefined) return issue('`key` is for `fromFile` alone');
    if (length !== undefined && generate === undefined)
      return issue('`length` is for `generate` alone');
    if (hash !== undefined) {
      if (secret !== undefined)
        return issue('from a hash no secret can be made: leave out `secret`');
      return { from: 'hash' as const, hash };
    }
    if (fromFile !== undefined) {
      if (key === undefined) return issue('write the `key` of the password in the file, too');
      return {
        from: 'file' as const,
        file: fromFile,
        key,
        ...(secret !== undefined && { secret }),
      };
    }
    if (secret === undefined)
      return issue('write the `secret` that stacks find the password in, too');
    return { from: 'generated' as const, secret, length: length ?? LENGTH.usual };
  });

const REQUIRE = 'write `none`, `ssl`, `x509`, or some of `subject`, `issuer` and `cipher`';
const Certificate = z
  .strictObject({
    subject: text('the subject of a certificate').exactOptional(),
    issuer: text('the issuer of a certificate').exactOptional(),
    cipher: text('a cipher').exactOptional(),
  })
  .refine((given) => Object.values(given).some((part) => part !== undefined), { error: REQUIRE });
const Require = z
  .union([z.string(), Certificate], { error: REQUIRE })
  .transform((given, context): 'none' | 'ssl' | 'x509' | z.output<typeof Certificate> => {
    if (given === 'none' || given === 'ssl' || given === 'x509') return given;
    if (typeof given !== 'string') return given;
    context.addIssue({ code: 'custom', message: REQUIRE });
    return z.NEVER;
  });

const limit = whole(0, LIMIT_MAX).default(0);
const PLUGIN = 'write `caching_sha2_password` or `mysql_native_password`';

/** An account, once for each of its hosts. Durations in milliseconds. */
export const MySQLUser = z
  .strictObject({
    kind: z.literal('MySQLUser', { error: 'write `kind: MySQLUser`' }),
    name: serverName('the name of an account'),
    ...common,
    deletionPolicy,
    hosts: z
      .array(serverName('a host'))
      .min(1, { error: 'write a host such as `%`' })
      .max(HOSTS_MAX)
      .default(['%']),
    password: Password,
    rotate: text('any text: another one makes another password').max(NAME_MAX).optional(),
    /** Absent: `caching_sha2_password` on MySQL, `mysql_native_password` on MariaDB. */
    plugin: z
      .enum(['caching_sha2_password', 'mysql_native_password'], { error: PLUGIN })
      .optional(),
    privileges,
    roles: names,
    defaultRoles: names,
    require: Require.default('none'),
    limits: z
      .strictObject({
        maxQueriesPerHour: limit,
        maxUpdatesPerHour: limit,
        maxConnectionsPerHour: limit,
        maxUserConnections: limit,
      })
      .prefault({}),
    locked: Flag.default(false),
    retention: positiveDuration().default(RETENTION_MS),
  })
  .superRefine(({ hosts, rotate, password, roles, defaultRoles }, context) => {
    for (const [index, host] of hosts.entries()) {
      const first = hosts.findIndex((other) => other.toLowerCase() === host.toLowerCase());
      if (first === index) continue;
      context.addIssue({ code: 'custom', path: ['hosts', index], message: 'write each host once' });
    }
    if (rotate !== undefined && password.from !== 'generated') {
      context.addIssue({
        code: 'custom',
        path: ['rotate'],
        message: '`rotate` is for `generate` alone',
      });
    }
    for (const [index, role] of defaultRoles.entries()) {
      if (roles.includes(role)) continue;
      context.addIssue({
        code: 'custom',
        path: ['defaultRoles', index],
        message: 'a default role is one of `roles`',
      });
    }
  });
export type MySQLUser = z.output<typeof MySQLUser>;
