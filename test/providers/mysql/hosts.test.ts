import { describe, expect, it } from 'vitest';
import {
  chooseHost,
  clusterOf,
  type GroupMember,
  type HostAnswer,
  type HostView,
  isInStep,
  judgeHost,
  membersIn,
  namedValues,
} from '../../../agent/providers/mysql/hosts.ts';

const mysql = { version: '9.7.4', server_uuid: 'u1', read_only: 'OFF', super_read_only: 'OFF' };
const mariadb = { version: '10.11.18-MariaDB', read_only: 'OFF', wsrep_on: 'OFF' };
const grouped = { ...mysql, group_replication_group_name: 'g' };
const galera = { ...mariadb, wsrep_on: 'ON' };
const synced = {
  wsrep_ready: 'ON',
  wsrep_cluster_status: 'Primary',
  wsrep_local_state_comment: 'Synced',
  wsrep_cluster_state_uuid: 'c',
};

function answer(
  variables: Record<string, string>,
  more: { status?: Record<string, string>; members?: readonly GroupMember[] } = {},
): HostAnswer {
  const { status = {}, members = [] } = more;
  return {
    variables: new Map(Object.entries(variables)),
    status: new Map(Object.entries(status)),
    members,
  };
}

/** `u1 ONLINE PRIMARY, u2 UNREACHABLE SECONDARY` */
function group(text: string): readonly GroupMember[] {
  return text.split(', ').map((line) => {
    const [id = '', state = '', role = ''] = line.split(' ');
    return { id, state, role };
  });
}

describe('a host', () => {
  it.each([
    ['a server alone', answer(mysql), 'server u1'],
    ['MariaDB alone', answer(mariadb), 'host db:1'],
    ['the primary of a whole group', answer(grouped, { members: group('u1 ONLINE PRIMARY, u2 ONLINE SECONDARY, u3 ONLINE SECONDARY') }), 'group g'], // prettier-ignore
    ['the primary of two of three', answer(grouped, { members: group('u1 ONLINE PRIMARY, u2 UNREACHABLE SECONDARY, u3 ONLINE SECONDARY') }), 'group g'], // prettier-ignore
    ['the primary of a group that catches up', answer(grouped, { members: group('u1 ONLINE PRIMARY, u2 RECOVERING SECONDARY, u3 RECOVERING SECONDARY') }), 'group g'], // prettier-ignore
    ['a node of Galera', answer(galera, { status: synced }), 'cluster c'],
  ])('takes writes as %s', (_, said, shared) => {
    expect(judgeHost('db:1', said)).toEqual({ name: 'db:1', status: 'writes', group: shared });
  });

  it.each([
    ['MySQL that only reads', answer({ ...mysql, super_read_only: 'ON' }), 'it only reads (`super_read_only`)'], // prettier-ignore
    ['MySQL in which an administrator could write', answer({ ...mysql, read_only: 'ON' }), 'it only reads (`read_only`)'], // prettier-ignore
    ['MySQL that is offline', answer({ ...mysql, offline_mode: 'ON' }), 'it is offline (`offline_mode`)'], // prettier-ignore
    ['MariaDB that only reads', answer({ ...mariadb, read_only: 'ON' }), 'it only reads (`read_only`)'], // prettier-ignore
    ['MariaDB in which nobody may write', answer({ ...mariadb, read_only: 'NO_LOCK_NO_ADMIN' }), 'it only reads (`read_only`)'], // prettier-ignore
    ['a secondary', answer(grouped, { members: group('u1 ONLINE SECONDARY, u2 ONLINE PRIMARY') }), 'it is a secondary of its group'], // prettier-ignore
    ['a primary without majority', answer(grouped, { members: group('u1 ONLINE PRIMARY, u2 UNREACHABLE SECONDARY, u3 UNREACHABLE SECONDARY') }), 'its group lost its majority: 1 of 3 are there'], // prettier-ignore
    ['a primary with half of its group', answer(grouped, { members: group('u1 ONLINE PRIMARY, u2 UNREACHABLE SECONDARY') }), 'its group lost its majority: 1 of 2 are there'], // prettier-ignore
    ['a member that left', answer(grouped, { members: group('u1 OFFLINE ') }), 'in its group it is OFFLINE'], // prettier-ignore
    ['a member that was expelled', answer(grouped, { members: group('u1 ERROR ') }), 'in its group it is ERROR'], // prettier-ignore
    ['a member that never came in', answer(grouped, { members: group(' OFFLINE ') }), 'it is not in its group'], // prettier-ignore
    ['a primary that is not free to write yet', answer({ ...grouped, super_read_only: 'ON' }, { members: group('u1 ONLINE PRIMARY') }), 'it only reads (`super_read_only`)'], // prettier-ignore
    ['a node without its cluster', answer(galera, { status: { ...synced, wsrep_cluster_status: 'non-Primary', wsrep_ready: 'OFF' } }), 'it lost its cluster'], // prettier-ignore
    ['a node that gives its data to another', answer(galera, { status: { ...synced, wsrep_local_state_comment: 'Donor/Desynced' } }), 'in its cluster it is not ready (Donor/Desynced)'], // prettier-ignore
    ['a node that is not ready', answer(galera, { status: { ...synced, wsrep_ready: 'OFF' } }), 'in its cluster it is not ready (Synced)'], // prettier-ignore
    ['a node that only reads', answer({ ...galera, read_only: 'ON' }, { status: synced }), 'it only reads (`read_only`)'], // prettier-ignore
  ])('takes none as %s', (_, said, why) => {
    expect(judgeHost('db:1', said)).toMatchObject({ status: 'reads', why });
  });

  it('is read from what servers answer', () => {
    const rows = [
      { Variable_name: 'VERSION', Value: '9.7.4' },
      { Variable_name: 'x', Value: null },
    ];
    expect([...namedValues(rows)]).toEqual([
      ['version', '9.7.4'],
      ['x', ''],
    ]);
    expect(membersIn([{ id: 'u1', state: 'ONLINE', role: 'PRIMARY' }])).toEqual(
      group('u1 ONLINE PRIMARY'),
    );
  });
});

