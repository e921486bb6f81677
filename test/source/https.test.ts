import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { gitConfiguration, gitEnvironment } from '../../agent/source/environment.ts';
import { hasControl } from '../../agent/source/grammar.ts';
import { type HttpsAccess, readHttps } from '../../agent/source/https.ts';

const origin = 'https://git.example.org:8443';
const configuration = (access: HttpsAccess): ReadonlyMap<string, string> =>
  new Map(
    gitConfiguration({ transport: 'https', https: { origin, access, noAuthorities: '/empty' } }),
  );

describe('the settings', () => {
  it('give a login, or none', () => {
    expect(readHttps({})).toEqual({});
    expect(readHttps({ caFile: '/ca' })).toEqual({ caFile: '/ca' });
    expect(readHttps({ tokenFile: '/t', caFile: '/ca' })).toEqual({
      caFile: '/ca',
      login: {
        username: 'x-access-token',
        secretFile: '/t',
        setting: 'repository.https.tokenFile',
      },
    });
    expect(readHttps({ username: 'ö p', passwordFile: '/p' })).toEqual({
      login: { username: 'ö p', secretFile: '/p', setting: 'repository.https.passwordFile' },
    });
  });
});

describe('what git is told', () => {
  it('checks the certificate, follows nobody elsewhere, and asks no proxy', () => {
    expect(Object.fromEntries(configuration({}))).toMatchObject({
      'http.followRedirects': 'false',
      'http.sslVerify': 'true',
      'http.sslVersion': 'tlsv1.2',
      'http.proxy': '',
      'http.lowSpeedLimit': '1',
      'http.lowSpeedTime': '60',
      'protocol.https.allow': 'always',
    });
    expect(configuration({}).has('http.sslCAInfo')).toBe(false);
    expect(configuration({}).has('http.sslCAPath')).toBe(false);
  });

  it('an authority of its own stands for all others', () => {
    const told = configuration({ caFile: '/ca' });
    expect(told.get('http.sslCAInfo')).toBe('/ca');
    expect(told.get('http.sslCAPath')).toBe('/empty');
  });

  it('the secret is for one server, behind the empty helper that takes all others away', () => {
    const access = readHttps({ tokenFile: "/run/o'clock/token" });
    if ('refused' in access) throw new Error('refused');
    const told = gitConfiguration({
      transport: 'https',
      https: { origin, access, noAuthorities: '/empty' },
    });
    const helpers = told.filter(([key]) => key.startsWith('credential.'));
    expect(helpers.map(([key]) => key)).toEqual([
      'credential.helper',
      `credential.${origin}.helper`,
    ]);
    expect(helpers[0]?.[1]).toBe('');
    expect(helpers[1]?.[1]).toMatch(
      /^!\/bin\/sh \S+\/credential\.sh x-access-token '\/run\/o'\\''clock\/token'$/u,
    );
  });

  it('nothing of it over another transport', () => {
    const access = readHttps({ tokenFile: '/t' });
    if ('refused' in access) throw new Error('refused');
    const environment = gitEnvironment({
      mirror: '/m',
      home: '/h',
      transport: 'ssh',
      https: { origin, access, noAuthorities: '/empty' },
      fileBytesMax: 1,
    });
    expect(JSON.stringify(environment)).not.toMatch(/credential\.https|http\./u);
  });
});

describe('the helper', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-helper-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "it's a $(file)");
  const ask = (username: string, word = 'get'): string => {
    const access = readHttps({ username, passwordFile: file });
    if ('refused' in access) throw new Error(access.refused);
    const command = configuration(access).get(`credential.${origin}.helper`) ?? '';
    // As git runs it.
    const args = ['-c', `${command.slice(1)} ${word}`];
    // With no program in reach: whatever were started with the secret would show it to everybody.
    return execFileSync('/bin/sh', args, {
      encoding: 'utf8',
      env: { PATH: '/nonexistent' },
      stdio: 'pipe',
    });
  };

  it('says the line of the file as it is, with or without a line feed behind it', () => {
    const secret = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => !hasControl(text));
    const name = secret.filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(name, secret, fc.constantFrom('', '\n'), (username, password, end) => {
        writeFileSync(file, password + end);
        expect(ask(username)).toBe(`username=${username}\npassword=${password}\n`);
      }),
      { numRuns: 60 },
    );
  });

  it('says nothing where nothing is asked', () => {
    expect([ask('u', 'store'), ask('u', 'erase')]).toEqual(['', '']);
  });

  it('fails where there is no file', () => {
    rmSync(file, { force: true });
    expect(() => ask('u')).toThrow('No such file');
  });
});
