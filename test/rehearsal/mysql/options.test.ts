import { expect, it } from 'vitest';
import { accountStatements, serverOptions } from '../../../agent/rehearsal/mysql/options.ts';
import { selectLibraries } from '../../../agent/rehearsal/mysql/unpacked.ts';

it.each([
  ['a library', 'libaio1t64', true],
  ['the C library: the machine may have an older one', 'libc6', true],
  ['the one library that is called otherwise', 'zlib1g', true],
  ['perl as a library', 'libperl5.42', false],
  ['parts of the C library that are not opened', 'libc-gconv-modules-extra', false],
  ['a program', 'perl-base', false],
])('unpacks or leaves %s', (_, name, kept) => {
  expect(selectLibraries([name]).includes(name)).toBe(kept);
});

it.each([
  ["x' OR '1", 'the password must be'],
  ['short', 'the password must be'],
  ['back\\slash1', 'the password must be'],
  ['two\nlines1', 'the password must be'],
])('writes no password that could be more than a word: %j', (password, said) => {
  const account = { user: 'keeper', password };
  expect(() => accountStatements('mysql', account)).toThrow(said);
});

it.each(["a'@'%", 'A', '', 'a b'])('writes no user that could be more than a word: %j', (user) => {
  const account = { user, password: 'Password1' };
  expect(() => accountStatements('mysql', account)).toThrow('the account may have');
});

it.each(['mysql', 'mariadb'] as const)('keeps all statements of %s out of its binlog', (flavor) => {
  const text = accountStatements(flavor, { user: 'keeper', password: 'Password1' });
  expect(text.split('\n')[0]).toBe('SET SESSION sql_log_bin=0;');
});

it('puts the options of whoever asks last', () => {
  const programs = { flavor: 'mysql', command: [], base: '/b', data: '/b/data' } as const;
  const place = { folder: '/f', address: '127.0.0.1', port: 1 };
  const options = serverOptions(programs, place, ['--max-connections=5']);
  expect(options[0]).toBe('--no-defaults'); // a server reads it in the first place only
  expect(options.at(-1)).toBe('--max-connections=5');
});
