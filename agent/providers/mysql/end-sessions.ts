import type { MysqlServerSettings } from '../../../schemas/settings.ts';
import { MYSQL_CALL_MS } from '../../core/lease.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import type { Clock } from '../../reconcile/ports.ts';
import type { NotOk } from './answers.ts';
import { type Answer, type Connection, openConnection } from './connect.ts';
import { readLogins } from './logins.ts';
import { keptHost } from './names.ts';
import { UnreadableRows } from './rows.ts';
import type { Flavor } from './server.ts';
import {
  cutOf,
  endByName,
  endSession,
  idsIn,
  readSameName,
  sameName,
  sessionsOf,
} from './sessions.ts';
import type { AccountName, Sql } from './sql.ts';

/** Of one account on one host. Those beyond are ended in the next pass that asks for it, or by a person. */
const SESSIONS_MAX = 1_000;

/** Where sessions are ended. */
export interface Hosts {
  readonly settings: MysqlServerSettings;
  /** The host that takes writes, and the session there. */
  readonly host: string;
  readonly connection: Connection;
  readonly flavor: Flavor;
  readonly clock: Clock;
  readonly guard: Guard;
}

/**
 * Ends the sessions of an account that lets nobody in any more, on every host that answers; without the privilege it ends none, which
 * the plan has said. Undefined: over. Not where the guard shuts, or where the host that takes writes gives no answer.
 */
export async function endSessions(
  name: AccountName,
  on: Hosts,
  signal: AbortSignal,
): Promise<NotOk | undefined> {
  const { clock, guard, connection } = on;
  const why = guard.refusal(MYSQL_CALL_MS);
  if (why !== undefined)
    return { status: 'refused', why, retry: 'after-replan', cause: 'held-back' };
  const end = clock.nowMs() + MYSQL_CALL_MS;
  const asking = (one: Connection) => async (text: Sql) => {
    // What goes before is carried out: that is an outcome, and no reason to throw.
    if (signal.aborted) return STOPPED;
    return await one.query(text, Math.max(1, end - clock.nowMs()), signal);
  };
  const [own] = await Promise.all([
    endOn(name, on.flavor, asking(connection)),
    elsewhere(name, on, { end, signal, asking }),
  ]);
  return own;
}

const STOPPED: NotOk = { status: 'unknown', why: 'stopped before sessions were ended' };

type Ask = (text: Sql) => Promise<Answer>;

/** A host that does not answer is left: it is away from clients, too, or what it does is not to be had. */
async function elsewhere(
  name: AccountName,
  { settings, host, flavor, clock }: Hosts,
  {
    end,
    signal,
    asking,
  }: {
    readonly end: number;
    readonly signal: AbortSignal;
    readonly asking: (connection: Connection) => Ask;
  },
): Promise<void> {
  if (settings.hosts.length < 2) return;
  const read = await readLogins(settings);
  if (read.status !== 'ok' || signal.aborted) return;
  const others = read.logins.filter((login) => `${login.host}:${String(login.port)}` !== host);
  await Promise.all(
    others.map(async (login) => {
      const deadlineMs = Math.max(1, end - clock.nowMs());
      const opened = await openConnection(login, { clock, deadlineMs }, signal);
      if (opened.status !== 'ok') return;
      await endOn(name, flavor, asking(opened.value));
      opened.value.close();
    }),
  );
}

async function endOn(name: AccountName, flavor: Flavor, ask: Ask): Promise<NotOk | undefined> {
  const same = await ask(sameName(name.user, flavor));
  if (same.status !== 'ok') return failureIn(same);
  try {
    const others = readSameName(same.value);
    // Somebody let it in again meanwhile.
    if (others.some((one) => keptHost(one.host) === keptHost(name.host) && !one.locked))
      return undefined;
    const cut = cutOf(name, others);
    if (cut === 'nobody knows') return undefined;
    if (flavor === 'mariadb') return failureIn(await ask(endByName(name, cut)));
    const found = await ask(sessionsOf(name.user));
    if (found.status !== 'ok') return failureIn(found);
    for (const id of idsIn(found.value, name, cut).slice(0, SESSIONS_MAX)) {
      const failure = failureIn(await ask(endSession(id)));
      if (failure !== undefined) return failure;
    }
    return undefined;
  } catch (error) {
    if (error instanceof UnreadableRows) return undefined;
    throw error;
  }
}

/** What is refused is refused for want of a privilege, or because it is over already. */
function failureIn(answer: Answer): NotOk | undefined {
  return answer.status === 'unknown' ? answer : undefined;
}