const writes = (name: string, shared: string): HostView => ({ name, status: 'writes', group: shared }); // prettier-ignore
const reads = (name: string, shared?: string): HostView => ({
  name,
  status: 'reads',
  why: 'it only reads',
  ...(shared !== undefined && { group: shared }),
});
const silent = (name: string): HostView => ({ name, status: 'silent', why: 'no answer in time' });

describe('of the hosts', () => {
  it.each<[string, readonly HostView[], string | undefined, number]>([
    ['the only one', [writes('a', 'x')], undefined, 0],
    ['the primary', [reads('a', 'x'), silent('b'), writes('c', 'x')], undefined, 2],
    ['the first node', [writes('a', 'x'), writes('b', 'x')], undefined, 0],
    ['the node of before', [writes('a', 'x'), writes('b', 'x')], 'b', 1],
    ['another one where that is gone', [writes('a', 'x'), silent('b')], 'b', 0],
    ['another one where that only reads', [writes('a', 'x'), reads('b', 'x')], 'b', 0],
    ['the one that its copies follow', [reads('a'), writes('b', 'server 2')], 'a', 1],
    ['one server under two names', [writes('a', 'server 1'), writes('b', 'server 1')], undefined, 0], // prettier-ignore
  ])('%s is written to', (_, views, before, index) => {
    expect(chooseHost(views, before)).toEqual({ index });
  });

  it.each<[string, readonly HostView[], string]>([
    ['there is none', [], 'no host is named'],
    ['none takes writes', [reads('a'), silent('b')], 'a: it only reads; b: no answer in time'],
    ['two are written to apart', [writes('a', 'server 1'), writes('b', 'server 2')], 'the hosts do not belong together: a; b'], // prettier-ignore
    ['one left the group of the others, which have no primary', [reads('a', 'group g'), reads('b', 'group g'), writes('c', 'server 3')], 'the hosts do not belong together: a and b; c'], // prettier-ignore
  ])('no one is written to where %s', (_, views, why) => {
    expect(chooseHost(views)).toEqual({ why });
  });
});

describe('a node beside the one that is written to', () => {
  it.each([
    [true, {}],
    [false, { wsrep_cluster_status: 'non-Primary' }],
    [false, { wsrep_ready: 'OFF' }],
    [false, { wsrep_local_state_comment: 'Donor/Desynced' }],
    [false, { wsrep_cluster_state_uuid: 'd' }],
  ])('is in step: %s, with %o', (expected, other) => {
    const { status } = answer(galera, { status: { ...synced, ...other } });
    expect(isInStep(status, 'c')).toBe(expected);
  });

  it('is looked for only where that is a node of a cluster', () => {
    const node = answer(galera, { status: synced });
    expect(clusterOf(judgeHost('db:1', node))).toBe('c');
    expect(clusterOf(judgeHost('db:1', answer(mariadb)))).toBeUndefined();
    const reads = { ...node, variables: new Map([...node.variables, ['read_only', 'ON']]) };
    expect(clusterOf(judgeHost('db:1', reads))).toBeUndefined();
  });
});
