import { describe, expect, it } from 'vitest';

import { readDocument } from '../../agent/core/document.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';

/** Code, path and message of every mistake. */
function mistakes(
  schema: typeof MySQLUser | typeof MySQLRole | typeof MySQLDatabase,
  text: string,
): readonly string[] {
  const { diagnostics } = readDocument<unknown>('mysql/x.yaml', text, { schema, unsupported: [] });
  return diagnostics.map(({ code, place, message }) => `${code} ${place?.path}: ${message}`);
}

const user = (keys: string): readonly string[] =>
  mistakes(MySQLUser, `kind: MySQLUser\nname: u\npassword: {generate: true, secret: s}\n${keys}`);
const password = (keys: string): readonly string[] =>
  mistakes(MySQLUser, `kind: MySQLUser\nname: u\npassword: {${keys}}\n`);
const privilege = (keys: string): readonly string[] =>
  mistakes(MySQLRole, `kind: MySQLRole\nname: r\nprivileges: [{privileges: [SELECT], ${keys}}]\n`);

describe('what is left out', () => {
  const common = {
    adopt: false,
    deletionPolicy: 'Orphan',
    dependsOn: [],
    suspend: false,
    server: 'default',
  };

  it('of a database', () => {
    expect(MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'd' })).toEqual({
      kind: 'MySQLDatabase',
      name: 'd',
      ...common,
      characterSet: 'utf8mb4',
    });
  });

  it('of a role', () => {
    const role = { kind: 'MySQLRole', name: 'r', privileges: [{ privileges: ['SELECT'] }] };
    const given = {
      privileges: ['SELECT'],
      database: '*',
      table: '*',
      pattern: false,
      grantOption: false,
    };
    expect(MySQLRole.parse(role)).toEqual({ ...role, ...common, privileges: [given] });
  });

  it('of an account', () => {
    const given = { kind: 'MySQLUser', name: 'u', password: { generate: true, secret: 's' } };
    expect(MySQLUser.parse(given)).toEqual({
      ...given,
      ...common,
      hosts: ['%'],
      password: { from: 'generated', secret: 's', length: 32 },
      privileges: [],
      roles: [],
      defaultRoles: [],
      require: 'none',
      limits: {
        maxQueriesPerHour: 0,
        maxUpdatesPerHour: 0,
        maxConnectionsPerHour: 0,
        maxUserConnections: 0,
      },
      locked: false,
      retention: 30 * 24 * 3_600_000,
    });
  });
});

describe('a password', () => {
  it.each([
    [
      { fromFile: 'secrets/x.sops.yaml', key: 'a.b' },
      { from: 'file', file: 'secrets/x.sops.yaml', key: 'a.b' },
    ],
    [
      { fromFile: 'x', key: 'a', secret: 's' },
      { from: 'file', file: 'x', key: 'a', secret: 's' },
    ],
    [{ hash: '*CAFE' }, { from: 'hash', hash: '*CAFE' }],
    [
      { generate: true, secret: 's', length: 20 },
      { from: 'generated', secret: 's', length: 20 },
    ],
  ])('%j', (written, read) => {
    expect(MySQLUser.parse({ kind: 'MySQLUser', name: 'u', password: written }).password).toEqual(
      read,
    );
  });

  const SOURCES = 'wrong-value password: write one of `generate: true`, `fromFile` and `hash`';
  it.each([
    ['', SOURCES],
    ['secret: s', SOURCES],
    ['generate: true, hash: x', SOURCES],
    ['generate: true, fromFile: x, key: y, secret: s', SOURCES],
    [
      'generate: true',
      'wrong-value password: write the `secret` that stacks find the password in, too',
    ],
    ['generate: true, secret: s, key: x', 'wrong-value password: `key` is for `fromFile` alone'],
    ['fromFile: x', 'wrong-value password: write the `key` of the password in the file, too'],
    ['fromFile: x, key: y, length: 20', 'wrong-value password: `length` is for `generate` alone'],
    [
      'hash: x, secret: s',
      'wrong-value password: from a hash no secret can be made: leave out `secret`',
    ],
    [
      'generate: true, secret: s, length: 15',
      'wrong-value password.length: write a whole number from 16 to 128',
    ],
    ['generate: true, secret: s, lenght: 20', 'unknown-key password.lenght: unknown key `lenght`'],
    [
      'fromFile: ../x, key: y',
      'wrong-value password.fromFile: write a path inside the repository, without `..`',
    ],
  ])('{%s} is a mistake', (keys, mistake) => expect(password(keys)).toEqual([mistake]));
});

