import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { beyond, gathered, keyOf } from '../../../agent/providers/mysql/grants.ts';
import type { Grant, Grants } from '../../../agent/providers/mysql/grants.ts';
import { resolved } from '../../../agent/providers/mysql/privileges.ts';
import { folded, privilegesOf } from '../../../agent/providers/mysql/words.ts';
import { Privilege } from '../../../schemas/mysql.ts';
import { mariadb1011, mariadb118, mysql80, mysql97, mysqlExact, servers } from './servers.ts';

type Written = Readonly<Record<string, unknown>>;
const parsed = (...privileges: readonly Written[]): Privilege[] =>
  privileges.map((privilege) => Privilege.parse(privilege));

/** `LEVEL: WORDS`, with a `+` where it may be passed on. */
function lines(grants: Iterable<Grant>): string[] {
  return [...grants].map(({ level, privileges, grantOption }) => {
    const { on, ...where } = level;
    const words = [...privileges].toSorted().join(',');
    return `${[on, ...Object.values(where)].join(' ')}: ${words}${grantOption ? ' +' : ''}`;
  });
}

const granted = (server: typeof mysql97, ...privileges: readonly Written[]): string[] => {
  const { grants, refusals } = resolved(parsed(...privileges), server);
  expect(refusals).toEqual([]);
  return lines(grants.values());
};
const refused = (server: typeof mysql97, ...privileges: readonly Written[]): string[] =>
  resolved(parsed(...privileges), server).refusals.map(
    ({ path, reason }) => `${path.join('.')}: ${reason}`,
  );

describe('ALL', () => {
  it.each([
    ['mysql80', mysql80, { everything: 30, database: 18, table: 12, routine: 2 }],
    ['mysql97', mysql97, { everything: 30, database: 18, table: 12, routine: 2 }],
    // 38 of the 39 lowest bits of `access`, 39 of 40: the grant option is one of them.
    ['mariadb1011', mariadb1011, { everything: 38, database: 19, table: 13, routine: 2 }],
    ['mariadb118', mariadb118, { everything: 39, database: 20, table: 13, routine: 2 }],
  ] as const)('is as many privileges on %s as the server keeps for it', (_, server, counts) => {
    for (const place of ['everything', 'database', 'table', 'routine'] as const) {
      expect([place, privilegesOf(place, server).size]).toEqual([place, counts[place]]);
      expect(privilegesOf(place, server)).not.toContain('GRANT OPTION');
    }
  });

  it.each(Object.entries(servers))(
    'is on %s the same as all of its privileges written out',
    (_, server) => {
      const at: readonly (readonly [Written, 'everything' | 'database' | 'table' | 'routine'])[] = [
        [{}, 'everything'],
        [{ database: 'shop' }, 'database'],
        [{ database: 'shop', table: 'x' }, 'table'],
        [{ database: 'shop', routine: { type: 'procedure', name: 'p' } }, 'routine'],
      ];
      for (const [where, place] of at) {
        const words = [
          ...privilegesOf(place, server),
          ...(place === 'everything' ? server.dynamic : []),
        ];
        const all = resolved(parsed({ privileges: ['ALL'], ...where }), server);
        const long = resolved(parsed({ privileges: ['all privileges'], ...where }), server);
        const each = resolved(parsed({ privileges: words, ...where }), server);
        expect([...all.refusals, ...long.refusals, ...each.refusals]).toEqual([]);
        for (const other of [each, long]) {
          expect(beyond(all.grants, other.grants)).toEqual([]);
          expect(beyond(other.grants, all.grants)).toEqual([]);
        }
      }
    },
  );

  it('on everything has the dynamic privileges of this very server', () => {
    const few = { ...mysql97, dynamic: new Set(['ROLE_ADMIN']) };
    const [first, ...others] = granted(few, { privileges: ['ALL'], grantOption: true });
    expect(first).toMatch(/^everything: .*SHUTDOWN.* \+$/);
    expect(others).toEqual(['dynamic ROLE_ADMIN: ROLE_ADMIN +']);
  });
});

