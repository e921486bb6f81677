import type { CallOutcome } from '../../core/kind.ts';
import { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Connection, type Login, openConnection, type Row } from './connect.ts';
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
  return { status: 'refused', why, retry: 'after-replan', cause: 'no-leader' };
}

interface Probed {
  readonly view: HostView;
  readonly connection?: Connection;
}

async function probe(login: Login, clock: Clock, signal: AbortSignal): Promise<Probed> {
  const name = `${login.host}:${login.port}`;
  const end = clock.nowMs() + PROBE_MS;
  if (signal.aborted) return { view: { name, status: 'silent', why: 'not asked' } };
  const opened = await openConnection(login, { clock, deadlineMs: PROBE_MS }, signal);
  if (opened.status !== 'ok') return { view: { name, status: 'silent', why: opened.why } };
  const connection = opened.value;
  const answer = await readAnswer(async (text) => {
    if (signal.aborted) return { status: 'unknown', why: 'not asked' };
    const leftMs = Math.max(1, end - clock.nowMs());
    return await connection.query({ text: new Secret(text) }, leftMs, signal);
  });
  if (answer.status === 'ok') return { view: judgeHost(name, answer.value), connection };
  connection.close();
  return { view: { name, status: 'silent', why: `it does not say how it does: ${answer.why}` } };
}

type Ask = (text: string) => Promise<CallOutcome<readonly Row[]>>;

async function readAnswer(ask: Ask): Promise<CallOutcome<HostAnswer>> {
  const shown = await ask(hostQueries.variables);
  if (shown.status !== 'ok') return shown;
  const status = await ask(hostQueries.status);
  if (status.status !== 'ok') return status;
  const variables = namedValues(shown.value);
  const members: Awaited<ReturnType<Ask>> = isMysql(variables)
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
