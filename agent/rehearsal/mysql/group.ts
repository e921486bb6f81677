import { dirname, join } from 'node:path';
import type { StagePlan } from '../plan.ts';
import { StageError, waitUntil } from '../run.ts';
import { together } from '../progress.ts';
import { asRoot } from './client.ts';
import { makePassword, readPassword } from './password.ts';
import { type DatabasePlan, databasePort } from './shape.ts';
import { type Servers, startDatabase } from './start.ts';

/** Where the members of a group speak with each other. */
const groupPort = 33_061;
/** Names every group of a stage: none of them ever meets another. */
const groupName = '5c3f3f0e-8e7a-4d0c-9a57-6d79756e6472';

/** Where one member of a group is reached: by everybody, and by the other members. */
export interface MemberPlace {
  readonly address: string;
  readonly port: number;
  readonly channel: number;
}

/** Pure. What makes a MySQL server a member that waits to be told to join. `allowed`: from where others come. */
export function memberOptions(
  all: readonly MemberPlace[],
  one: MemberPlace,
  allowed: string,
): readonly string[] {
  const seeds = all.map(({ address, channel }) => `${address}:${channel}`).join(',');
  return [
    `--server-id=${all.findIndex((other) => isSame(other, one)) + 1}`,
    // Others reach it by this.
    `--report-host=${one.address}`,
    `--report-port=${one.port}`,
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
    '--log-bin=log-bin',
    '--plugin-load-add=group_replication.so',
    `--group-replication-group-name=${groupName}`,
    '--group-replication-start-on-boot=OFF',
    `--group-replication-local-address=${one.address}:${one.channel}`,
    `--group-replication-group-seeds=${seeds}`,
    `--group-replication-ip-allowlist=${allowed}`,
    '--group-replication-recovery-get-public-key=ON',
    // The least that it takes.
    '--group-replication-message-cache-size=134217728',
  ];
}

function isSame(one: MemberPlace, other: MemberPlace): boolean {
  return one.address === other.address && one.channel === other.channel;
}

/** Pure. The same of a server of the stage. */
export function groupOptions(plan: StagePlan, one: DatabasePlan): readonly string[] {
  const at = plan.databases.findIndex(({ name }) => name === one.name);
  return [
    ...memberOptions(plan.databases.map(placeOf), placeOf(one), plan.subnet),
    // Of those that are left when a primary dies the first one leads: so a Router that takes the next one in its list takes that.
    `--group-replication-member-weight=${90 - 10 * at}`,
  ];
}

function placeOf({ address }: DatabasePlan): MemberPlace {
  return { address, port: databasePort, channel: groupPort };
}

/** Starts the servers that do not run and joins those that are in no group. Throws `StageError`. */
export async function raiseGroup(servers: Servers, signal: AbortSignal): Promise<void> {
  const { plan, access } = servers;
  await together(
    plan.databases.map((one) => async (limit: AbortSignal) => {
      await startDatabase(servers, one, { options: groupOptions(plan, one) }, limit);
    }),
    signal,
  );
  const sql = async (one: DatabasePlan, text: string): Promise<string> =>
    (await asRoot(servers.tools.client, join(one.folder, 'socket'), text, signal)).trim();
  const passwordFile = join(dirname(access.passwordFile), 'mysql-replication');
  await formGroup(plan.databases, { sql, passwordFile }, signal);
}

/** How members are told something, and where the password lies by which they fetch from each other. */
export interface Forming<One> {
  readonly sql: (one: One, text: string) => Promise<string>;
  readonly passwordFile: string;
}

/** Joins those of running servers that are in no group. Throws `StageError`. */
export async function formGroup<One>(
  all: readonly One[],
  { sql, passwordFile }: Forming<One>,
  signal: AbortSignal,
): Promise<void> {
  await makePassword(passwordFile);
  const password = await readPassword(passwordFile);
  const apart: One[] = [];
  for (const one of all) if ((await sql(one, STATE)) !== 'ONLINE') apart.push(one);
  for (const one of apart) await sql(one, readyToJoin(password));
  // Where no group is left it begins with the one that knows all that the others know.
  if (apart.length === all.length) await sql(await newest(apart, sql), BEGIN);
  const joining = apart.map(async (one) => {
    if ((await sql(one, STATE)) !== 'ONLINE') await sql(one, JOIN);
  });
  await Promise.all(joining);
  await waitUntil(
    'every member of the group is online',
    { deadlineMs: 60_000, everyMs: 200 },
    async () => {
      const states = all.map(async (one) => await sql(one, STATE));
      return (await Promise.all(states)).every((state) => state === 'ONLINE');
    },
    signal,
  );
}

const STATE =
  'SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid';
const JOIN = 'START GROUP_REPLICATION';
const BEGIN = `SET GLOBAL group_replication_bootstrap_group = ON; ${JOIN}; SET GLOBAL group_replication_bootstrap_group = OFF`;

/** Pure. The account by which members fetch from each other what they missed. It stays out of the binlog: each has its own. */
function readyToJoin(password: string): string {
  const account = "'replication'@'%'";
  return [
    'SET SESSION sql_log_bin = 0',
    `CREATE USER IF NOT EXISTS ${account}`,
    `ALTER USER ${account} IDENTIFIED BY '${password}'`,
    `GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO ${account}`,
    `CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replication', SOURCE_PASSWORD = '${password}' FOR CHANNEL 'group_replication_recovery'`,
  ].join(';\n');
}

async function newest<One>(all: readonly One[], sql: Forming<One>['sql']): Promise<One> {
  const known = await Promise.all(
    all.map(async (one) => ({ one, done: await sql(one, 'SELECT @@gtid_executed') })),
  );
  for (const { one } of known) {
    const asked = known.map(
      async ({ done }) => await sql(one, `SELECT GTID_SUBSET('${done}', @@gtid_executed)`),
    );
    if ((await Promise.all(asked)).every((answer) => answer === '1')) return one;
  }
  throw new StageError('the database servers hold different things: --fresh builds them anew');
}
