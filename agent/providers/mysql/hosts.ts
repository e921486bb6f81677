import type { Row } from './connect.ts';

/** What one host said of itself: names and values as the server writes them, in lower case and as they are. */
export interface HostAnswer {
  readonly variables: ReadonlyMap<string, string>;
  /** Of Galera; empty elsewhere. */
  readonly status: ReadonlyMap<string, string>;
  /** All that MySQL's server knows of its group. Empty: it is in none. */
  readonly members: readonly GroupMember[];
}

/** One line of `performance_schema.replication_group_members`. */
export interface GroupMember {
  readonly id: string;
  readonly state: string;
  readonly role: string;
}

/** How a host does. */
export type HostView = {
  /** As people write it: `db1:3306`. */
  readonly name: string;
} & (
  | { readonly status: 'writes'; readonly group: string }
  | { readonly status: 'reads'; readonly group?: string; readonly why: string }
  | { readonly status: 'silent'; readonly why: string }
);

/** Which host to write to, by its place in the list; else why there is none, for people. */
export type Writer = { readonly index: number } | { readonly why: string };

/** The answers to these make a `HostAnswer`. A Galera node that lost its cluster refuses a SELECT and answers SHOW. */
export const hostQueries = {
  variables:
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_uuid', 'read_only', 'super_read_only', 'offline_mode', 'wsrep_on', 'group_replication_group_name')",
  status:
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state_comment', 'wsrep_cluster_state_uuid')",
  /** MySQL only. */
  members:
    'SELECT MEMBER_ID AS id, MEMBER_STATE AS state, MEMBER_ROLE AS role FROM performance_schema.replication_group_members',
} as const;

/** Pure. What SHOW gives, by name. */
export function namedValues(rows: readonly Row[]): ReadonlyMap<string, string> {
  return new Map(
    rows.map((row) => [textOf(row['Variable_name']).toLowerCase(), textOf(row['Value'])]),
  );
}

/** Pure. */
export function membersIn(rows: readonly Row[]): readonly GroupMember[] {
  return rows.map(({ id, state, role }) => ({
    id: textOf(id),
    state: textOf(state),
    role: textOf(role),
  }));
}

/** Pure. Whether the members of a group are to be asked for. */
export function isMysql(variables: HostAnswer['variables']): boolean {
  return !/mariadb/i.test(variables.get('version') ?? '');
}

/** Pure. Whether a host takes writes that last, and if not, why, in words. */
export function judgeHost(name: string, answer: HostAnswer): HostView {
  const { variables, members } = answer;
  if (isMysql(variables)) {
    return members.length === 0 ? judgeAlone(name, answer) : judgeMember(name, answer);
  }
  return variables.get('wsrep_on') === 'ON' ? judgeNode(name, answer) : judgeAlone(name, answer);
}

/**
 * Pure. The host to write to: the one of before if it still takes writes, else the first that does. None where those that take
 * writes do not share them, or where a cluster is among the others: what is written to one would be missing on the other.
 */
export function chooseHost(views: readonly HostView[], before?: string): Writer {
  const apart = groupsOf(views);
  if (apart.size > 1) {
    const parts = [...apart.values()].map((names) => names.join(' and '));
    return { why: `the hosts do not belong together: ${parts.join('; ')}` };
  }
  const writes = (view: HostView): boolean => view.status === 'writes';
  const stay = views.findIndex((view) => writes(view) && view.name === before);
  const index = stay === -1 ? views.findIndex(writes) : stay;
  if (index !== -1) return { index };
  if (views.length === 0) return { why: 'no host is named' };
  return {
    why: views
      .map((view) => `${view.name}: ${view.status === 'writes' ? '' : view.why}`)
      .join('; '),
  };
}

const CLUSTER = 'cluster ';

/** Pure. The Galera cluster that a host writes to; undefined: it is in none. */
export function clusterOf(view: HostView): string | undefined {
  if (view.status !== 'writes' || !view.group.startsWith(CLUSTER)) return undefined;
  return view.group.slice(CLUSTER.length);
}

/** Pure. Whether a node has done all that the others of this cluster did, by its status. */
export function isInStep(status: HostAnswer['status'], cluster: string): boolean {
  return isPrimary(status) && isReady(status) && status.get('wsrep_cluster_state_uuid') === cluster;
}

function isPrimary(status: HostAnswer['status']): boolean {
  return status.get('wsrep_cluster_status')?.toLowerCase() === 'primary';
}

function isReady(status: HostAnswer['status']): boolean {
  return status.get('wsrep_ready') === 'ON' && status.get('wsrep_local_state_comment') === 'Synced';
}

/** Names of hosts by what they share. A server that only reads and is in no cluster may follow any of the others. */
function groupsOf(views: readonly HostView[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const view of views) {
    if (view.status === 'silent' || view.group === undefined) continue;
    groups.set(view.group, [...(groups.get(view.group) ?? []), view.name]);
  }
  return groups;
}

function judgeAlone(name: string, { variables }: HostAnswer): HostView {
  const why = readOnlyWhy(variables);
  if (why !== undefined) return { name, status: 'reads', why };
  // One server under two names is one server. MariaDB has no such number.
  const id = variables.get('server_uuid');
  return { name, status: 'writes', group: id === undefined ? `host ${name}` : `server ${id}` };
}

function judgeMember(name: string, { variables, members }: HostAnswer): HostView {
  const group = `group ${variables.get('group_replication_group_name') ?? ''}`;
  const reads = (why: string): HostView => ({ name, status: 'reads', group, why });
  const own = members.find(({ id }) => id !== '' && id === variables.get('server_uuid'));
  if (own === undefined) return reads('it is not in its group');
  if (own.state !== 'ONLINE') return reads(`in its group it is ${own.state}`);
  // Without a majority a statement would wait for ever, and with it every new login. Those that catch up count in the group, too.
  const reached = members.filter(({ state }) => state === 'ONLINE' || state === 'RECOVERING');
  if (reached.length * 2 <= members.length) {
    return reads(`its group lost its majority: ${reached.length} of ${members.length} are there`);
  }
  if (own.role !== 'PRIMARY') return reads('it is a secondary of its group');
  const why = readOnlyWhy(variables);
  return why === undefined ? { name, status: 'writes', group } : reads(why);
}

function judgeNode(name: string, { variables, status }: HostAnswer): HostView {
  const group = `${CLUSTER}${status.get('wsrep_cluster_state_uuid') ?? ''}`;
  const reads = (why: string): HostView => ({ name, status: 'reads', group, why });
  if (!isPrimary(status)) return reads('it lost its cluster');
  const state = status.get('wsrep_local_state_comment') ?? '';
  if (!isReady(status)) {
    return reads(`in its cluster it is not ready${state === '' ? '' : ` (${state})`}`);
  }
  const why = readOnlyWhy(variables);
  return why === undefined ? { name, status: 'writes', group } : reads(why);
}

/** An account with many rights writes nevertheless: what says so is not a refusal but these. */
function readOnlyWhy(variables: HostAnswer['variables']): string | undefined {
  if (variables.get('offline_mode') === 'ON') return 'it is offline (`offline_mode`)';
  for (const name of ['super_read_only', 'read_only']) {
    const value = variables.get(name);
    // Later servers of MariaDB have several ways to read only.
    if (value !== undefined && !/^(?:OFF|0)$/i.test(value)) return `it only reads (\`${name}\`)`;
  }
  return undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
