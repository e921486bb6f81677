import { expect, it } from 'vitest';
import { mysqlSettings } from '../../../agent/rehearsal/mysql/access.ts';
import { grantStatement, leastGrants } from '../../../agent/rehearsal/mysql/least.ts';
import { accountStatements } from '../../../agent/rehearsal/mysql/options.ts';
import { planStage } from '../../../agent/rehearsal/plan.ts';
import { MysqlServerSettings } from '../../../schemas/settings.ts';

const said = (flavor: 'mysql' | 'mariadb'): readonly string[] =>
  leastGrants(flavor, 'blog%').map((grant) => grantStatement(grant, 'x'));

it('lets an agent do no more than it needs', () => {
  expect(said('mariadb')).toEqual([
    'GRANT CREATE USER, CONNECTION ADMIN ON *.* TO x',
    'GRANT SELECT ON `mysql`.* TO x',
    'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `understudy`.* TO x',
    'GRANT ALL ON `blog%`.* TO x WITH GRANT OPTION',
  ]);
  expect(said('mysql').slice(0, 3)).toEqual([
    'GRANT CREATE USER, ROLE_ADMIN, CONNECTION_ADMIN ON *.* TO x',
    'GRANT SELECT ON `mysql`.* TO x',
    'GRANT SELECT ON `performance_schema`.* TO x',
  ]);
});

it('gives an account what it is to have, and nothing beside', () => {
  const grants = leastGrants('mariadb', 'blog%').slice(0, 1);
  const text = accountStatements('mariadb', { user: 'keeper', password: 'Password1', grants });
  expect(text.match(/^GRANT.*$/gm)).toEqual([
    "GRANT CREATE USER, CONNECTION ADMIN ON *.* TO 'keeper'@'%';",
  ]);
});

it.each(['single', 'group', 'galera'] as const)(
  'says in the settings how `%s` is reached',
  (mysql) => {
    const { main } = Object(mysqlSettings(planStage({ mysql })))['mysql'];
    expect(MysqlServerSettings.parse(main).hosts).toHaveLength(mysql === 'single' ? 1 : 3);
  },
);

it('lets agents find the primary among the members by themselves, also behind a router', () => {
  const [plain, routed] = [false, true].map((router) =>
    mysqlSettings(planStage({ mysql: 'group', router })),
  );
  expect(routed).toEqual(plain);
});

it('says nothing in the settings where there are no servers', () =>
  expect(mysqlSettings(planStage({}))).toEqual({}));
