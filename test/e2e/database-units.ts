import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Id, Operation, Rendered } from '../../agent/core/kind.ts';
import { systemClock } from '../../agent/clock.ts';
import { makePassword, type Unfinished } from '../../agent/make-password.ts';
import type { SwarmSecret } from '../../agent/providers/mysql/generated.ts';
import { mysqlKind } from '../../agent/providers/mysql/kind.ts';
import type {
  MysqlCall,
  ServerSeen,
  StatementsCall,
} from '../../agent/providers/mysql/observed.ts';
import { openServers, type Servers } from '../../agent/providers/mysql/servers.ts';
import type { MysqlSpec } from '../../agent/providers/mysql/spec.ts';
import type { Diff } from '../../agent/providers/mysql/unit-parts.ts';
import type { StackCall } from '../../agent/providers/stack/swarm.ts';
import type { Caller } from '../../agent/reconcile/ports.ts';
import type { Flavor } from '../../agent/rehearsal/mysql/programs.ts';
import type { Server } from '../../agent/rehearsal/mysql/server.ts';
import type { MysqlServerSettings } from '../../schemas/settings.ts';
import { mysql, render } from '../providers/mysql/rendering.ts';
import { newPlan, plainly, programsOf, started, USER } from './database.ts';
import { DatabaseCluster } from './database-cluster.ts';
import { DatabaseRouter } from './database-router.ts';

/** Where what holds of one server has to hold, too. */
export const databasePlaces = [
  'mysql',
  'mariadb',
  'a group of mysql behind a router',
  'a cluster of mariadb',
] as const;
export type DatabasePlace = (typeof databasePlaces)[number];

/** Documents on a real server: what they ask for is carried out by the kind and the client that the agent has. */
export class DatabaseUnits {
  readonly flavor: Flavor;
  readonly server: Server;
  /** What the Swarm keeps of secrets, and what it gives to tasks alone. */
  readonly secrets = new Map<string, SwarmSecret & { readonly value: string }>();
  /** How the agent reaches it. */
  readonly settings: MysqlServerSettings;
  readonly #end: () => Promise<void>;
  readonly #servers: Servers;
  readonly #kind = mysqlKind((bytes) => randomBytes(bytes));

  readonly #unfinished: Unfinished = new Map();
  /** The agent dies right after a statement with this text. */
  #deadly: string | undefined;

