import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { isMarked } from '../../../agent/providers/mysql/account.ts';
import { isWrittenByOlder, parseGlobalPriv } from '../../../agent/providers/mysql/global-priv.ts';
import { beyond } from '../../../agent/providers/mysql/grants.ts';
import type { Grants } from '../../../agent/providers/mysql/grants.ts';
import { compared } from '../../../agent/providers/mysql/hash.ts';
import { resolved } from '../../../agent/providers/mysql/privileges.ts';
import {
  MariadbRows,
  MysqlRows,
  UnreadableRows,
  dynamicOf,
  questionsOf,
  readRows,
} from '../../../agent/providers/mysql/rows.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { Privilege } from '../../../schemas/mysql.ts';
import { accountOf, accountsOf, answered, kept } from './kept.ts';
import type { Answered } from './kept.ts';
import { mariadb1011, mariadb118, mysql97 } from './servers.ts';

const secret = (text: string): Secret => new Secret(text);
const privileges = (...list: Record<string, unknown>[]): Privilege[] =>
  list.map((privilege) => Privilege.parse(privilege));

/** Levels and words, sorted, as one line each. */
function lines(grants: Grants): string[] {
  return [...grants.values()]
    .map(({ level: { on, ...where }, privileges, grantOption }) => {
      const words = [...privileges].toSorted().join(',');
      return `${[on, ...Object.values(where)].join(' ')}: ${words}${grantOption ? ' +' : ''}`;
    })
    .toSorted();
}

