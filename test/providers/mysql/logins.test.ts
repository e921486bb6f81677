import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { readLogins } from '../../../agent/providers/mysql/logins.ts';
import { MysqlServerSettings } from '../../../schemas/settings.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-logins-'));
  writeFileSync(at('password'), 'Canary4711\n');
  writeFileSync(at('empty'), '\n');
  writeFileSync(at('ca'), 'trusted');
  writeFileSync(at('large'), 'x'.repeat(2 ** 20 + 1));
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = (more: object = {}): MysqlServerSettings =>
  MysqlServerSettings.parse({
    hosts: ['db1:3306', '[fd00::1]:3307'],
    user: 'understudy',
    passwordFile: at('password'),
    ...more,
  });

it('logs in to each host, encrypted unless that is off', async () => {
  const read = await readLogins(settings({ tls: { caFile: at('ca'), verifyName: false } }));
  if (read.status !== 'ok') throw new Error(read.why);
  const [first] = read.logins;
  expect(first?.password.reveal()).toBe('Canary4711');
  expect(read.logins.map(({ host, port, user, tls }) => ({ host, port, user, tls }))).toEqual([
    { host: 'db1', port: 3306, user: 'understudy', tls: { ca: 'trusted', verifyName: false } },
    { host: 'fd00::1', port: 3307, user: 'understudy', tls: { ca: 'trusted', verifyName: false } },
  ]);
  expect(inspect(read, { depth: Infinity, showHidden: true })).not.toContain('Canary');
});

it('trusts whom Node trusts where no file is named, and asks for the name', async () => {
  const read = await readLogins(settings());
  const tls = read.status === 'ok' ? read.logins[0]?.tls : undefined;
  expect(tls).toEqual({ ca: rootCertificates.join('\n'), verifyName: true });
  const off = await readLogins(settings({ tls: { mode: 'off' } }));
  expect(off.status === 'ok' && off.logins[0] !== undefined && 'tls' in off.logins[0]).toBe(false);
});

it('takes a new password without a new start', async () => {
  const file = at('changing');
  const password = async () => {
    const read = await readLogins(settings({ passwordFile: file }));
    return read.status === 'ok' ? read.logins[0]?.password.reveal() : read.why;
  };
  expect(await password()).toBe(`the password cannot be read: ${file}: ENOENT`);
  writeFileSync(file, 'one\r\n');
  expect(await password()).toBe('one');
  writeFileSync(file, 'two\n\n');
  expect(await password()).toBe('two\n');
});

it.each<[string, { passwordFile?: string; tls?: { caFile: string } }, string, string]>([
  ['an empty password', { passwordFile: 'empty' }, 'the password cannot be read: ', 'it is empty'],
  ['a folder', { passwordFile: '.' }, 'the password cannot be read: ', 'EISDIR'],
  ['no certificates', { tls: { caFile: 'none' } }, 'the trusted certificates cannot be read: ', 'ENOENT'], // prettier-ignore
  ['too many certificates', { tls: { caFile: 'large' } }, 'the trusted certificates cannot be read: ', 'it is too large'], // prettier-ignore
])('says what is wrong with %s', async (_, { passwordFile, tls }, begin, end) => {
  const read = await readLogins(
    settings({
      ...(passwordFile !== undefined && { passwordFile: at(passwordFile) }),
      ...(tls !== undefined && { tls: { caFile: at(tls.caFile) } }),
    }),
  );
  const why = read.status === 'failed' ? read.why : '';
  expect(why.startsWith(begin) && why.endsWith(`: ${end}`)).toBe(true);
});
