import type { CallOutcome } from '../../../core/kind.ts';
import type { PurgeFact, PurgeGround } from '../../../core/purge.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import type { Failed } from '../answers.ts';
import { type Connection, type Login, openConnection, type Row } from '../connect.ts';
import { findWriter } from '../find-writer.ts';
import type { ServerSeen } from '../observed.ts';
import { readServer } from '../read-server.ts';
import { UnreadableRows } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { type DatabaseLook, type DatabasePlace, type HostSessions, linesOf } from './judge.ts';
import { contentOf, factsIn, freshNumbers } from './size.ts';
import { referencesTo, referenceWords, seesSessions, sessionsIn, sessionWords } from './use.ts';

/** To connect, and one question. What a database of many tables holds takes its time. Milliseconds. */
const CONNECT_MS = 3_000;
const QUESTION_MS = 60_000;

/** How a person reaches all hosts of one server. */
export interface Reach {
  readonly logins: readonly Login[];
  readonly clock: Clock;
}

/** A session on the host that takes writes, with all that was looked at there. */
export interface Looked extends DatabaseLook {
  readonly connection: Connection;
  readonly facts: readonly PurgeFact[];
}

/** Looks at all that counts, on every host. The session is open after it, unless it gives none. Rejects with the signal's reason. */
export async function lookAt(
  place: DatabasePlace,
  reach: Reach,
  { environment: owner }: PurgeGround,
  signal: AbortSignal,
): Promise<CallOutcome<Looked>> {
  const { logins, clock } = reach;
  const found = await findWriter(logins, { clock }, signal);
  if (found.status !== 'ok') return found;
  const { name: host, connection } = found.value;
  try {
    const there = { host, connection, clock, owner, scope: [], sizes: new Map() };
    const read = await readServer(there, undefined, signal);
    if ('status' in read) return given(connection, refused(read.why));
    const { seen, isOldLedger } = read;
    const ask = asking(connection, signal);
    for (const statement of freshNumbers(seen.server)) await ask(statement);
    const isThere = seen.databases.has(place.name);
    const facts = isThere ? factsIn(await ask(contentOf(place.name))) : [];
    const references = referenceWords(await ask(referencesTo(place.name)));
    const sessions = seesSessions(seen.self, seen.accounts)
      ? await sessionsOn(place, reach, signal)
      : [{ host, why: 'GRANT PROCESS ON *.* is missing to the account that looks' }];
    const value = { seen, isOldLedger, sessions, references, connection };
    return { status: 'ok', value: { ...value, facts: [...facts, ...leftFacts(place, seen)] } };
  } catch (error) {
    connection.close();
    if (error instanceof Unanswered) return error.outcome;
    if (error instanceof UnreadableRows) return refused(error.message);
    throw error;
  }
}

/** A group and a cluster have sessions on each of their members. */
async function sessionsOn(
  { name }: DatabasePlace,
  { logins, clock }: Reach,
  signal: AbortSignal,
): Promise<readonly HostSessions[]> {
  return await Promise.all(
    logins.map(async (login): Promise<HostSessions> => {
      const host = `${login.host}:${String(login.port)}`;
      const opened = await openConnection(login, { clock, deadlineMs: CONNECT_MS }, signal);
      if (opened.status !== 'ok') return { host, why: opened.why };
      try {
        return { host, words: sessionWords(await asking(opened.value, signal)(sessionsIn(name))) };
      } catch (error) {
        if (error instanceof Unanswered) return { host, why: error.message };
        throw error;
      } finally {
        opened.value.close();
      }
    }),
  );
}

/** Since when the repository does without it, by the server's clock. */
function leftFacts(place: DatabasePlace, seen: ServerSeen): readonly PurgeFact[] {
  const [leftAt] = linesOf(place, seen).flatMap((id) => seen.owned.get(id)?.leftAt ?? []);
  if (leftAt === undefined) return [];
  return [{ key: 'leftAt', value: leftAt, label: 'left the repository', words: leftAt }];
}

/** Ends a look from within. */
class Unanswered extends Error {
  override readonly name = 'Unanswered';
  readonly outcome: Failed;

  constructor(outcome: Failed) {
    super(outcome.why);
    this.outcome = outcome;
  }
}

function asking(connection: Connection, signal: AbortSignal) {
  return async (statement: Sql): Promise<readonly Row[]> => {
    const answer = await connection.query(statement, QUESTION_MS, signal);
    signal.throwIfAborted();
    if (answer.status === 'ok') return answer.value;
    throw new Unanswered(answer);
  };
}

function given(connection: Connection, outcome: ReturnType<typeof refused>) {
  connection.close();
  return outcome;
}

function refused(why: string) {
  return { status: 'refused', why, retry: 'after-replan' } as const;
}