describe.each(kept)('what %s kept', (name) => {
  const { server, answers } = answered(name);
  const mysql = server.flavor === 'mysql';
  const accounts = accountsOf({ server, answers });
  const account = (user: string) => accountOf(accounts, user);

  it('is read as it was in full', async () => {
    const text = [...accounts.values()]
      .map(({ grants, ...rest }) => `${inspect(rest, { depth: 6 })}\n${lines(grants).join('\n')}\n`)
      .toSorted()
      .join('\n');
    await expect(text).toMatchFileSnapshot(`../../golden/mysql/${name}.txt`);
  });

  it('are all of its accounts, with the hosts in small letters', () => {
    const users = [...accounts.values()].map(({ user, host }) => `${user}@${host}`);
    const roles = mysql
      ? ['readers@%', 'writer@%']
      : ['readers@', 'understudy_managed@', 'writer@'];
    const others = ['aged@%', 'blog@10.0.%', 'boss@%', 'gone@%', "o'b`r\\ien@%", 'shut@localhost'];
    expect(users.toSorted()).toEqual([...roles, ...others, 'some@%'].toSorted());
  });

  it('equals what was declared: nothing is missing and nothing left', () => {
    const history = mysql ? [] : ['DELETE HISTORY'];
    const table = { database: 'shop', table: 't' };
    const declared = privileges(
      { privileges: ['ALL'], database: 'site_1' },
      { privileges: ['SELECT', 'INSERT', ...history], ...table, grantOption: true },
      { privileges: ['SELECT'], ...table, columns: ['first_name', 'B'] },
      { privileges: ['UPDATE'], ...table, columns: ['b'] },
      {
        privileges: ['ALTER ROUTINE', 'EXECUTE'],
        database: 'shop',
        routine: { type: 'function', name: 'slug' },
      },
    );
    const { grants, refusals } = resolved(declared, server);
    expect(refusals).toEqual([]);
    expect(beyond(grants, account('blog').grants)).toEqual([]);
    expect(beyond(account('blog').grants, grants)).toEqual([]);
  });

  it('of ALL on everything is what ALL is there', () => {
    const { grants } = resolved(privileges({ privileges: ['ALL'], grantOption: true }), server);
    // MySQL passes on each dynamic privilege by itself.
    expect(beyond(grants, account('boss').grants)).toEqual([]);
    expect(beyond(account('boss').grants, grants)).toEqual([]);
  });

  it('of a pattern is a pattern', () => {
    const { grants } = resolved(
      privileges({ privileges: ['SELECT'], database: 'site_%', pattern: true }),
      server,
    );
    expect([...account('some').grants.keys()]).toContain([...grants.keys()][0]);
  });

  it('knows its passwords again', () => {
    const passwords = (user: string, password: string): string[] =>
      account(user).authentication.map((auth) => compared(auth, secret(password)));
    expect(passwords('aged', 'x')).toEqual(['same']);
    expect(passwords('aged', 'y')).toEqual(['other']);
    expect(passwords("o'b`r\\ien", 'x')).toEqual(mysql ? ['same'] : ['unknown', 'other']);
    expect(account('readers').authentication).toHaveLength(mysql ? 1 : 0);
  });

  it('shows no hash', () => {
    const text =
      inspect([...accounts.values()], { depth: 9 }) + JSON.stringify([...accounts.values()]);
    expect(text).not.toMatch(/\$A\$|\*[0-9A-F]{40}/);
    expect(text).toContain('[secret]');
  });

  it('says who is a role, and who has it', () => {
    expect(account('readers').isRole).toBe('yes');
    expect(account('blog').isRole).toBe('no');
    expect(account('gone').isRole).toBe('no');
    const host = mysql ? '%' : '';
    const mark = mysql ? [] : [{ role: { user: 'understudy_managed', host: '' }, admin: false }];
    expect(
      account('blog').roles.toSorted((one, other) => (one.role.user < other.role.user ? -1 : 1)),
    ).toEqual([
      { role: { user: 'readers', host }, admin: false },
      ...mark,
      { role: { user: 'writer', host }, admin: false },
    ]);
    expect(account('writer').roles).toEqual([{ role: { user: 'readers', host }, admin: true }]);
    expect(account('blog').defaultRoles).toEqual([{ user: 'readers', host }]);
    expect(account('some').defaultRoles).toEqual([]);
  });

  it('says what is ours', () => {
    const ours = [...accounts.values()].filter((one) => isMarked(one)).map(({ user }) => user);
    expect(ours).toEqual(['blog']);
  });

  it('says what a connection needs, and what limits it has', () => {
    expect(account('blog').require).toEqual({ subject: "/CN=o'brien", issuer: '/CN=ca' });
    expect([account('shut').require, account('gone').require, account('some').require]).toEqual([
      'ssl',
      'x509',
      'none',
    ]);
    expect(account('blog').limits).toEqual({
      maxQueriesPerHour: 7,
      maxUpdatesPerHour: 0,
      maxConnectionsPerHour: 0,
      maxUserConnections: 50,
    });
    expect([account('shut').locked, account('some').locked]).toEqual([true, false]);
    expect([account('gone').expired, account('shut').expired]).toEqual([true, false]);
    expect(
      [account('aged'), account('shut'), account('some')].map(({ lifetimeDays }) => lifetimeDays),
    ).toEqual([90, 'never', 'default']);
  });
});

describe('MySQL alone', () => {
  const accounts = accountsOf(answered('mysql-9.7'));

  it('keeps the earlier password beside', () => {
    const { authentication, retained } = accountOf(accounts, 'blog');
    expect(authentication.map((auth) => compared(auth, secret('second one')))).toEqual(['same']);
    expect(retained && compared(retained, secret('first one'))).toBe('same');
    expect(accountOf(accounts, 'aged').retained).toBeUndefined();
  });

  it('keeps attributes', () => {
    expect(accountOf(accounts, 'blog').attributes).toEqual({
      managedBy: 'understudy',
      owner: 'site-a',
    });
  });

  it('has dynamic privileges with grant options of their own', () => {
    expect(lines(accountOf(accounts, 'some').grants)).toEqual([
      'database site_%: SELECT',
      'dynamic BACKUP_ADMIN: BACKUP_ADMIN',
      'dynamic ROLE_ADMIN: ROLE_ADMIN +',
      'everything: PROCESS',
    ]);
  });

  it('may keep a role that nobody has: it looks like a locked account', () => {
    const { server, answers } = answered('mysql-9.7');
    const without: Answered = { server, answers: { ...answers, edges: [], defaults: [] } };
    expect(accountOf(accountsOf(without), 'readers').isRole).toBe('perhaps');
  });

  it('says what it takes away again', () => {
    const { server, answers } = answered('mysql-9.7');
    const restrictions = '[{"Database": "sec", "Privileges": ["INSERT"]}]';
    const rows = answers['accounts']?.map((row) => ({ ...row, restrictions }));
    const restricted = accountsOf({ server, answers: { ...answers, accounts: rows ?? [] } });
    expect(accountOf(restricted, 'some').restrictions).toEqual([
      { database: 'sec', privileges: ['INSERT'] },
    ]);
  });
});

