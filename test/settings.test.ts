import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readSettings, settingFlags } from '../agent/settings.ts';
import type { SettingsInput, SettingsRead } from '../agent/settings.ts';
import { readFollowed } from '../agent/source/grammar.ts';

const good = [
  'environment: production',
  'repository:',
  '  url: ssh://git@git.example.org/infra.git',
  '  ssh: {keyFile: /run/secrets/key, knownHostsFile: /etc/known_hosts}',
  '',
].join('\n');

function read(text: string | undefined, more: Partial<SettingsInput> = {}): SettingsRead {
  return readSettings({
    ...(text === undefined ? {} : { file: { path: 'agent.yaml', text } }),
    environment: {},
    flags: {},
    local: false,
    ...more,
  });
}

function codes({ diagnostics }: SettingsRead): readonly string[] {
  return diagnostics.map(({ code, place }) => `${code} ${place?.path ?? place?.file ?? ''}`);
}

describe('settings', () => {
  it('have defaults', () => {
    const { settings, diagnostics } = read(good);
    expect(diagnostics).toEqual([]);
    expect(settings).toEqual({
      environment: 'production',
      repository: {
        url: 'ssh://git@git.example.org/infra.git',
        branch: 'main',
        path: '.',
        ssh: { keyFile: '/run/secrets/key', knownHostsFile: '/etc/known_hosts' },
        maxBytes: 536_870_912,
        maxFiles: 50_000,
      },
      docker: { socket: '/var/run/docker.sock' },
      stateDir: '/var/lib/understudy',
      atOnce: 16,
      log: { level: 'info' },
    });
  });

  it.each([
    ['db1:3306', []],
    ['[fd00::1]:65535', []],
    ['db1:65536', ['wrong-value mysql.main.hosts[0]']],
    ['db1', ['wrong-value mysql.main.hosts[0]']],
    ['fd00::1:3306', ['wrong-value mysql.main.hosts[0]']],
  ])('name a server by a host and a port that there is: %s', (host, wrong) => {
    const server = `{hosts: ['${host}'], user: understudy, passwordFile: /run/secrets/mysql}`;
    const found = codes(read(`${good}mysql: {main: ${server}}\n`));
    expect(found).toEqual(wrong);
  });

  it.each([
    ['client: client.understudy', []],
    ['client: understudy', ['wrong-value ceph.main.client']],
    ['client: osd.0', ['wrong-value ceph.main.client']],
    ['client: "client.a b"', ['wrong-value ceph.main.client']],
    ['client: "client.a\\n[client.b]"', ['wrong-value ceph.main.client']],
    ['clientPattern: client.blog', []],
    ['clientPattern: client.*', ['wrong-value ceph.main.clientPattern']],
    ['clientPattern: client.a*b*', ['wrong-value ceph.main.clientPattern']],
    ['clientPattern: "*"', ['wrong-value ceph.main.clientPattern']],
  ])('name clients of a cluster of Ceph: %s', (line, wrong) => {
    const cluster = `{confFile: /etc/ceph/ceph.conf, keyringFile: /run/secrets/ceph, ${line}}`;
    const found = codes(read(`${good}ceph: {main: ${cluster}}\n`));
    expect(found.filter((one) => one !== 'unsupported-key ceph')).toEqual(wrong);
  });

  it('take times of the lease, and refuse those with which nobody could act or two would', () => {
    const lease = (pace: string): string => `${good}lease:\n  working: ${pace}\n`;
    expect(read(lease('{ttl: 20s, renew: 4s, takeover: 25s}')).settings?.lease).toEqual({
      working: { ttl: 20_000, renew: 4_000, takeover: 25_000 },
    });
    const short = read(lease('{ttl: 10s, renew: 3s, takeover: 19s}'));
    expect(codes(short)).toEqual(['wrong-value lease.working.ttl']);
    expect(short.diagnostics[0]?.hint).toBe('write `13s` or more');
    const early = read(lease('{ttl: 15s, renew: 3s, takeover: 16s}'));
    expect(codes(early)).toEqual(['wrong-value lease.working.takeover']);
  });

  it('flag before environment before file', () => {
    const text = `${good}atOnce: 1\nstateDir: /file\nlog: {level: warn}\n`;
    const { settings, diagnostics } = read(text, {
      environment: {
        UNDERSTUDY_AT_ONCE: '2',
        UNDERSTUDY_STATE_DIR: '/environment',
        UNDERSTUDY_REPOSITORY_SSH_KEY_FILE: '/other',
        UNDERSTUDY_REPOSITORY_MAX_BYTES: '1Gi',
        PATH: '/bin',
        UNDERSTUDY_LOG_LEVEL: undefined,
      },
      flags: { atOnce: '3', 'log.level': undefined },
    });
    expect(diagnostics).toEqual([]);
    expect(settings).toMatchObject({
      atOnce: 3,
      stateDir: '/environment',
      repository: {
        maxBytes: 2 ** 30,
        ssh: { keyFile: '/other', knownHostsFile: '/etc/known_hosts' },
      },
      log: { level: 'warn' },
    });
  });

  it('need no file', () => {
    const environment = {
      UNDERSTUDY_ENVIRONMENT: 'rehearsal',
      UNDERSTUDY_REPOSITORY_URL: 'git@10.0.0.1:infra.git',
      UNDERSTUDY_REPOSITORY_SSH_KEY_FILE: '/key',
      UNDERSTUDY_REPOSITORY_SSH_KNOWN_HOSTS_FILE: '/hosts',
    };
    expect(read(undefined, { environment }).settings?.environment).toBe('rehearsal');
    expect(read('', { environment }).settings?.environment).toBe('rehearsal');
    expect(read('# nothing yet\n\n', { environment }).settings?.environment).toBe('rehearsal');
  });

  it('have a flag each', () => {
    expect(settingFlags.get('repository-ssh-known-hosts-file')).toBe(
      'repository.ssh.knownHostsFile',
    );
    expect(settingFlags.get('state-dir')).toBe('stateDir');
  });

  it.each([
    ['nothing', '{}', ['missing-key agent.yaml', 'missing-key agent.yaml']],
    ['a list', '[]', ['wrong-type agent.yaml']],
    ['a key nobody knows', `${good}dockr: {}\n`, ['unknown-key dockr']],
    [
      'a registry as an address',
      `${good}registries: {"https://a.example.org": {username: u, passwordFile: /p}}\n`,
      ['wrong-value registries["https://a.example.org"]'],
    ],
    ['a key for later', `${good}listen: 127.0.0.1:7070\n`, ['unsupported-key listen']],
    ['a relative path', `${good}stateDir: state\n`, ['wrong-value stateDir']],
    ['too many at once', `${good}atOnce: 1000\n`, ['wrong-value atOnce']],
    ['a level nobody knows', `${good}log: {level: loud}\n`, ['wrong-value log.level']],
    [
      'two mistakes',
      `${good}log: {level: loud}\natOnce: 0\n`,
      ['wrong-value atOnce', 'wrong-value log.level'],
    ],
    [
      'a branch that is an option',
      good.replace('  url', '  branch: --upload-pack=x\n  url'),
      ['wrong-value repository.branch'],
    ],
    [
      'a folder outside',
      good.replace('  url', '  path: ../x\n  url'),
      ['wrong-value repository.path'],
    ],
    ['no YAML', 'a: [', ['syntax agent.yaml']],
  ])('%s', (_, text, expected) => {
    const result = read(text);
    expect(result.settings).toBeUndefined();
    expect(codes(result).toSorted()).toEqual(expected.toSorted());
  });

  it('a mistake in a variable or flag is shown at its name', () => {
    expect(codes(read(good, { environment: { UNDERSTUDY_AT_ONCE: 'many' } }))).toEqual([
      'wrong-type UNDERSTUDY_AT_ONCE',
    ]);
    expect(codes(read(good, { flags: { 'log.level': 'loud' } }))).toEqual([
      'wrong-value --log-level',
    ]);
  });

  it('without a file the mistakes name what was looked for', () => {
    const { settings, diagnostics } = read(undefined, { file: { path: '/etc/somewhere.yaml' } });
    expect(settings).toBeUndefined();
    expect(diagnostics).toHaveLength(2);
    for (const one of diagnostics) {
      expect(one).toMatchObject({
        code: 'missing-key',
        place: { file: '/etc/somewhere.yaml' },
        hint: 'there is no file /etc/somewhere.yaml: write it, or name another with `--settings`',
      });
    }
    const [empty] = read('', {}).diagnostics;
    expect(empty?.hint ?? '').not.toContain('there is no file');
    const environment = {
      UNDERSTUDY_ENVIRONMENT: 'rehearsal',
      UNDERSTUDY_REPOSITORY_URL: '/srv/infra.git',
    };
    const enough = read(undefined, { file: { path: '/x' }, environment, local: true });
    expect(enough.settings?.repository.url).toBe('/srv/infra.git');
  });

  it('a variable that is no setting is told', () => {
    expect(
      read(good, { environment: { UNDERSTUDY_REPOSITORY_ULR: 'x' } }).diagnostics,
    ).toMatchObject([{ code: 'unknown-key', hint: 'did you mean `UNDERSTUDY_REPOSITORY_URL`?' }]);
  });
});

