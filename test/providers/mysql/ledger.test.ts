import { expect, it } from 'vitest';

import {
  claim,
  leave,
  ownTables,
  readLedger,
  release,
} from '../../../agent/providers/mysql/ledger.ts';
import { collationsIn } from '../../../agent/providers/mysql/read-server.ts';
import { UnreadableRows } from '../../../agent/providers/mysql/rows.ts';
import { takingTurns } from '../../../agent/providers/mysql/turns.ts';

it('makes each table with a primary key, and once', () => {
  const made = ownTables.map(({ shown }) => shown);
  expect(made.filter((text) => /^CREATE (?:DATABASE|TABLE) IF NOT EXISTS /.test(text))).toEqual(
    made,
  );
  const tables = made.filter((text) => text.startsWith('CREATE TABLE'));
  expect(tables.filter((text) => / PRIMARY KEY/.test(text))).toEqual(tables);
});

it('quotes what it keeps', () => {
  expect(
    [
      claim("mysql-user/o'b", { digest: 'aa', retentionS: 60, owner: "o'r" }),
      leave('x/`'),
      release('x/\\'),
    ].map(String),
  ).toEqual([
    "INSERT INTO `understudy`.`ledger` (id, `digest`, `left_at`, `deletes`, `retention_s`, `owner`) VALUES ('mysql-user/o''b', 'aa', NULL, 1, 60, 'o''r') ON DUPLICATE KEY UPDATE `digest` = IF((owner IS NULL OR owner = 'o''r'), 'aa', `digest`), `left_at` = IF((owner IS NULL OR owner = 'o''r'), NULL, `left_at`), `deletes` = IF((owner IS NULL OR owner = 'o''r'), 1, `deletes`), `retention_s` = IF((owner IS NULL OR owner = 'o''r'), 60, `retention_s`), `owner` = IF((owner IS NULL OR owner = 'o''r'), 'o''r', `owner`)",
    "UPDATE `understudy`.`ledger` SET left_at = UTC_TIMESTAMP(3) WHERE id = 'x/`' AND left_at IS NULL AND owner IS NULL",
    "DELETE FROM `understudy`.`ledger` WHERE id = 'x/\\\\' AND owner IS NULL",
  ]);
});

it('is read by id', () => {
  const none = { deletes: null, retention_s: null, owner: null };
  const rows = [
    { id: 'mysql-user/a', digest: 'aa', left_at: null, left_at_s: null, ...none },
    // As the first version kept it.
    { id: 'mysql-role/b', digest: 'bb', left_at: '2026-01-02T03:04:05.678Z', left_at_s: 7 },
    { id: 'mysql-user/c', digest: 'cc', left_at: null, ...none, deletes: 1, retention_s: '60' },
    { id: 'mysql-user/d', digest: 'dd', left_at: null, ...none, owner: 'us' },
    { id: 'mysql-user/e', digest: 'ee', left_at: null, ...none, owner: 'them' },
  ];
  const { owned, foreign } = readLedger(rows, 'us');
  expect(owned).toEqual(
    new Map([
      ['mysql-user/a', { digest: 'aa' }],
      ['mysql-role/b', { digest: 'bb', leftAt: '2026-01-02T03:04:05.678Z', leftAtS: 7 }],
      ['mysql-user/c', { digest: 'cc', retentionS: 60 }],
      ['mysql-user/d', { digest: 'dd', owner: 'us' }],
    ]),
  );
  expect(foreign).toEqual(new Map([['mysql-user/e', 'them']]));
  expect([...readLedger(rows).foreign.keys()]).toEqual(['mysql-user/d', 'mysql-user/e']);
  expect(() => readLedger([{ id: 'nothing', digest: 'aa', left_at: null }])).toThrow(
    UnreadableRows,
  );
});

it.each([
  ['as the server has it', {}, 'general', 'swedish'],
  ['as MySQL is set', { default_collation_for_utf8mb4: 'other' }, 'other', 'swedish'],
  ['as MariaDB is set', { character_set_collations: 'utf8mb4=uca, latin1=bin' }, 'uca', 'bin'],
  ['as MariaDB is not set', { character_set_collations: '' }, 'general', 'swedish'],
])('knows the collation that goes without saying, %s', (_, variables, utf8mb4, latin1) => {
  const sets = new Map(Object.entries({ utf8mb4: 'general', latin1: 'swedish' }));
  expect(collationsIn(sets, new Map(Object.entries(variables)))).toEqual(
    new Map(Object.entries({ utf8mb4, latin1 })),
  );
});

it('lets one work after the other, also after one that fails, and no more wait than may', async () => {
  const turn = takingTurns(2);
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turn(async () => {
    await gate.promise;
    done.push('first');
    throw new Error('it failed');
  });
  await Promise.resolve();
  const second = turn(async () => done.push('second'));
  const third = turn(async () => done.push('third'));
  expect(turn(async () => done.push('fourth'))).toBeUndefined();
  gate.resolve();
  await expect(first).rejects.toThrow('it failed');
  await Promise.all([second, third]);
  expect(done).toEqual(['first', 'second', 'third']);
  await turn(async () => done.push('fifth'));
  expect(done).toContain('fifth');
});