describe('MariaDB alone', () => {
  const accounts = accountsOf(answered('mariadb-10.11'));

  it('has several passwords, in their order', () => {
    const blog = accountOf(accounts, 'blog').authentication.map(({ stored }) => stored.reveal());
    expect(blog).toEqual([
      '*196BDEDE2AE4F84CA44C47D54D78478C7E2BD7B7',
      '*81F5E21E35407D884A6CD4A731AEBFB6AF209E1B',
    ]);
    const other = accountOf(accounts, "o'b`r\\ien").authentication;
    expect(other.map(({ plugin }) => plugin)).toEqual(['unix_socket', 'mysql_native_password']);
    expect(other[0]?.stored.reveal()).toBe('');
  });

  it('limits statements and forbids connections', () => {
    expect(accountOf(accounts, 'aged').maxStatementSeconds).toBe(2.5);
    expect(accountOf(accounts, 'aged').limits.maxUserConnections).toBe(-1);
  });

  it.each([
    ['18446744073709551615', mariadb1011, 38],
    ['18446744073709551615', mariadb118, 39],
    ['549755813887', mariadb118, 38],
  ])('%s is all that this server knows, bit by bit', (access, server, size) => {
    const priv = `{"access":${access},"version_id":110899}`;
    const answers = {
      accounts: [{ Host: '%', User: 'u', priv }],
      databases: [],
      tables: [],
      columns: [],
      routines: [],
      proxies: [],
      edges: [],
    };
    const everything = [...accountOf(accountsOf({ server, answers }), 'u').grants.values()];
    expect(everything.map(({ privileges, grantOption }) => [privileges.size, grantOption])).toEqual(
      [[size, true]],
    );
    expect(everything[0]?.privileges.has('SHOW CREATE ROUTINE')).toBe(size === 39);
  });

  it.each([
    ['a row of this version', 101119, 32_768, false],
    ['a row of an earlier patch of it', 101100, 32_768, false],
    ['SUPER of an earlier version, which had more in it', 100_600, 32_768, true],
    ['REPLICATION SLAVE of one', 100_503, 524_288, true],
    ['a row of one without these', 100_400, 3, false],
    ['a row that names none', undefined, 32_768, true],
  ])('%s', (_, version, access, expected) => {
    const priv = parseGlobalPriv(JSON.stringify({ access, version_id: version }));
    expect(isWrittenByOlder(priv, mariadb1011)).toBe(expected);
  });

  it('is not misled by a text that looks like bits', () => {
    const { access, authentication_string } = parseGlobalPriv(
      String.raw`{"access":9007199254740993,"authentication_string":"\"access\":1,"}`,
    );
    expect(access).toBe(9_007_199_254_740_993n);
    expect(authentication_string).toBe('"access":1,');
  });
});

