import { z } from 'zod';

import { Secret } from '../../core/secret.ts';
import type { DatabaseSpec, MysqlSpec, PasswordSource, RoleSpec, UserSpec } from './spec.ts';

const name = z.string().min(1);
const milliseconds = z.number().nonnegative();
const count = z.number().int().nonnegative();
const deletionPolicy = z.enum(['Orphan', 'Delete']);

const common = { name, adopt: z.boolean(), server: name.exactOptional() };

const privilege = z.strictObject({
  privileges: z.array(name).min(1),
  database: name,
  table: name,
  columns: z.array(name).min(1).exactOptional(),
  routine: z.strictObject({ type: z.enum(['function', 'procedure']), name }).exactOptional(),
  pattern: z.boolean(),
  grantOption: z.boolean(),
});

const database: z.ZodType<DatabaseSpec> = z.strictObject({
  kind: z.literal('MySQLDatabase'),
  ...common,
  deletionPolicy: z.literal('Orphan'),
  characterSet: name,
  collation: name.exactOptional(),
});

const role: z.ZodType<RoleSpec> = z.strictObject({
  kind: z.literal('MySQLRole'),
  ...common,
  deletionPolicy,
  privileges: z.array(privilege),
});

const password: z.ZodType<PasswordSource> = z.union([
  z.strictObject({ from: z.literal('hash'), hash: name }),
  z.strictObject({ from: z.literal('generated'), secret: name, length: count.min(1) }),
  z.strictObject({
    from: z.literal('file'),
    // Empty where nobody could open it.
    password: z.string().transform((text) => new Secret(text)),
    secret: name.exactOptional(),
  }),
]);

const user: z.ZodType<UserSpec> = z.strictObject({
  kind: z.literal('MySQLUser'),
  ...common,
  deletionPolicy,
  hosts: z.array(name).min(1),
  password,
  rotate: name.exactOptional(),
  plugin: z.enum(['caching_sha2_password', 'mysql_native_password']).exactOptional(),
  privileges: z.array(privilege),
  roles: z.array(name),
  defaultRoles: z.array(name),
  require: z.union([
    z.enum(['none', 'ssl', 'x509']),
    z.strictObject({
      subject: name.exactOptional(),
      issuer: name.exactOptional(),
      cipher: name.exactOptional(),
    }),
  ]),
  limits: z.strictObject({
    maxQueriesPerHour: count,
    maxUpdatesPerHour: count,
    maxConnectionsPerHour: count,
    maxUserConnections: count,
  }),
  locked: z.boolean(),
  retention: milliseconds,
});

/** A unit of a server as it comes out of the pipe; secrets are wrapped at once. */
export const mysqlFromWire: z.ZodType<MysqlSpec> = z.union([database, role, user]);

/** Pure. Such a unit as plain JSON, secrets in clear: for the pipe between two of our own processes, nothing else. */
export function mysqlToWire(spec: MysqlSpec): unknown {
  if (spec.kind !== 'MySQLUser' || spec.password.from !== 'file') return spec;
  const { password, ...source } = spec.password;
  return { ...spec, password: { ...source, password: password.reveal() } };
}
