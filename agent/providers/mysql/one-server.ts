import type { MysqlServerSettings } from '../../../schemas/settings.ts';
import type { CallOutcome, Id } from '../../core/kind.ts';
import { type Failed, lacksPrivilege, type NotOk } from './answers.ts';
import type { Connection, Row } from './connect.ts';
import { Claim, claimants, rivalIn } from './claim.ts';
import { endSessions } from './end-sessions.ts';
import { type Line, sendFenced, takeFence } from './fence.ts';
import type { Writer } from './fence-row.ts';
import { findWriter, lookAtHost, PROBE_MS } from './find-writer.ts';
import { clusterOf, type HostView } from './hosts.ts';
import { ledgerUpgrade, OWN_GRANT, release } from './ledger.ts';
import type { LeftSizes } from './left-sizes.ts';
import { readLogins } from './logins.ts';
import type { ServerSight } from './observed.ts';
import { OtherNodes } from './other-nodes.ts';
import { type Basis, type NotSeen, readServer } from './read-server.ts';
import type { ServersPorts } from './servers.ts';
import { UnreadableRows } from './rows.ts';
import { EndSessions } from './sessions.ts';
import type { Step } from './step.ts';
import { takingTurns } from './turns.ts';

/** As many as may be under way at once; who comes later looks again first. */
const WAITING_MAX = 256;

/** The look at who else claimed a thing. Milliseconds. */
const CLAIM_MS = 2_000;

interface Sending {
  readonly line: Line;
  readonly writer: Writer;
  readonly session: Session;
}

interface Session {
  readonly host: string;
  readonly connection: Connection;
  /** Of the cluster that it is in. */
  readonly nodes?: OtherNodes;
  basis?: Basis;
  /** The term for which this session took the fence. */
  fencedFor?: number;
  /** Another session wrote, perhaps after the last look. */
  mustLook: boolean;
  /** Its ledger lacks what this version writes to it. */
  isOldLedger: boolean;
  /** Whose lines were made and stood alone since the last look: what they are about may be made by now. */
  claimed: Set<Id>;
}

/** One server of the settings. Connects with the first look. One session reads and writes: what it read is what it changes. */
export class OneServer {
  readonly #settings: MysqlServerSettings;
  readonly #ports: ServersPorts;
  readonly #inTurn = takingTurns(WAITING_MAX);
  #session: Session | undefined;
  /** The host of the last session: it is stayed on. */
  #before: string | undefined;
  #isClosed = false;
  readonly #sizes: LeftSizes = new Map();

