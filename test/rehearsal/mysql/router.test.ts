import { expect, it } from 'vitest';
import { groupOptions } from '../../../agent/rehearsal/mysql/group.ts';
import { primaryFirst } from '../../../agent/rehearsal/mysql/raise-router.ts';
import { routerCommand, routerConfiguration } from '../../../agent/rehearsal/mysql/router.ts';
import { planStage } from '../../../agent/rehearsal/plan.ts';

const { databases, ...plan } = planStage({ mysql: 'group', router: true });
const [, second] = databases;
if (second === undefined) throw new Error('no second server');

it('has the primary first, and the others in the order in which the group chooses among them', () => {
  const names = primaryFirst(databases, second.address).map(({ name }) => name);
  expect(names).toEqual(['db2', 'db1', 'db3']);
  const weights = databases.map((one) =>
    groupOptions({ ...plan, databases }, one)
      .filter((option) => option.startsWith('--group-replication-member-weight='))
      .map((option) => Number(option.split('=')[1])),
  );
  expect(weights).toEqual([[90], [80], [70]]);
});

it('changes nothing where the primary is none of them', () =>
  expect(primaryFirst(databases, '')).toEqual(databases));

it('says where it listens, and what it tries, in this order', () => {
  const text = routerConfiguration({ address: '10.0.0.1', port: 6446 }, ['b:3306', 'a:3306']);
  const lines = text.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'bind_address=10.0.0.1',
      'bind_port=6446',
      'destinations=b:3306,a:3306',
      'routing_strategy=next-available',
    ]),
  );
});

it('is started with folders as values, never as a part of the script', () => {
  const command = routerCommand("/srv/it's", '/srv/$(x)');
  expect(command.slice(-2)).toEqual(["/srv/it's", '/srv/$(x)']);
  expect(command.slice(0, -2).join(' ')).not.toContain('/srv');
});