describe('a declared privilege', () => {
  it.each([
    [{ privileges: ['select', 'Insert'] }, ['everything: INSERT,SELECT']],
    [{ privileges: ['SELECT'], database: 'site_1' }, ['database site\\_1: SELECT']],
    [{ privileges: ['SELECT'], database: 'site_%', pattern: true }, ['database site_%: SELECT']],
    [
      { privileges: ['SELECT'], database: 'site_1', table: 'a_b', grantOption: true },
      ['table site_1 a_b: SELECT +'],
    ],
    [
      { privileges: ['SELECT'], database: 'd', table: 't', columns: ['Title', 'body'] },
      ['column d t Title: SELECT', 'column d t body: SELECT'],
    ],
    [
      { privileges: ['EXECUTE'], database: 'd', routine: { type: 'function', name: 'f' } },
      ['routine FUNCTION d f: EXECUTE'],
    ],
    [
      { privileges: ['SHOW VIEW'], database: 'site.nl', table: '*' },
      ['database site.nl: SHOW VIEW'],
    ],
  ])('%j', (privilege, expected) => {
    for (const server of [mysql80, mysql97, mariadb1011, mariadb118]) {
      expect(granted(server, privilege)).toEqual(expected);
    }
  });

  it('names its database plainly where partial revokes are on', () => {
    expect(granted(mysqlExact, { privileges: ['SELECT'], database: 'site_1' })).toEqual([
      'database site_1: SELECT',
    ]);
  });

  it('of columns passes on what the table passes on', () => {
    const columns = { privileges: ['SELECT'], database: 'd', table: 't', columns: ['c'] };
    expect(granted(mysql97, { ...columns, grantOption: true })).toEqual([
      'column d t c: SELECT',
      'table d t:  +',
    ]);
  });

  it('adds to others of its level', () => {
    const where = { database: 'd' };
    expect(
      granted(
        mysql97,
        { privileges: ['SELECT'], ...where },
        { privileges: ['INSERT'], ...where, grantOption: true },
        { privileges: ['SELECT'] },
      ),
    ).toEqual(['database d: INSERT,SELECT +', 'everything: SELECT']);
  });

  it('that is dynamic has a grant option of its own', () => {
    expect(
      granted(
        mysql97,
        { privileges: ['ROLE_ADMIN'], grantOption: true },
        { privileges: ['SELECT', 'BACKUP_ADMIN'] },
      ),
    ).toEqual([
      'dynamic ROLE_ADMIN: ROLE_ADMIN +',
      'everything: SELECT',
      'dynamic BACKUP_ADMIN: BACKUP_ADMIN',
    ]);
  });

  it.each([
    ['REPLICATION CLIENT', 'BINLOG MONITOR'],
    ['REPLICATION REPLICA', 'REPLICATION SLAVE'],
    ['REPLICATION REPLICA ADMIN', 'REPLICATION SLAVE ADMIN'],
    ['REPLICA MONITOR', 'SLAVE MONITOR'],
    ['READ ONLY ADMIN', 'READ_ONLY ADMIN'],
    ['Delete versioning rows', 'DELETE HISTORY'],
  ])('%s is %s on MariaDB, which prints that, and not on MySQL', (word, printed) => {
    expect(folded(word, mariadb118)).toBe(printed);
    expect(folded(word, mysql97)).toBe(word.toUpperCase());
    expect(granted(mariadb118, { privileges: [word] })).toEqual([`everything: ${printed}`]);
  });
});

