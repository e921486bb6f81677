import { z } from 'zod';

import type { MysqlServerSettings } from '../../../../schemas/settings.ts';
import type { Finding } from '../../../core/finding.ts';
import { Secret } from '../../../core/secret.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import { type Connection, openConnection, type Row } from '../connect.ts';
import { namedValues } from '../hosts.ts';
import { readLogins } from '../logins.ts';
import { readRows, UnreadableRows } from '../rows.ts';
import { parseVersion } from '../server.ts';
import { judgeRights, type OwnRights } from './rights.ts';

/** To connect, and one question. Milliseconds. */
const CONNECT_MS = 3_000;
const QUESTION_MS = 5_000;

// What an account may do itself the server tells it without any privilege; so one that has none at all can be helped, too.
const SELF = 'SELECT VERSION() AS version, CURRENT_USER() AS self, CURRENT_ROLE() AS roles';
/** MariaDB does not have it, and says nothing. */
const PARTIAL = "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'";
const EVERYTHING =
  'SELECT GRANTEE AS who, PRIVILEGE_TYPE AS word, IS_GRANTABLE AS passes FROM information_schema.USER_PRIVILEGES';
const DATABASES =
  'SELECT GRANTEE AS who, TABLE_SCHEMA AS place, PRIVILEGE_TYPE AS word, IS_GRANTABLE AS passes FROM information_schema.SCHEMA_PRIVILEGES';

/** What the agent's account lacks on each server of its settings. Reads, and writes nothing. Rejects with the signal's reason. */
export async function examineServers(
  servers: Readonly<Record<string, MysqlServerSettings>>,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(servers).map(async ([name, one]) => await examine(name, one, { clock, signal })),
  );
  signal.throwIfAborted();
  return found.flat();
}

interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Privileges are the same on all hosts of a group: the first that answers is asked. */
async function examine(
  name: string,
  settings: MysqlServerSettings,
  { clock, signal }: Limits,
): Promise<readonly Finding[]> {
  const read = await readLogins(settings);
  if (read.status !== 'ok') return [unreached(name, read.why)];
  const whys: string[] = [];
  for (const login of read.logins) {
    signal.throwIfAborted();
    const opened = await openConnection(login, { clock, deadlineMs: CONNECT_MS }, signal);
    if (opened.status === 'ok') {
      const rights = await readRights(opened.value, signal).finally(() => opened.value.close());
      if (!('why' in rights)) return judgeRights(name, rights);
      whys.push(`${login.host}:${login.port}: ${rights.why}`);
    } else whys.push(`${login.host}:${login.port}: ${opened.why}`);
  }
  return [unreached(name, whys.join('; '))];
}

function unreached(name: string, why: string): Finding {
  return {
    severity: 'warning',
    code: 'mysql-unreached',
    where: `server ${name}`,
    what: 'none of its hosts lets the agent in, so nothing is known of it',
    why,
    advice: "look at `mysql` in the agent's settings, at the server, and at the way to it",
  };
}

const Self = z.tuple([
  z.looseObject({ version: z.string(), self: z.string(), roles: z.string().nullable() }),
]);
const Word = { who: z.string(), word: z.string(), passes: z.string() };
const Everything = z.array(z.looseObject(Word));
const Databases = z.array(z.looseObject({ ...Word, place: z.string() }));

async function readRights(
  connection: Connection,
  signal: AbortSignal,
): Promise<OwnRights | { readonly why: string }> {
  const answers: (readonly Row[])[] = [];
  for (const text of [SELF, EVERYTHING, DATABASES, PARTIAL]) {
    const answer = await connection.query({ text: new Secret(text) }, QUESTION_MS, signal);
    if (answer.status !== 'ok') return { why: answer.why };
    answers.push(answer.value);
  }
  try {
    return rightsIn(answers);
  } catch (error) {
    if (error instanceof UnreadableRows) return { why: error.message };
    throw error;
  }
}

/** Pure. Throws `UnreadableRows`. */
function rightsIn([first = [], second = [], third = [], last = []]: readonly (readonly Row[])[]):
  OwnRights | { readonly why: string } {
  const [{ version, self, roles }] = readRows(Self, first);
  const parsed = parseVersion(version);
  if ('reason' in parsed) return { why: parsed.reason };
  const at = self.lastIndexOf('@');
  const [user, host] = [self.slice(0, at), self.slice(at + 1)];
  // As these tables write it: nothing is escaped in them. An account that reads the privilege tables sees others' too.
  const isOwn = ({ who }: { readonly who: string }): boolean => who === `'${user}'@'${host}'`;
  const own = readRows(Databases, third).filter(isOwn);
  return {
    self: { user, host },
    flavor: parsed.flavor,
    everything: wordsOf(readRows(Everything, second).filter(isOwn)),
    databases: new Map(
      [...Map.groupBy(own, ({ place }) => place)].map(([place, rows]) => [place, wordsOf(rows)]),
    ),
    partialRevokes: namedValues(last).get('partial_revokes') === 'ON',
    hasRoles: roles !== null && roles !== 'NONE',
  };
}

/** In the tables each word says by itself whether it may be given on; a server keeps that once a level, but for dynamic ones. */
function wordsOf(
  rows: readonly { readonly word: string; readonly passes: string }[],
): ReadonlySet<string> {
  const words = rows.map(({ word }) => word.toUpperCase());
  const passes = rows.some(({ word, passes: may }) => may === 'YES' && !word.includes('_'));
  return new Set([...words, ...(passes ? ['GRANT OPTION'] : [])]);
}
