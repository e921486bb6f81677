import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { BEGIN_CLUSTER, layScript, nodeOptions } from '../../agent/rehearsal/mysql/galera.ts';
import { asRoot, type Client, fetchClient } from '../../agent/rehearsal/mysql/client.ts';
import { formGroup, memberOptions } from '../../agent/rehearsal/mysql/group.ts';
import { leastGrants } from '../../agent/rehearsal/mysql/least.ts';
import { fetchPrograms, type Programs } from '../../agent/rehearsal/mysql/programs.ts';
import { KEEPS_COMMITS } from '../../agent/rehearsal/mysql/start.ts';
import type { Server, ServerPlan } from '../../agent/rehearsal/mysql/server.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { StageError, waitUntil } from '../../agent/rehearsal/run.ts';
import type { MysqlServerSettings } from '../../schemas/settings.ts';
import { newPlan, started, USER } from './database.ts';
import { freePort } from './ssh-server.ts';
import { WireTap } from './wire-tap.ts';

const within = (): AbortSignal => AbortSignal.timeout(400_000);

/** Databases that the agent under test may touch: it has no right beyond those that it needs. */
const OWN = 'db%';

/** What a test wants of all members beside what makes them a cluster. */
export interface MemberWishes {
  /** The account of the agent may do everything. */
  readonly everything?: true;
  /** Of the server. */
  readonly options?: readonly string[];
}

/** One server of a cluster, and the tap by which the agent under test reaches it. */
export interface Member {
  readonly plan: ServerPlan & { readonly port: number };
  readonly tap: WireTap;
  /** The process that runs now; undefined after it was killed. */
  server: Server | undefined;
}

/** Three real servers on loopback, our children: a group of MySQL, or a cluster of MariaDB with Galera. */
export class DatabaseCluster {
  readonly members: readonly Member[];
  readonly #programs: Programs;
  readonly #client: Client;
  readonly #shape: 'group' | 'galera';

  private constructor(
    shape: 'group' | 'galera',
    members: readonly Member[],
    { programs, client }: { readonly programs: Programs; readonly client: Client },
  ) {
    this.#shape = shape;
    this.members = members;
    this.#programs = programs;
    this.#client = client;
  }

