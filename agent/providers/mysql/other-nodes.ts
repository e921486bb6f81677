import type { MysqlServerSettings } from '../../../schemas/settings.ts';
import { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import type { Accounts } from './account.ts';
import { type Apart, apartOf } from './apart.ts';
import {
  type Connection,
  type Login,
  openConnection,
  type Row,
  type Statement,
} from './connect.ts';
import { hostQueries, isInStep, namedValues } from './hosts.ts';
import { readLogins } from './logins.ts';
import { mariadbAccounts } from './mariadb-accounts.ts';
import { MariadbRows, questionsOf, readRows, UnreadableRows } from './rows.ts';
import type { Server } from './server.ts';
import { type Sql, sql } from './sql.ts';

/** For all nodes, with their connections. Milliseconds. */
const NODES_MS = 3_000;
/** One that does not answer costs a look that long, and is left alone for this time. Milliseconds. */
const RETRY_MS = 30_000;

/** One number a table with accounts: where all are the same, so is what is in them. */
const SUMS = sql`CHECKSUM TABLE mysql.global_priv, mysql.db, mysql.tables_priv, mysql.columns_priv, mysql.procs_priv, mysql.roles_mapping`;
/** A node answers what is read once it has done all that the others did before. */
const IN_STEP = sql`SET SESSION wsrep_sync_wait = 1`;

interface Node {
  connection?: Connection;
  retryAtMs: number;
  /** What was compared last. */
  last?: { readonly written: Accounts; readonly sums: string; readonly apart: readonly Apart[] };
}

/** The node that is written to, as this look found it. */
export interface Written {
  readonly accounts: Accounts;
  readonly server: Server;
  /** Nothing where there is no answer. */
  readonly ask: (question: Sql) => Promise<readonly Row[]>;
}

export interface NodesPorts {
  readonly settings: MysqlServerSettings;
  readonly clock: Clock;
  /** The node that is written to, by its name in the settings. */
  readonly own: string;
  /** The cluster that it is in, as its status has it. */
  readonly cluster: string;
}

/** The other nodes of a Galera cluster that the settings name. They are read, one number a table while they agree, and never written. */
export class OtherNodes {
  readonly #ports: NodesPorts;
  readonly #nodes: ReadonlyMap<string, Node>;
  #found: readonly Apart[] = [];

  constructor(ports: NodesPorts) {
    this.#ports = ports;
    const names = ports.settings.hosts.filter((name) => name !== ports.own);
    this.#nodes = new Map(names.map((name) => [name, { retryAtMs: -Infinity }]));
  }

  /**
   * What nodes that are in step with the cluster keep otherwise; the same list while nothing changes. Of one that is not reached, or
   * not in step for now, nothing. Rejects with the signal's reason.
   */
  async compare(written: Written, signal: AbortSignal): Promise<readonly Apart[]> {
    const { clock, settings } = this.#ports;
    const nodes = [...this.#nodes].filter(([, node]) => isAsked(node, clock.nowMs()));
    const own = nodes.length === 0 ? undefined : sumsIn(await written.ask(SUMS));
    if (own === undefined) return (this.#found = []);
    const isNew = nodes.some(([, { connection }]) => connection === undefined);
    const read = isNew ? await readLogins(settings) : undefined;
    const logins = read?.status === 'ok' ? read.logins : [];
    const limits = { clock, end: clock.nowMs() + NODES_MS };
    // Side by side, also where they are opened: one that does not answer keeps no other one from being compared.
    const found = await Promise.all(
      nodes.map(async ([name, node]) => {
        const login = logins[settings.hosts.indexOf(name)];
        const connection = node.connection ?? (login && (await opened(login, limits, signal)));
        if (connection === undefined) {
          node.retryAtMs = clock.nowMs() + RETRY_MS;
          return [];
        }
        node.connection = connection;
        const ask = asking(connection, limits, signal);
        return await this.#compareOne({ name, node, ask }, own, written);
      }),
    );
    signal.throwIfAborted();
    const all = found.flat();
    if (JSON.stringify(all) !== JSON.stringify(this.#found)) this.#found = all;
    return this.#found;
  }

  close(): void {
    for (const { connection } of this.#nodes.values()) connection?.close();
  }

  async #compareOne(
    { name, node, ask }: { readonly name: string; readonly node: Node; readonly ask: Ask },
    own: string,
    written: Written,
  ): Promise<readonly Apart[]> {
    const sums = sumsIn(await ask(SUMS));
    if (sums === undefined || sums === own) return [];
    const { last } = node;
    if (last?.written === written.accounts && last.sums === sums) return last.apart;
    const status = await ask({ text: new Secret(hostQueries.status) });
    if (status === undefined || !isInStep(namedValues(status), this.#ports.cluster)) return [];
    const there = await readAccounts(ask, written.server);
    if (there === undefined) return [];
    const apart = apartOf(written.accounts, there, name);
    // What changed meanwhile is compared anew.
    if (sumsIn(await ask(SUMS)) === sums) node.last = { written: written.accounts, sums, apart };
    return apart;
  }
}

/** It is open, or due to be opened. One that was closed under us is left alone for a while. */
function isAsked(node: Node, nowMs: number): boolean {
  if (node.connection?.isClosed() === true) {
    delete node.connection;
    node.retryAtMs = nowMs + RETRY_MS;
  }
  return node.connection !== undefined || nowMs >= node.retryAtMs;
}

/** `end`: by the clock, for all that is asked in one look. */
interface Limits {
  readonly clock: Clock;
  readonly end: number;
}

/** Undefined where there is no answer. */
type Ask = (question: Statement) => Promise<readonly Row[] | undefined>;

/** An aborted signal is no answer here: whoever looks says so. */
function asking(connection: Connection, { clock, end }: Limits, signal: AbortSignal): Ask {
  return async (question) => {
    const leftMs = end - clock.nowMs();
    if (signal.aborted || leftMs <= 0) return undefined;
    const answer = await connection.query(question, leftMs, signal);
    return answer.status === 'ok' ? answer.value : undefined;
  };
}

async function opened(
  login: Login,
  limits: Limits,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  const { clock, end } = limits;
  const deadlineMs = Math.max(1, end - clock.nowMs());
  const outcome = await openConnection(login, { clock, deadlineMs }, signal);
  if (outcome.status !== 'ok') return undefined;
  if ((await asking(outcome.value, limits, signal)(IN_STEP)) !== undefined) return outcome.value;
  outcome.value.close();
  return undefined;
}

async function readAccounts(ask: Ask, server: Server): Promise<Accounts | undefined> {
  const answers: Record<string, readonly Row[]> = {};
  for (const [name, question] of Object.entries(questionsOf(server))) {
    const answer = await ask(question);
    if (answer === undefined) return undefined;
    answers[name] = answer;
  }
  try {
    return mariadbAccounts(readRows(MariadbRows, answers), server);
  } catch (error) {
    // Another version may keep them in a form that is not known.
    if (error instanceof UnreadableRows) return undefined;
    throw error;
  }
}

function sumsIn(rows: readonly Row[] | undefined): string | undefined {
  if (rows === undefined || rows.length === 0) return undefined;
  return JSON.stringify(rows.map(({ Table, Checksum }) => [Table, Checksum]));
}
