import { rootCertificates } from 'node:tls';

import type { MysqlServerSettings } from '../../../schemas/settings.ts';
import { Secret } from '../../core/secret.ts';
import { readPassword, readSmallFile } from '../../small-file.ts';
import type { Login } from './connect.ts';

const CA_BYTES_MAX = 2 ** 20;

/** How each host is logged in to, in the order of the settings, or why that cannot be known. */
export type Logins =
  | { readonly status: 'ok'; readonly logins: readonly Login[] }
  | { readonly status: 'failed'; readonly why: string };

/** Reads the files that the settings name, each time: a new password or certificate counts with the next connection. */
export async function readLogins(settings: MysqlServerSettings): Promise<Logins> {
  const { user, passwordFile } = settings;
  const read = await readPassword(passwordFile);
  if (read.text === undefined) return unread('the password', passwordFile, read.why);
  return await loginsFor(settings, { user, password: new Secret(read.text) });
}

/** The same for somebody else than the agent. */
export async function loginsFor(
  settings: MysqlServerSettings,
  { user, password }: Pick<Login, 'user' | 'password'>,
): Promise<Logins> {
  const { hosts } = settings;
  const trusted = await readTrusted(settings);
  if ('status' in trusted) return trusted;
  return {
    status: 'ok',
    logins: hosts.map((text) => ({ ...hostAndPort(text), user, password, ...trusted })),
  };
}

/** Encrypted, unless the settings say that it is off; without a `caFile` by the authorities that Node comes with. */
async function readTrusted({
  tls,
}: MysqlServerSettings): Promise<
  Pick<Login, 'tls'> | { readonly status: 'failed'; readonly why: string }
> {
  if (tls?.mode === 'off') return {};
  const verifyName = tls?.verifyName ?? true;
  const file = tls?.caFile;
  if (file === undefined) return { tls: { ca: rootCertificates.join('\n'), verifyName } };
  const read = await readSmallFile(file, CA_BYTES_MAX);
  if (read.text === undefined) return unread('the trusted certificates', file, read.why);
  return { tls: { ca: read.text, verifyName } };
}

function unread(what: string, file: string, why: string) {
  return { status: 'failed' as const, why: `${what} cannot be read: ${file}: ${why}` };
}

/** Pure. `db1:3306` or `[::1]:3306`, as the schema has made sure. */
function hostAndPort(text: string): Pick<Login, 'host' | 'port'> {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)) };
}