  constructor(settings: MysqlServerSettings, ports: ServersPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /** As `observe`. */
  async look(signal: AbortSignal): Promise<ServerSight> {
    const look = this.#inTurn(async () => await this.#look(signal));
    return (await look) ?? { status: 'away', why: CROWDED };
  }

  /** As `call`. */
  async carryOut(
    statements: readonly Step[],
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly id: string }>> {
    const work = this.#inTurn(async () => await this.#carryOut(statements, signal));
    return (await work) ?? refused(CROWDED, 'held-back');
  }

  close(): void {
    this.#isClosed = true;
    this.#leave();
  }

  async #look(signal: AbortSignal): Promise<ServerSight> {
    signal.throwIfAborted();
    if (this.#isClosed) return { status: 'away', why: CLOSED };
    const session = await this.#reach(signal);
    if ('status' in session) return session;
    const { host, connection, basis, nodes } = session;
    const { clock, owner } = this.#ports;
    const as = owner === undefined ? {} : { owner };
    const scope = this.#settings.databases;
    const rest = { ...as, ...(nodes && { nodes }) };
    const place = { host, connection, clock, scope, sizes: this.#sizes, ...rest };
    const read = await readServer(place, basis, signal);
    if (this.#isClosed) this.#leave();
    if ('status' in read) return read;
    session.basis = read.basis;
    session.mustLook = false;
    session.claimed = new Set();
    session.isOldLedger = read.isOldLedger;
    const { seen, nowS } = read;
    return { status: 'seen', seen, ...(nowS !== undefined && { nowS }) };
  }

  /** The session of before while its host takes writes, else one on the host that does. */
  async #reach(signal: AbortSignal): Promise<Session | NotSeen> {
    const { clock } = this.#ports;
    const kept = this.#session;
    if (kept !== undefined && (await stillWrites(kept, { clock, signal }))) return kept;
    this.#leave();
    const read = await readLogins(this.#settings);
    if (read.status !== 'ok') return { status: 'away', why: read.why };
    const before = this.#before === undefined ? {} : { before: this.#before };
    const found = await findWriter(read.logins, { clock, ...before }, signal);
    if (found.status !== 'ok') {
      const hopeless = found.status === 'refused' && found.retry === 'never';
      return { status: hopeless ? 'unusable' : 'away', why: found.why };
    }
    const { name, connection, views } = found.value;
    this.#before = name;
    const nodes = this.#nodesBeside(
      views.findIndex((view) => view.name === name),
      views,
    );
    const fresh = { mustLook: false, isOldLedger: false, claimed: new Set<Id>() };
    this.#session = { host: name, connection, ...(nodes && { nodes }), ...fresh };
    return this.#session;
  }

  /** By its place in the settings' list, which that of the views is. */
  #nodesBeside(at: number, views: readonly HostView[]): OtherNodes | undefined {
    const settings = this.#settings;
    const [view, own] = [views[at], settings.hosts[at]];
    const cluster = view && clusterOf(view);
    if (own === undefined || cluster === undefined) return undefined;
    return new OtherNodes({ settings, clock: this.#ports.clock, own, cluster });
  }

  #leave(): void {
    this.#session?.connection.close();
    this.#session?.nodes?.close();
    this.#session = undefined;
  }

  async #carryOut(
    statements: readonly Step[],
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly id: string }>> {
    signal.throwIfAborted();
    const session = this.#session;
    if (this.#isClosed) return refused(CLOSED, 'held-back');
    if (session === undefined || session.connection.isClosed()) {
      return refused(UNSEEN, 'unreachable');
    }
    const { clock, guard, term, holder, owner } = this.#ports;
    const as = owner === undefined ? {} : { owner };
    const line = { connection: session.connection, clock, guard, signal, ...as };
    const writer = { term: term(), holder };
    if (session.fencedFor !== writer.term) {
      const taken = await takeFence(line, writer);
      if (taken.status !== 'ok') return taken;
      session.fencedFor = writer.term;
      if (!taken.value.alone) session.mustLook = true;
    }
    if (session.mustLook) {
      return refused('another session wrote to it: it is looked at first', 'out-of-sequence');
    }
    if (session.isOldLedger) {
      const kept = upgradeProblem(await sendFenced(line, writer, ledgerUpgrade));
      if (kept !== undefined) return kept;
      session.isOldLedger = false;
    }
    for (const step of statements) {
      if (term() !== writer.term) return refused('this agent leads anew', 'held-back');
      const failed = await this.#take(step, { line, writer, session });
      if (failed === undefined) continue;
      if (failed.cause === 'held-back') delete session.fencedFor;
      return failed;
    }
    return { status: 'ok', value: { id: session.host } };
  }

  /** Undefined: it is done. */
  async #take(step: Step, { line, writer, session }: Sending): Promise<NotOk | undefined> {
    if (step instanceof EndSessions) return await this.#endSessions(step, session, line.signal);
    const sent = await sendFenced(line, writer, step);
    if (sent.status !== 'ok') return sent;
    if (!(step instanceof Claim)) return undefined;
    const { id, isNew } = step;
    // The line is written: that is an outcome, and no reason to throw.
    if (line.signal.aborted) return refused('stopped before the next one was sent', 'held-back');
    const looked = await line.connection.query(claimants(id), CLAIM_MS, line.signal);
    if (looked.status !== 'ok') return looked;
    const rival = rivalOf(looked.value, id, line.owner);
    if (rival === undefined) session.claimed.add(id);
    if (typeof rival !== 'string') return rival;
    session.mustLook = true;
    // Of two who claimed in one moment both may see the other: neither keeps a line, and one is first the next time. A line that
    // stood alone before stays: an account without it would be nobody's.
    const isLost = isNew && !session.claimed.has(id);
    const removed = isLost ? await sendFenced(line, writer, release(id, line.owner)) : looked;
    if (removed.status !== 'ok') return removed;
    return refused(`\`${rival}\`, another one who writes there, noted it first`, 'out-of-sequence');
  }

  async #endSessions(
    { of }: EndSessions,
    { host, connection, basis }: Session,
    signal: AbortSignal,
  ): Promise<NotOk | undefined> {
    if (basis === undefined) return refused(UNSEEN, 'unreachable');
    const { clock, guard } = this.#ports;
    const { flavor } = basis.server;
    const hosts = { settings: this.#settings, host, connection, flavor, clock, guard };
    return await endSessions(of, hosts, signal);
  }
}

/** One that does not answer any more does not either. */
async function stillWrites(
  { host, connection }: Session,
  { clock, signal }: Pick<ServersPorts, 'clock'> & { readonly signal: AbortSignal },
): Promise<boolean> {
  if (connection.isClosed()) return false;
  const { view } = await lookAtHost(host, connection, { clock, deadlineMs: PROBE_MS }, signal);
  signal.throwIfAborted();
  return view.status === 'writes';
}

/** Nothing of what was asked for was sent yet, so no commit is at fault. It may have been done already. */
function upgradeProblem(sent: { readonly status: 'ok' } | Failed): NotOk | undefined {
  if (sent.status === 'ok' || sent.number === HAS_COLUMN) return undefined;
  const why = lacksPrivilege(sent) ? `${sent.why}: ${OWN_GRANT} is missing` : sent.why;
  return refused(`the ledger of an earlier version: ${why}`, 'held-back');
}

const HAS_COLUMN = 1060;
/** Its name; undefined: there is none. */
function rivalOf(
  rows: readonly Row[],
  id: Id,
  owner: string | undefined,
): string | NotOk | undefined {
  try {
    return rivalIn(rows, id, owner);
  } catch (error) {
    if (!(error instanceof UnreadableRows)) throw error;
    return { status: 'refused', why: error.message, retry: 'never' };
  }
}

const UNSEEN = 'there is no session with it: it is looked at first';
const CLOSED = 'the agent ends';
const CROWDED = 'too much waits for it already';

function refused(why: string, cause: 'held-back' | 'out-of-sequence' | 'unreachable'): NotOk {
  return { status: 'refused', why, retry: 'after-replan', cause };
}