  static async group({ everything, options = [] }: MemberWishes = {}): Promise<DatabaseCluster> {
    const tools = await toolsFor('mysql');
    const places = await Promise.all(
      [1, 2, 3].map(async () => ({
        address: '127.0.0.1',
        port: await freePort(),
        channel: await freePort(),
      })),
    );
    const plans = places.map((one) => ({
      ...newPlan({
        ...(everything === undefined && { grants: leastGrants('mysql', OWN) }),
        options: [
          ...options,
          ...memberOptions(places, one, '127.0.0.0/8'),
          // One that died is given up at once, not after five seconds more.
          '--group-replication-member-expel-timeout=0',
        ],
      }),
      port: one.port,
    }));
    const cluster = new DatabaseCluster('group', await tapped(plans), tools);
    await Promise.all(cluster.members.map(async (one) => await cluster.#start(one)));
    await cluster.join();
    return cluster;
  }

  static async galera({ everything, options = [] }: MemberWishes = {}): Promise<DatabaseCluster> {
    const tools = await toolsFor('galera');
    const ports = await Promise.all([1, 2, 3].map(async () => await freePort()));
    const all = ports.map((port) => `127.0.0.1:${String(port)}`);
    const plans = await Promise.all(
      all.map(async (address, at) => {
        const plan = {
          ...newPlan(everything === undefined ? { grants: leastGrants('mariadb', OWN) } : {}),
          port: await freePort(),
        };
        const provider = [
          `gmcast.listen_addr=tcp://${address}`,
          `ist.recv_addr=127.0.0.1:${String(await freePort())}`,
          // One that died is given up within seconds.
          'evs.keepalive_period=PT0.5S',
          'evs.suspect_timeout=PT2S',
          'evs.inactive_timeout=PT4S',
        ];
        const place = { cluster: 'e2e', name: `n${String(at + 1)}`, address, all, provider };
        const path = await layScript(join(dirname(plan.folder), 'galera'));
        return { ...plan, path, options: [...nodeOptions(place, tools.programs.base), ...options] };
      }),
    );
    const cluster = new DatabaseCluster('galera', await tapped(plans), tools);
    for (const [at, one] of cluster.members.entries()) {
      await cluster.#start(one, at === 0 ? [BEGIN_CLUSTER] : []);
    }
    await cluster.join();
    return cluster;
  }

  /** Where the agent finds them: behind their taps, so in plain text. `hosts`: instead of these. */
  settings(hosts = this.members.map(({ tap }) => tap.host)): MysqlServerSettings {
    const [first] = this.members;
    if (first === undefined) throw new Error('it has no member');
    return {
      hosts,
      user: USER,
      passwordFile: first.plan.passwordFile,
      tls: { mode: 'off', verifyName: true },
      databases: [],
    };
  }

  member(at: number): Member {
    const member = this.members[at];
    if (member === undefined) throw new Error(`it has no member ${String(at)}`);
    return member;
  }

  /** Another one that runs. */
  other(than: number): number {
    return this.members.findIndex(({ server }, at) => at !== than && server !== undefined);
  }

  /** As root of the machine; gives rows, a line each, with tabs between. */
  async sql(at: number, text: string): Promise<string> {
    return (await this.#sql(this.member(at), text)).trim();
  }

  /** By its place among the members: the one that all that run call the primary. */
  async primary(): Promise<number> {
    const text =
      "SELECT MEMBER_PORT FROM performance_schema.replication_group_members WHERE MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'";
    let found = -1;
    await this.until('one is the primary', async () => {
      const running = this.members.filter(({ server }) => server !== undefined);
      const said = await Promise.all(running.map(async (one) => await this.#sql(one, text)));
      const [port = ''] = new Set(said);
      found = this.members.findIndex((one) => String(one.plan.port) === port.trim());
      return new Set(said).size === 1 && this.members[found]?.server !== undefined;
    });
    return found;
  }

  /** Makes one the primary of its group. */
  async lead(at: number): Promise<void> {
    await this.sql(at, 'SELECT group_replication_set_as_primary(@@server_uuid)');
  }

  /** Ends it at once, as a lost machine would, and every connection with it. */
  async kill(at: number): Promise<void> {
    const member = this.member(at);
    const { server } = member;
    member.server = undefined;
    await server?.kill();
  }

  /** What a dead one kept is gone. */
  async forget(at: number): Promise<void> {
    await rm(join(this.member(at).plan.folder, 'data'), { recursive: true });
  }

  /** Those that were killed, or one of them, are started again; all that run are in one cluster after that. */
  async restart(at?: number): Promise<void> {
    const some = at === undefined ? this.members : [this.member(at)];
    const dead = some.filter(({ server }) => server === undefined);
    await Promise.all(dead.map(async (one) => await this.#start(one)));
    await this.join();
  }

  /** Waits until all that run are in one cluster; members of a group that are in none are told to join. */
  async join(): Promise<void> {
    const sql = async (one: Member, text: string): Promise<string> =>
      (await this.#sql(one, text)).trim();
    const running = this.members.filter(({ server }) => server !== undefined);
    if (this.#shape === 'group') {
      const [first] = this.members;
      const passwordFile = join(dirname(first?.plan.folder ?? ''), 'replication');
      await formGroup(running, { sql, passwordFile }, within());
      return;
    }
    const whole = `${String(running.length)},ON`;
    await this.until('all nodes are in step', async () => {
      const states = await Promise.all(running.map(async (one) => await sql(one, NODE)));
      return states.every((state) => state === whole);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.members.map(async ({ tap, server, plan }) => {
        tap.close();
        await server?.kill();
        rmSync(dirname(plan.folder), { recursive: true });
      }),
    );
  }

  /** Fails after a minute. */
  async until(what: string, ready: () => Promise<boolean>): Promise<void> {
    await waitUntil(what, { deadlineMs: 60_000, everyMs: 100 }, ready, within());
  }

  async #sql({ server }: Member, text: string): Promise<string> {
    if (server === undefined) throw new Error('it does not run');
    return await asRoot(this.#client, server.socket, text, within());
  }

  async #start(one: Member, more: readonly string[] = []): Promise<void> {
    const options = [KEEPS_COMMITS, ...(one.plan.options ?? []), ...more];
    one.server = await started(this.#programs, { ...one.plan, options }).catch((cause: unknown) => {
      const evidence = cause instanceof StageError ? cause.evidence : '';
      throw new Error(`a member does not start: ${evidence}`, { cause });
    });
  }
}

const NODE =
  "SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_ready')";

async function toolsFor(what: 'mysql' | 'galera') {
  const packages = join(projectFolder, '.rehearsal', 'packages');
  const say = (): undefined => undefined;
  return {
    programs: await fetchPrograms(packages, what, say, within()),
    client: await fetchClient(packages, say, within()),
  };
}

async function tapped(plans: readonly Member['plan'][]): Promise<readonly Member[]> {
  return await Promise.all(
    plans.map(async (plan) => ({ plan, tap: await WireTap.to(plan.port), server: undefined })),
  );
}