const withUrl = (url: string, local = false): SettingsRead =>
  read(good, { flags: { 'repository.url': url }, local });

describe('the address of the repository', () => {
  it.each([
    'ssh://git@git.example.org/infra.git',
    'ssh://git.example.org/infra.git',
    'ssh://git@git.example.org:2222/~ops/infra',
    'ssh://git@[fd00::1]:22/infra.git',
    'git@git.example.org:ops/infra.git',
    'git@10.213.77.2:infra.git',
    'git@host:/srv/infra.git',
    'https://git.example.org/infra.git',
    'https://git.example.org:8443/~ops/infra',
  ])('%s is fine', (url) => expect(withUrl(url).settings?.repository.url).toBe(url));

  it.each([
    'http://git.example.org/infra.git',
    'git://git.example.org/infra.git',
    'ext::sh -c id',
    'fd::17',
    '--upload-pack=id',
    '-oProxyCommand=id',
    'ssh://-oProxyCommand=id/x',
    'ssh://git@-oProxyCommand=id/x',
    'ssh://-l@host/x',
    '-x@host:infra',
    'git@-host:infra',
    'git@host:-infra',
    'git@host:../infra',
    'ssh://git@host/../etc',
    'ssh://git@host',
    'ssh://git@host/',
    'ssh://git:secret@host/x',
    'ssh://git@host:0/x',
    'ssh://git@host:70000/x',
    'git@host:',
    'git@host:in fra',
    'git@host:infra\n--x',
    'git@ho\0st:infra',
    'host:infra',
    'infra',
    '../infra',
    'file:///srv/infra.git',
    '/srv/infra.git',
    '',
  ])('%j is refused', (url) => {
    const { settings, diagnostics } = withUrl(url);
    expect(settings).toBeUndefined();
    expect(diagnostics).toHaveLength(1);
  });

  it('is what the source follows, and nothing else, whatever it is', () => {
    const pieces = fc.constantFrom(
      ...'ssh:// https:// git@ host : / - a .. . @ \n [ ::1] 22 % %20 \\ .git .lock ~ main'.split(
        ' ',
      ),
      ' ',
    );
    const odd = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
    const usual = { url: 'git@host:infra', branch: 'main', path: '.' };
    const followed = fc.oneof(
      odd.map((url) => ({ ...usual, url })),
      odd.map((branch) => ({ ...usual, branch })),
      odd.map((path) => ({ ...usual, path })),
    );
    fc.assert(
      fc.property(followed, fc.boolean(), ({ url, branch, path }, local) => {
        const flags = {
          'repository.url': url,
          'repository.branch': branch,
          'repository.path': path,
        };
        const { settings } = read(good, { flags, local });
        const refused = 'refused' in readFollowed({ url, branch, path, local });
        expect(settings === undefined).toBe(refused);
      }),
      { numRuns: 3000 },
    );
  });

  it('is never repeated in a mistake: it may hold a password', () => {
    const text = good.replace('ssh://git@', 'https://git:hunter2@');
    const { diagnostics } = read(text);
    expect(diagnostics).toMatchObject([
      {
        code: 'wrong-value',
        place: { line: 3, quoted: '' },
        hint: expect.stringContaining('tokenFile'),
      },
    ]);
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });

  it('over https may have one login, whole, and an authority of its own', () => {
    const over = (https: string): SettingsRead =>
      read(`environment: e\nrepository:\n  url: https://h/x\n  https: ${https}\n`);
    for (const good of ['{tokenFile: /t}', '{username: u, passwordFile: /p}', '{caFile: /c}']) {
      expect(over(good).diagnostics).toEqual([]);
    }
    expect(over('{tokenFile: /t, caFile: /c}').settings?.repository.https).toEqual({
      tokenFile: '/t',
      caFile: '/c',
    });
    const bad = [
      ['{tokenFile: /t, username: u}', 'username'],
      ['{tokenFile: /t, username: u, passwordFile: /p}', 'passwordFile'],
      ['{username: u}', 'username'],
      ['{passwordFile: /p}', 'passwordFile'],
      ['{username: "u:v", passwordFile: /p}', 'username'],
      ['{username: "u\\nv", passwordFile: /p}', 'username'],
      ['{tokenFile: relative}', 'tokenFile'],
    ] as const;
    for (const [https, key] of bad) {
      expect([https, codes(over(https))]).toEqual([https, [`wrong-value repository.https.${key}`]]);
    }
    // A login for the other way stands by.
    expect(withUrl('https://h/x').diagnostics).toEqual([]);
  });

  it.each(['file:///srv/infra.git', '/srv/infra.git'])('%s is fine with --local', (url) => {
    expect(withUrl(url, true).settings?.repository.url).toBe(url);
  });

  it.each(['/srv/../etc', 'file:///a/../b', 'file://host/x', './x'])('%s is not, even so', (url) =>
    expect(withUrl(url, true).settings).toBeUndefined(),
  );

  it('needs both files for ssh', () => {
    const text = 'environment: production\nrepository: {url: "git@host:infra"}\n';
    expect(codes(read(text))).toEqual(['missing-key repository']);
  });

  it('never begins with a hyphen, has no control character, and no part that is an option', () => {
    const pieces = fc.constantFrom(
      'ssh://',
      'git@',
      'host',
      ':',
      '/',
      '-',
      'a',
      '..',
      '@',
      ' ',
      '\n',
      '[',
      '::1]',
      '22',
      '%',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
        const url = withUrl(parts.join('')).settings?.repository.url;
        if (url === undefined) return;
        expect(url).toMatch(/^(?:(?:ssh|https):\/\/|\w)/);
        expect(url).not.toMatch(/[\s\p{Cc}\\]/u);
        // Written apart from the grammar: who and where, then the path as the server gets it.
        const found = /^(?:ssh:\/\/([^/]*)\/|([^:[]*|[^:[]*\[[^\]]*\]):)(.*)$/u.exec(url);
        const [authority = '-', path = '-'] = [found?.[1] ?? found?.[2], found?.[3]];
        for (const part of [...authority.split('@'), ...path.split('/')]) {
          expect(part).not.toMatch(/^-|^\.\.$/u);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('never makes the reader throw, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const { settings, diagnostics } = read(text);
        expect(settings === undefined).toBe(diagnostics.length > 0);
      }),
    );
  });
});
