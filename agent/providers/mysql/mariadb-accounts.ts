import { Secret } from '../../core/secret.ts';
import { accountKey, byAccount } from './account.ts';
import type { Account, Accounts, Require } from './account.ts';
import { grantOfAccess, isWrittenByOlder, parseGlobalPriv } from './global-priv.ts';
import type { GlobalPriv } from './global-priv.ts';
import { heldIn } from './grant-rows.ts';
import { gathered } from './grants.ts';
import type { AuthString } from './hash.ts';
import { keptHost } from './names.ts';
import type { MariadbRows } from './rows.ts';
import type { Server } from './server.ts';
import type { AccountName } from './sql.ts';

/** Pure. MariaDB's accounts and roles from its rows. Throws `UnreadableRows`. */
export function mariadbAccounts(rows: MariadbRows, server: Server): Accounts {
  const held = Map.groupBy(heldIn(rows, server), ({ key }) => key);
  const edges = byAccount(rows.edges, ({ User, Host }) => nameOf(User, Host));
  const proxies = byAccount(rows.proxies, ({ User, Host }) => nameOf(User, Host));
  const accounts = rows.accounts.map(({ User, Host, priv }): Account => {
    const name = nameOf(User, Host);
    const key = accountKey(name);
    const kept = parseGlobalPriv(priv);
    return {
      ...name,
      ...ownFields(kept),
      grants: gathered([
        grantOfAccess(kept.access, server),
        ...(held.get(key) ?? []).map(({ grant }) => grant),
      ]),
      roles: (edges.get(key) ?? []).map(({ Role, Admin_option }) => ({
        role: nameOf(Role, ''),
        admin: Admin_option === 'Y',
      })),
      proxies: (proxies.get(key) ?? []).map((row) => nameOf(row.Proxied_user, row.Proxied_host)),
      writtenByOlder: isWrittenByOlder(kept, server),
    };
  });
  return new Map(accounts.map((account) => [accountKey(account), account]));
}

function nameOf(user: string, host: string): AccountName {
  return { user, host: keptHost(host) };
}

/** What the object of an account says alone. */
function ownFields(kept: GlobalPriv) {
  return {
    isRole: kept.is_role ? ('yes' as const) : ('no' as const),
    authentication: kept.is_role ? [] : authenticationOf(kept),
    defaultRoles: kept.default_role === '' ? [] : [nameOf(kept.default_role, '')],
    require: requireOf(kept),
    limits: {
      maxQueriesPerHour: kept.max_questions,
      maxUpdatesPerHour: kept.max_updates,
      maxConnectionsPerHour: kept.max_connections,
      maxUserConnections: kept.max_user_connections,
    },
    maxStatementSeconds: kept.max_statement_time,
    locked: kept.account_locked,
    expired: kept.password_last_changed === 0,
    lifetimeDays: lifetime(kept.password_lifetime),
    restrictions: [],
    attributes: {},
  };
}

function lifetime(days: number): Account['lifetimeDays'] {
  return days < 0 ? 'default' : days === 0 ? 'never' : days;
}

/** In the order in which the server tries them. */
function authenticationOf(kept: GlobalPriv): readonly AuthString[] {
  return (kept.auth_or ?? [{}]).map((one) => {
    const { plugin = '', authentication_string = '' } = one.plugin === undefined ? kept : one;
    return { plugin, stored: new Secret(authentication_string) };
  });
}

function requireOf({ ssl_type, x509_subject, x509_issuer, ssl_cipher }: GlobalPriv): Require {
  if (ssl_type === 1) return 'ssl';
  if (ssl_type === 2) return 'x509';
  if (ssl_type !== 3) return 'none';
  return {
    ...(x509_subject !== '' && { subject: x509_subject }),
    ...(x509_issuer !== '' && { issuer: x509_issuer }),
    ...(ssl_cipher !== '' && { cipher: ssl_cipher }),
  };
}