describe('an account', () => {
  it.each([
    'require: ssl',
    'require: {subject: /CN=x}',
    'roles: [a, b]\ndefaultRoles: [b]',
    "hosts: ['%', localhost]",
    'rotate: again',
    'deletionPolicy: Delete',
  ])('%j', (keys) => expect(user(keys)).toEqual([]));

  const REQUIRE =
    'wrong-value require: write `none`, `ssl`, `x509`, or some of `subject`, `issuer` and `cipher`';
  it.each([
    ['require: {}', REQUIRE],
    ['require: tls', REQUIRE],
    ['hosts: []', 'wrong-value hosts: write a host such as `%`'],
    ['hosts: [a.org, A.ORG]', 'wrong-value hosts[1]: write each host once'],
    [
      'roles: [a]\ndefaultRoles: [a, b]',
      'wrong-value defaultRoles[1]: a default role is one of `roles`',
    ],
    [
      'plugin: ed25519',
      'wrong-value plugin: write `caching_sha2_password` or `mysql_native_password`',
    ],
    [
      'limits: {maxUserConnections: -1}',
      'wrong-value limits.maxUserConnections: write a whole number from 0 to 4294967295',
    ],
    ['retention: 0s', 'wrong-value retention: write at least `1s`'],
    ['deletionPolicy: drop', 'wrong-value deletionPolicy: write `Orphan` or `Delete`'],
  ])('%j is a mistake', (keys, mistake) => expect(user(keys)).toEqual([mistake]));

  it('with a password that is not made cannot make another', () => {
    const text = 'kind: MySQLUser\nname: u\npassword: {hash: x}\nrotate: again\n';
    expect(mistakes(MySQLUser, text)).toEqual([
      'wrong-value rotate: `rotate` is for `generate` alone',
    ]);
  });
});

it('a database is never deleted', () => {
  const text = 'kind: MySQLDatabase\nname: d\ndeletionPolicy: Delete\n';
  expect(mistakes(MySQLDatabase, text)).toEqual([
    'wrong-value deletionPolicy: write `Orphan`: there is no code that deletes a database',
  ]);
});

describe('a privilege', () => {
  const at = 'privileges[0]';
  it.each([
    ['table: t', `wrong-value ${at}.table: write the database of the table, too`],
    [
      'routine: {type: function, name: f}',
      `wrong-value ${at}.routine: write the database of the routine, too`,
    ],
    ['database: d, columns: [c]', `wrong-value ${at}.columns: write the table of the columns, too`],
    [
      'database: d, table: t, routine: {type: procedure, name: p}',
      `wrong-value ${at}.routine: write \`table\` or \`routine\`, not both`,
    ],
    ['pattern: true', `wrong-value ${at}.pattern: write the pattern as \`database\``],
    [
      'database: d%, table: t, pattern: true',
      `wrong-value ${at}.pattern: a pattern is for whole databases: leave out \`table\` and \`routine\``,
    ],
    ['database: d, table: t, columns: []', `wrong-value ${at}.columns: write a column`],
    [
      'database: d, routine: {type: library, name: p}',
      `wrong-value ${at}.routine.type: write \`function\` or \`procedure\``,
    ],
  ])('{%s} is a mistake', (keys, mistake) => expect(privilege(keys)).toEqual([mistake]));

  it.each(['ALL ON *.* TO x', 'SELECT; DROP', 'SELECT (a)', 'SELECT ', '', "S'"])(
    '%j is no word of one',
    (word) => {
      const text = `kind: MySQLRole\nname: r\nprivileges: [{privileges: [${JSON.stringify(word)}]}]\n`;
      expect(mistakes(MySQLRole, text)).toEqual([
        `wrong-value ${at}.privileges[0]: write a privilege such as \`SELECT\` or \`CREATE VIEW\`, or \`ALL\``,
      ]);
    },
  );
});
