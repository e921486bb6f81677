import { z } from 'zod';

import { ACCESS_BITS } from './columns.ts';
import type { Grant } from './grants.ts';
import { UnreadableRows } from './rows.ts';
import type { Server } from './server.ts';
import { privilegesOf } from './words.ts';

const Authentication = z.looseObject({
  plugin: z.string().optional(),
  authentication_string: z.string().optional(),
});

/** `mysql.global_priv.Priv` of MariaDB: what is not there has its default. */
const GlobalPriv = z.looseObject({
  access: z.bigint().default(0n),
  version_id: z.number().int().default(0),
  is_role: z.boolean().default(false),
  default_role: z.string().default(''),
  ...Authentication.shape,
  /** Each of these opens the account. `{}` stands for the one at the top of the object. */
  auth_or: z.array(Authentication).optional(),
  ssl_type: z.number().int().min(0).max(3).default(0),
  ssl_cipher: z.string().default(''),
  x509_issuer: z.string().default(''),
  x509_subject: z.string().default(''),
  max_questions: z.number().default(0),
  max_updates: z.number().default(0),
  max_connections: z.number().default(0),
  max_user_connections: z.number().default(0),
  max_statement_time: z.number().default(0),
  account_locked: z.boolean().default(false),
  /** Seconds; 0 is expired. */
  password_last_changed: z.number().optional(),
  /** Days; -1 is the server's own, 0 is never. */
  password_lifetime: z.number().int().default(-1),
});
export type GlobalPriv = z.output<typeof GlobalPriv>;

/** Pure. `access` has up to 64 bits, more than a number holds. Throws `UnreadableRows`, without the text: it has hashes. */
export function parseGlobalPriv(text: string): GlobalPriv {
  const read = GlobalPriv.safeParse(jsonWithBits(text));
  if (read.success) return read.data;
  const path = read.error.issues[0]?.path.join('.') ?? '';
  throw new UnreadableRows(`the server's answer is not understood at \`accounts.priv.${path}\``);
}

function jsonWithBits(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text, exactAccess);
    return json;
  } catch {
    return undefined;
  }
}

function exactAccess(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const digits = context?.source ?? '';
  return key === 'access' && /^\d{1,20}$/.test(digits) ? BigInt(digits) : value;
}

/** Pure. Bits that this server does not know count for nothing: its own root has all 64. */
export function grantOfAccess(access: bigint, server: Server): Grant {
  const known = privilegesOf('everything', server);
  const words = ACCESS_BITS.filter((_, bit) => ((access >> BigInt(bit)) & 1n) === 1n);
  return {
    level: { on: 'everything' },
    privileges: new Set(words.filter((word) => known.has(word))),
    grantOption: words.includes('GRANT OPTION'),
  };
}

/** Privileges that were split between versions: from an older row a server reads the parts, too. */
const SPLIT = ['SUPER', 'REPLICATION SLAVE', 'REPLICATION SLAVE ADMIN'];

/** Pure. True where the server gives more than the row says, until somebody changes the account. */
export function isWrittenByOlder({ access, version_id }: GlobalPriv, server: Server): boolean {
  const [major, minor] = server.version;
  if (version_id >= major * 10_000 + minor * 100) return false;
  const { privileges } = grantOfAccess(access, server);
  return SPLIT.some((word) => privileges.has(word));
}
