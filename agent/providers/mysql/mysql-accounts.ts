import { z } from 'zod';

import { readJson } from '../../core/json.ts';
import { Secret } from '../../core/secret.ts';
import { accountKey, byAccount } from './account.ts';
import type { Account, Accounts, Require, Restriction } from './account.ts';
import { fromColumns, heldIn } from './grant-rows.ts';
import { gathered } from './grants.ts';
import type { Grant, Level } from './grants.ts';
import type { AuthString } from './hash.ts';
import { keptHost } from './names.ts';
import { UnreadableRows } from './rows.ts';
import type { MysqlRows } from './rows.ts';
import type { Server } from './server.ts';
import type { AccountName } from './sql.ts';

type UserRow = MysqlRows['accounts'][number];

/** Pure. MySQL's accounts from its rows. Throws `UnreadableRows`. */
export function mysqlAccounts(rows: MysqlRows, server: Server): Accounts {
  const held = Map.groupBy(heldIn(rows, server), ({ key }) => key);
  const dynamic = byAccount(rows.dynamic, named);
  const edges = byAccount(rows.edges, ({ TO_USER, TO_HOST }) => nameOf(TO_USER, TO_HOST));
  const defaults = byAccount(rows.defaults, named);
  const proxies = byAccount(rows.proxies, ({ User, Host }) => nameOf(User, Host));
  const roles = new Set(
    rows.edges.map(({ FROM_USER, FROM_HOST }) => accountKey(nameOf(FROM_USER, FROM_HOST))),
  );
  const accounts = rows.accounts.map((row): Account => {
    const name = nameOf(row.User, row.Host);
    const key = accountKey(name);
    const everywhere: Grant = {
      level: { on: 'everything' },
      ...fromColumns(row, 'everything', server),
    };
    return {
      ...name,
      ...ownFields(row),
      isRole: roles.has(key) ? grantedAs(row) : looksLikeRole(row) ? 'perhaps' : 'no',
      grants: gathered([
        everywhere,
        ...(dynamic.get(key) ?? []).map(dynamicGrant).filter(({ level }) => isKnown(level, server)),
        ...(held.get(key) ?? []).map(({ grant }) => grant),
      ]),
      roles: (edges.get(key) ?? []).map((edge) => ({
        role: nameOf(edge.FROM_USER, edge.FROM_HOST),
        admin: edge.WITH_ADMIN_OPTION === 'Y',
      })),
      defaultRoles: (defaults.get(key) ?? []).map((row) =>
        nameOf(row.DEFAULT_ROLE_USER, row.DEFAULT_ROLE_HOST),
      ),
      proxies: (proxies.get(key) ?? []).map((row) => nameOf(row.Proxied_user, row.Proxied_host)),
    };
  });
  return new Map(accounts.map((account) => [accountKey(account), account]));
}

function nameOf(user: string, host: string): AccountName {
  return { user, host: keptHost(host) };
}

function named({ USER, HOST }: { readonly USER: string; readonly HOST: string }): AccountName {
  return nameOf(USER, HOST);
}

/** What others have as a role. */
function grantedAs({ current_auth: auth }: UserRow): 'yes' | 'both' {
  return (auth ?? '') === '' ? 'yes' : 'both';
}

function looksLikeRole(row: UserRow): boolean {
  return (
    row.account_locked === 'Y' && row.password_expired === 'Y' && (row.current_auth ?? '') === ''
  );
}

function dynamicGrant(row: MysqlRows['dynamic'][number]): Grant {
  const word = row.PRIV.toUpperCase();
  return {
    level: { on: 'dynamic', word },
    privileges: new Set([word]),
    grantOption: row.WITH_GRANT_OPTION === 'Y',
  };
}

/** What a component had that is gone stays in the rows, and no statement can name it. */
function isKnown(level: Level, { dynamic }: Server): boolean {
  return level.on !== 'dynamic' || dynamic.has(level.word);
}

/** What the row of an account says alone. */
function ownFields(row: UserRow) {
  return {
    authentication: [authString(row.plugin, row.current_auth)],
    ...(row.retained_auth !== null && { retained: authString(row.plugin, row.retained_auth) }),
    require: requireOf(row),
    limits: {
      maxQueriesPerHour: row.max_questions,
      maxUpdatesPerHour: row.max_updates,
      maxConnectionsPerHour: row.max_connections,
      maxUserConnections: row.max_user_connections,
    },
    maxStatementSeconds: 0,
    locked: row.account_locked === 'Y',
    expired: row.password_expired === 'Y',
    lifetimeDays: lifetime(row.password_lifetime),
    attributes: json(Attributes, row.metadata, 'metadata') ?? {},
    restrictions: restrictionsOf(row.restrictions),
    writtenByOlder: false,
  };
}

function authString(plugin: string, hex: string | null): AuthString {
  return { plugin, stored: new Secret(Buffer.from(hex ?? '', 'hex').toString('latin1')) };
}

function lifetime(days: number | null): Account['lifetimeDays'] {
  return days === null ? 'default' : days === 0 ? 'never' : days;
}

function requireOf({ ssl_type, tls_subject, tls_issuer, tls_cipher }: UserRow): Require {
  switch (ssl_type) {
    case '':
      return 'none';
    case 'ANY':
      return 'ssl';
    case 'X509':
      return 'x509';
    case 'SPECIFIED':
      return {
        ...(tls_subject && { subject: tls_subject }),
        ...(tls_issuer && { issuer: tls_issuer }),
        ...(tls_cipher && { cipher: tls_cipher }),
      };
  }
}

const Attributes = z.record(z.string(), z.unknown());
const Restrictions = z.array(
  z.looseObject({ Database: z.string(), Privileges: z.array(z.string()) }),
);

function restrictionsOf(text: string | null): readonly Restriction[] {
  return (json(Restrictions, text, 'restrictions') ?? []).map(({ Database, Privileges }) => ({
    database: Database,
    privileges: Privileges,
  }));
}

function json<Value>(
  shape: z.ZodType<Value>,
  text: string | null,
  what: string,
): Value | undefined {
  if (text === null) return undefined;
  const read = shape.safeParse(readJson(text));
  if (read.success) return read.data;
  throw new UnreadableRows(`the server's answer is not understood at \`accounts.${what}\``);
}