describe('what the server does not have', () => {
  const on = { database: 'd' };
  const column = { ...on, table: 't', columns: ['c'] };
  it.each([
    [
      mysql97,
      { privileges: ['SELECT', 'DELETE HISTORY'], ...on },
      '0.privileges.1: MySQL 9.7.4 has no privilege `DELETE HISTORY`',
    ],
    [
      mariadb1011,
      { privileges: ['SHOW CREATE ROUTINE'] },
      '0.privileges.0: MariaDB 10.11.19 has no privilege `SHOW CREATE ROUTINE`',
    ],
    [
      mariadb1011,
      { privileges: ['ROLE_ADMIN'] },
      '0.privileges.0: MariaDB 10.11.19 has no privilege `ROLE_ADMIN`',
    ],
    [
      mariadb1011,
      { privileges: ['CREATE ROLE'] },
      '0.privileges.0: MariaDB 10.11.19 has no privilege `CREATE ROLE`',
    ],
    [
      mysql97,
      { privileges: ['ROLE_ADMIN'], ...on },
      '0.privileges.0: `ROLE_ADMIN` is no privilege on a database',
    ],
    [
      mysql97,
      { privileges: ['RELOAD'], ...on, table: 't' },
      '0.privileges.0: `RELOAD` is no privilege on a table',
    ],
    [
      mysql97,
      { privileges: ['DELETE'], ...column },
      '0.privileges.0: `DELETE` is no privilege on a column',
    ],
    [
      mysql97,
      { privileges: ['ALL'], ...column },
      '0.privileges: columns take no `ALL`: write the privileges',
    ],
    [
      mysql97,
      { privileges: ['SELECT', 'ALL'] },
      '0.privileges: `ALL` stands for every privilege: leave out the others',
    ],
    [
      mysql97,
      { privileges: ['USAGE'] },
      '0.privileges.0: `USAGE` stands for no privilege: leave it out',
    ],
    [mysql97, { privileges: ['GRANT OPTION'] }, '0.privileges.0: write `grantOption: true`'],
    [
      mysql97,
      { privileges: ['PROXY'] },
      '0.privileges.0: `PROXY` is not offered: servers do not pass it on to each other',
    ],
    [
      mysqlExact,
      { privileges: ['SELECT'], database: 'a%', pattern: true },
      '0.database: the server has partial revokes on, so a pattern would open nothing',
    ],
    [
      mysql97,
      { privileges: ['SELECT'], database: 'a\\_b', pattern: true },
      '0.database: this stands for one database alone: leave out `pattern`, and backslashes',
    ],
    [
      mysql97,
      { privileges: ['SELECT'], database: '_'.repeat(33) },
      '0.database: the server keeps `_` and `%` as two characters each, and 64 in all',
    ],
    [
      mysql97,
      { privileges: ['SELECT'], database: 'd ' },
      '0.database: a name neither begins nor ends with a blank',
    ],
    [
      mysql97,
      { privileges: ['SELECT'], ...on, table: 'a\0' },
      '0.table: a name holds no control characters',
    ],
    [
      mysql97,
      { privileges: ['SELECT'], ...column, columns: ['c', '😀'] },
      '0.columns.1: a name holds no characters beyond U+FFFF, such as emoji: the server would keep `?`',
    ],
    [
      mysql97,
      { privileges: ['EXECUTE'], ...on, routine: { type: 'function', name: 'f ' } },
      '0.routine.name: a name neither begins nor ends with a blank',
    ],
  ])('%#: is said, and nothing of the entry is given', (server, privilege, reason) => {
    expect(refused(server, privilege)).toEqual([reason]);
    expect(resolved(parsed(privilege), server).grants.size).toBe(0);
  });
});

const words = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
const grant: fc.Arbitrary<Grant> = fc.record({
  level: fc.constantFrom<Grant['level']>(
    { on: 'everything' },
    { on: 'database', stored: 'a' },
    { on: 'database', stored: 'b' },
    { on: 'table', database: 'a', table: 'b' },
    { on: 'column', database: 'a', table: 'b', column: 'C' },
    { on: 'column', database: 'a', table: 'b', column: 'c' },
  ),
  privileges: fc.subarray(words).map((list) => new Set(list)),
  grantOption: fc.boolean(),
});
const grants = fc.array(grant).map((list) => gathered(list));

describe('sets of grants', () => {
  const applied = (from: Grants, more: readonly Grant[]): Grants =>
    gathered([...from.values(), ...more]);
  const without = (from: Grants, less: readonly Grant[]): Grants => {
    const taken = gathered(less);
    return gathered(
      [...from.values()].map(({ level, privileges, grantOption }) => {
        const off = taken.get(keyOf(level));
        return {
          level,
          privileges: privileges.difference(off?.privileges ?? new Set()),
          grantOption: grantOption && off?.grantOption !== true,
        };
      }),
    );
  };

  it('are what is wanted after what is missing was given and what is left was taken', () => {
    fc.assert(
      fc.property(grants, grants, (wanted, kept) => {
        const after = without(applied(kept, beyond(wanted, kept)), beyond(kept, wanted));
        expect([...after.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
        expect(beyond(after, wanted)).toEqual([]);
        expect(beyond(wanted, after)).toEqual([]);
      }),
    );
  });

  it('do not differ from themselves', () => {
    fc.assert(
      fc.property(grants, (some) => {
        expect(beyond(some, some)).toEqual([]);
      }),
    );
  });

  it('hold nothing that gives nothing', () => {
    fc.assert(
      fc.property(grants, (some) => {
        const empty = [...some.values()].filter(
          (one) => one.privileges.size === 0 && !one.grantOption,
        );
        expect(empty).toEqual([]);
      }),
    );
  });
});
