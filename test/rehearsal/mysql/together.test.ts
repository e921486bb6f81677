import { expect, it } from 'vitest';
import { galeraOptions } from '../../../agent/rehearsal/mysql/galera.ts';
import { groupOptions } from '../../../agent/rehearsal/mysql/group.ts';
import { planStage } from '../../../agent/rehearsal/plan.ts';

const plan = planStage({ name: 'ust', subnet: '10.213.78.0/24', mysql: 'group' });
const [, second] = plan.databases;
if (second === undefined) throw new Error('no second server');

it('gives a member of a group its own address and those of all', () => {
  expect(groupOptions(plan, second)).toEqual(
    expect.arrayContaining([
      '--server-id=2',
      '--report-host=10.213.78.32',
      '--group-replication-local-address=10.213.78.32:33061',
      '--group-replication-group-seeds=10.213.78.31:33061,10.213.78.32:33061,10.213.78.33:33061',
      '--group-replication-ip-allowlist=10.213.78.0/24',
    ]),
  );
});

it('lets no member begin a group by itself', () =>
  expect(groupOptions(plan, second)).toContain('--group-replication-start-on-boot=OFF'));

it('gives a node of a cluster its own address and those of all, and the name of its stage', () => {
  expect(galeraOptions(plan, second, '/b')).toEqual(
    expect.arrayContaining([
      '--wsrep-provider=/b/lib/galera/libgalera_smm.so',
      '--wsrep-cluster-name=ust',
      '--wsrep-cluster-address=gcomm://10.213.78.31,10.213.78.32,10.213.78.33',
      '--wsrep-node-address=10.213.78.32',
    ]),
  );
});