describe('what no statement could name', () => {
  it('of a later server is not compared', () => {
    const { server, answers } = answered('mariadb-11.8');
    const routines = answers['routines']?.map((row) => ({
      ...row,
      Proc_priv: 'Execute,Show Create Routine,Later',
    }));
    const read = accountsOf({ server, answers: { ...answers, routines: routines ?? [] } });
    const ofRoutine = lines(accountOf(read, 'blog').grants).filter((line) =>
      line.startsWith('routine'),
    );
    expect(ofRoutine).toEqual(['routine FUNCTION shop Slug: EXECUTE']);
  });

  it('of a component that is gone is not compared', () => {
    const { server, answers } = answered('mysql-9.7');
    const without = { ...server, dynamic: server.dynamic.difference(new Set(['BACKUP_ADMIN'])) };
    const some = accountOf(accountsOf({ server: without, answers }), 'some');
    expect(lines(some.grants).filter((line) => line.startsWith('dynamic'))).toEqual([
      'dynamic ROLE_ADMIN: ROLE_ADMIN +',
    ]);
  });
});

describe('an answer that is not understood', () => {
  const canary = 'CANARY';
  it('names its place and none of its values', () => {
    const { answers } = answered('mysql-9.7');
    const rows = [...(answers['accounts'] ?? [])];
    const broken = rows.map((row, index) => (index === 1 ? { ...row, ssl_type: canary } : row));
    const read = () => readRows(MysqlRows, { ...answers, accounts: broken });
    expect(read).toThrow(UnreadableRows);
    expect(read).toThrow("the server's answer is not understood at `accounts.1.ssl_type`");
  });

  it.each([
    `not json ${canary}`,
    `{"access":"${canary}"}`,
    `{"access":-1,"x":"${canary}"}`,
    'null',
  ])('the object %s of MariaDB is not repeated', (text) => {
    expect(() => parseGlobalPriv(text)).toThrow(UnreadableRows);
    expect(() => parseGlobalPriv(text)).not.toThrow(canary);
  });

  it.each([
    ['metadata', '[1]'],
    ['metadata', 'nothing'],
    ['restrictions', '{}'],
  ])('%s of MySQL that are %s', (key, text) => {
    const { server, answers } = answered('mysql-9.7');
    const rows = answers['accounts']?.map((row) => ({ ...row, [key]: text })) ?? [];
    expect(() => accountsOf({ server, answers: { ...answers, accounts: rows } })).toThrow(
      `the server's answer is not understood at \`accounts.${key}\``,
    );
  });

  it('with a question too few or too many', () => {
    const { answers } = answered('mariadb-10.11');
    const { edges, ...fewer } = answers;
    expect(() => readRows(MariadbRows, fewer)).toThrow('at `edges`');
    expect(() => readRows(MariadbRows, { ...answers, more: edges })).toThrow(UnreadableRows);
  });
});

describe('questions', () => {
  it.each([
    ['mysql97', mysql97, MysqlRows],
    ['mariadb1011', mariadb1011, MariadbRows],
    ['mariadb118', mariadb118, MariadbRows],
  ] as const)('are on %s one for each answer, and read alone', (_, server, shape) => {
    const questions = questionsOf(server);
    expect(Object.keys(questions).toSorted()).toEqual(Object.keys(shape.shape).toSorted());
    for (const question of Object.values(questions))
      expect(question.shown).toMatch(/^SELECT [^;]+$/);
  });

  it('ask for the columns of this version', () => {
    const asked = (server: typeof mysql97): string => questionsOf(server)['databases']?.shown ?? '';
    expect(asked(mysql97)).not.toContain('Delete_history_priv');
    expect(asked(mariadb1011)).toContain('Delete_history_priv');
    expect(asked(mariadb1011)).not.toContain('Show_create_routine_priv');
    expect(asked(mariadb118)).toContain('Show_create_routine_priv');
  });

  it('tell dynamic privileges by their capitals', () => {
    const rows = ['Alter routine', 'Event', 'Usage', 'ROLE_ADMIN', 'XA_RECOVER_ADMIN', 'X; DROP'];
    expect([...dynamicOf(rows.map((Privilege) => ({ Privilege })))]).toEqual([
      'ROLE_ADMIN',
      'XA_RECOVER_ADMIN',
    ]);
  });
});