  private constructor(flavor: Flavor, { server, settings, close }: Place) {
    this.flavor = flavor;
    this.server = server;
    this.settings = settings;
    this.#end = close;
    const guard = { refusal: () => undefined };
    this.#servers = openServers(
      { main: this.settings },
      { clock: systemClock, guard, term: () => 1, holder: 'one' },
    );
  }

  /** `options`: more of the server's own. `others`: more hosts of the settings. */
  static async start(
    flavor: Flavor,
    options: readonly string[] = [],
    others: readonly string[] = [],
  ): Promise<DatabaseUnits> {
    const plan = newPlan({ options });
    const server = await started(await programsOf(flavor), plan);
    const caFile = join(plan.folder, 'data', 'ca.pem');
    const secure = { mode: 'required', caFile, verifyName: false } as const;
    const settings: MysqlServerSettings = {
      hosts: [`127.0.0.1:${String(server.port)}`, ...others],
      user: USER,
      passwordFile: plan.passwordFile,
      tls: flavor === 'mysql' ? secure : { mode: 'off', verifyName: true },
      databases: [],
    };
    const close = async (): Promise<void> => {
      await server.stop();
      rmSync(dirname(plan.folder), { recursive: true });
    };
    return new DatabaseUnits(flavor, { server, settings, close });
  }

  /** `logged`: what is written goes to a log, too. */
  static async on(place: DatabasePlace, logged: boolean): Promise<DatabaseUnits> {
    const log = logged ? ['--log-bin=binlog'] : [];
    const alone = [...log, ...(logged ? ['--server-id=7'] : [])];
    switch (place) {
      case 'mysql':
        return DatabaseUnits.start('mysql', alone);
      case 'mariadb':
        return DatabaseUnits.start('mariadb', [...alone, '--binlog-format=ROW']);
      case 'a group of mysql behind a router':
        // It has one anyway.
        return DatabaseUnits.startGroup([]);
      case 'a cluster of mariadb':
        return DatabaseUnits.startGalera(log);
    }
  }

  /** Three of MySQL as a group, reached through a router, whose primary is the server that root asks. */
  static async startGroup(options: readonly string[]): Promise<DatabaseUnits> {
    const cluster = await DatabaseCluster.group({ everything: true, options });
    const router = await DatabaseRouter.to(cluster.members.map(({ tap }) => tap.host));
    const close = async (): Promise<void> => {
      await router.close();
      await cluster.close();
    };
    return new DatabaseUnits('mysql', { ...firstOf(cluster, [router.host]), close });
  }

  /** Three of MariaDB as a cluster of Galera. Root asks the one that the agent writes to. */
  static async startGalera(options: readonly string[]): Promise<DatabaseUnits> {
    const cluster = await DatabaseCluster.galera({ everything: true, options });
    const close = async (): Promise<void> => cluster.close();
    return new DatabaseUnits('mariadb', { ...firstOf(cluster), close });
  }

  /** Works until a statement with this text is sent, and dies right after it. */
  async dyingAfter(text: string, work: () => Promise<unknown>): Promise<void> {
    this.#deadly = text;
    const how = await work().then(
      () => 'lived',
      (error: unknown) => String(error),
    );
    this.#deadly = undefined;
    if (!how.includes(DIED)) throw new Error(`it did not die: ${how}`);
  }

  async close(): Promise<void> {
    this.#servers.close();
    await this.#end();
  }

  /** The units of a file of documents. Throws where there is a mistake in it. */
  units(text: string): readonly Rendered<MysqlSpec>[] {
    const { units, diagnostics } = render(mysql(text));
    const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
    if (mistakes.length > 0) throw new Error(mistakes.map(({ message }) => message).join());
    return units.filter((unit): unit is Rendered<MysqlSpec> => unit.id.startsWith('mysql-'));
  }

  /** What separates the last document from what is there. */
  async diff(text: string): Promise<Diff> {
    const unit = this.units(text).at(-1);
    if (unit === undefined) throw new Error('no document');
    return await this.diffUnit(unit);
  }

  async diffUnit(unit: Rendered<MysqlSpec>): Promise<Diff> {
    return this.#kind.diff(unit, await this.#look());
  }

  /**
   * Looks and calls until nothing is left to do for any of the documents. Gives the statements as plans show them. Throws where one
   * is held, or it does not come to rest. `keep`: what only takes away is left.
   */
  async settle(text: string, keep?: 'keep'): Promise<readonly string[]> {
    const said: string[] = [];
    for (const unit of this.units(text)) said.push(...(await this.settleUnit(unit, keep)));
    return said;
  }

  /** As root of the machine. */
  async asRoot(text: string): Promise<readonly Record<string, unknown>[]> {
    return await plainly({ user: 'root', socketPath: this.server.socket }, async (one) => {
      const [rows] = await one.query<never[]>(text);
      return rows;
    });
  }

  /** Rows, or what the server says. */
  async as(user: string, password: string, text: string): Promise<string> {
    const login = { host: '127.0.0.1', port: this.server.port, user, password };
    return await plainly(login, async (one) => {
      const [rows] = await one.query<never[]>(text);
      return JSON.stringify(rows);
    }).catch((error: unknown) => String(error));
  }

  async seen(): Promise<ServerSeen> {
    const sight = (await this.#look()).servers.get('main');
    if (sight?.status !== 'seen') throw new Error(sight?.why ?? 'not looked at');
    return sight.seen;
  }

  owned(seen: ServerSeen, id: Id): boolean {
    return seen.owned.has(id);
  }

  /** The ports of calls that a test makes by itself. */
  get ports() {
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const [swarm, servers] = [this.#swarm, this.#servers];
    return { swarm, servers, secrets: this.secrets.values(), random, unfinished: this.#unfinished };
  }

  async #look() {
    // Each look has lists of its own.
    const secrets = new Map(this.secrets);
    return { servers: await this.#servers.observe(['main'], limit()), secrets };
  }

  /** The same for one that no document can ask for as it is, such as with a password in plain text. */
  async settleUnit(unit: Rendered<MysqlSpec>, keep?: 'keep'): Promise<readonly string[]> {
    const said: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { operations, blocked, later = [] } = this.#kind.diff(unit, await this.#look());
      if (blocked.length > 0) throw new Error(blocked.map(({ why }) => why).join('; '));
      const due = operations.length > 0 || keep === 'keep' ? operations : later;
      if (due.length === 0) return said;
      said.push(...due.flatMap(({ fields }) => fields.map(({ desired = '' }) => desired)));
      await this.#carryOut(due);
    }
    throw new Error(`it does not come to rest: ${said.join('; ')}`);
  }

  async #carryOut(operations: readonly Operation<MysqlCall>[]): Promise<void> {
    for (const { call } of operations) {
      const outcome =
        call.op === 'password'
          ? await makePassword(call, this.ports, limit())
          : await this.#servers.call({ ...call, statements: this.#livedFor(call) }, limit());
      // The first call of a session that took the fence asks for another look.
      const again = outcome.status === 'refused' && outcome.cause === 'out-of-sequence';
      if (outcome.status !== 'ok' && !again) throw new Error(outcome.why);
      const sent = call.op === 'statements' && outcome.status === 'ok';
      if (sent && this.#livedFor(call) !== call.statements) throw new Error(DIED);
    }
  }

  /** All of it, but where the agent dies in it. */
  #livedFor({ statements }: StatementsCall): StatementsCall['statements'] {
    const deadly = this.#deadly;
    const last = statements.findIndex(
      (one) => deadly !== undefined && String(one).includes(deadly),
    );
    return last === -1 ? statements : statements.slice(0, last + 1);
  }

  readonly #swarm: Caller<StackCall> = {
    call: async (call) => {
      if (call.op !== 'secret-create' || call.data === undefined) throw new Error(call.op);
      const value = Buffer.from(call.data.reveal(), 'base64').toString('utf8');
      this.secrets.set(call.name.toLowerCase(), { name: call.name, labels: call.labels, value });
      return Promise.resolve({ status: 'ok', value: { id: call.name } });
    },
  };
}

const DIED = 'the agent died';

/** Where the servers run that are looked at. */
interface Place {
  readonly server: Server;
  readonly settings: MysqlServerSettings;
  readonly close: () => Promise<void>;
}

function firstOf(cluster: DatabaseCluster, hosts?: string[]): Omit<Place, 'close'> {
  const { server } = cluster.member(0);
  if (server === undefined) throw new Error('it does not run');
  return { server, settings: cluster.settings(hosts) };
}

function limit(): AbortSignal {
  return AbortSignal.timeout(60_000);
}
