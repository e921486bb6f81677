import type { CallOutcome } from '../../core/kind.ts';
import { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Failed, lacksPrivilege } from './answers.ts';
import { type Answer, type Connection, type Login, openConnection } from './connect.ts';
import {
  chooseHost,
  type HostAnswer,
  hostQueries,
  type HostView,
  isMysql,
  judgeHost,
  membersIn,
  namedValues,
} from './hosts.ts';

/** All hosts are asked at once, and this is the time for all of it. */
export const PROBE_MS = 3_000;

/** The session on the host to write to: the one on which it said so. Behind a proxy another one may lead elsewhere. */
export interface Found {
  readonly name: string;
  readonly connection: Connection;
  /** How all hosts do, in the order of the list. */
  readonly views: readonly HostView[];
}

/**
 * Asks all hosts and gives a session on the one to write to. Refused, in words for each host, where there is none. Rejects with the
 * signal's reason.
 */
export async function findWriter(
  logins: readonly Login[],
  { clock, before }: { readonly clock: Clock; readonly before?: string },
  signal: AbortSignal,
): Promise<CallOutcome<Found>> {
  const probes = await Promise.all(logins.map(async (login) => await probe(login, clock, signal)));
  const views = probes.map(({ view }) => view);
  const writer = chooseHost(views, before);
  const chosen = 'index' in writer ? probes[writer.index] : undefined;
  for (const one of probes) if (one !== chosen || signal.aborted) one.connection?.close();
  signal.throwIfAborted();
  if (chosen?.connection !== undefined) {
    const { view, connection } = chosen;
    return { status: 'ok', value: { name: view.name, connection, views } };
  }
  const why = 'why' in writer ? writer.why : 'no host takes writes';
  // Nothing but a GRANT helps where a host may not say how it does.
  if (probes.some(({ lacks }) => lacks === true)) return { status: 'refused', why, retry: 'never' };
  return { status: 'refused', why, retry: 'after-replan', cause: 'no-leader' };
}

/** How the host of an open session does now; `lacks`: the account may not ask for it. Milliseconds, for all of it. */
export async function lookAtHost(
  name: string,
  connection: Connection,
  { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<{ readonly view: HostView; readonly lacks?: true }> {
  const end = clock.nowMs() + deadlineMs;
  const answer = await readAnswer(async (text) => {
    if (signal.aborted) return { status: 'unknown', why: 'not asked' };
    const leftMs = Math.max(1, end - clock.nowMs());
    return await connection.query({ text: new Secret(text) }, leftMs, signal);
  });
  if (answer.status === 'ok') return { view: judgeHost(name, answer.value) };
  const lacks = lacksPrivilege(answer);
  const grant = lacks ? '; GRANT SELECT ON `performance_schema`.* is missing' : '';
  const why = `it does not say how it does: ${answer.why}${grant}`;
  return { view: { name, status: 'silent', why }, ...(lacks && { lacks }) };
}

interface Probed {
  readonly view: HostView;
  readonly lacks?: true;
  readonly connection?: Connection;
}

async function probe(login: Login, clock: Clock, signal: AbortSignal): Promise<Probed> {
  const name = `${login.host}:${login.port}`;
  const end = clock.nowMs() + PROBE_MS;
  if (signal.aborted) return { view: { name, status: 'silent', why: 'not asked' } };
  const opened = await openConnection(login, { clock, deadlineMs: PROBE_MS }, signal);
  if (opened.status !== 'ok') return { view: { name, status: 'silent', why: opened.why } };
  const connection = opened.value;
  const deadlineMs = Math.max(1, end - clock.nowMs());
  const looked = await lookAtHost(name, connection, { clock, deadlineMs }, signal);
  if (looked.view.status !== 'silent') return { ...looked, connection };
  connection.close();
  return looked;
}

type Ask = (text: string) => Promise<Answer>;

async function readAnswer(
  ask: Ask,
): Promise<{ readonly status: 'ok'; readonly value: HostAnswer } | Failed> {
  const shown = await ask(hostQueries.variables);
  if (shown.status !== 'ok') return shown;
  const status = await ask(hostQueries.status);
  if (status.status !== 'ok') return status;
  const variables = namedValues(shown.value);
  const members: Answer = isMysql(variables)
    ? await ask(hostQueries.members)
    : { status: 'ok', value: [] };
  if (members.status !== 'ok') return members;
  const value = {
    variables,
    status: namedValues(status.value),
    members: membersIn(members.value),
  };
  return { status: 'ok', value };
}
