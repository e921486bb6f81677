import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  branchProblem,
  hasControl,
  pathProblem,
  readFollowed,
  readUrl,
} from '../../agent/source/grammar.ts';

describe('addresses', () => {
  it.each([
    ['ssh://git@example.com/team/infra.git', 'example.com'],
    ['ssh://example.com:2222/infra', 'example.com'],
    ['ssh://git@[2001:db8::1]:22/infra.git', '[2001:db8::1]'],
    ['ssh://git@example.com/~team/infra', 'example.com'],
    ['ssh://git@example.com/my%20infra', 'example.com'],
    ['git@example.com:team/infra.git', 'example.com'],
    ['git@10.0.0.4:/srv/infra.git', '10.0.0.4'],
    ['git@[2001:db8::1]:team/infra.git', '[2001:db8::1]'],
  ])('%s is read by ssh', (url, host) => {
    expect(readUrl(url, false)).toEqual({ transport: 'ssh', host });
  });

  it.each([
    ['/srv/infra.git', '/srv/infra.git'],
    ['file:///srv/infra.git', '/srv/infra.git'],
    ['/srv/my infra', '/srv/my infra'],
  ])('%s is a folder, with --local only', (url, folder) => {
    expect(readUrl(url, true)).toEqual({ transport: 'file', folder });
    expect(readUrl(url, false)).toEqual({
      refused: 'is a folder of this machine, which is followed with `--local` only',
    });
  });

  it.each([
    [''],
    ['infra'],
    ['../infra'],
    ['-oProxyCommand=touch /tmp/x'],
    ['--upload-pack=touch /tmp/x'],
    ['ext::sh -c touch% /tmp/x'],
    ['fd::17/foo'],
    ['ssh://-oProxyCommand=x/infra'],
    ['ssh://%2doProxyCommand=x/infra'],
    ['ssh://git@-host/infra'],
    ['ssh://-git@host/infra'],
    ['ssh://git:secret@host/infra'],
    ['ssh://host'],
    ['ssh://host:0/x'],
    ['ssh://host:65536/x'],
    ['ssh://host:22x/x'],
    ['ssh://host/a%0ab'],
    ['ssh://host/a%zz'],
    ['git+ssh://host/x'],
    ['git://host/x'],
    ['ftp://host/x'],
    ['http://host/x'],
    ['HTTPS://host/x'],
    ['https:host/x'],
    ['https:///x'],
    ['https://host'],
    ['https://host/'],
    ['https://-host/x'],
    ['https://a@host/x'],
    ['https://a:b@host/x'],
    ['https://@host/x'],
    ['https:/\\a:b@host/x'],
    ['https://host:0/x'],
    ['https://host:65536/x'],
    ['https://host:/x'],
    ['https://*.example.org/x'],
    ['https://host/x?service=git-receive-pack'],
    ['https://host/x#main'],
    ['https://host/../x'],
    ['https://host/%2e%2e/x'],
    ['https://host/a%0ab'],
    ['https://host/a b'],
    ['https://host/a\\b'],
    ['https://hö/x'],
    ['git@host'],
    ['git@host:'],
    ['git@host:-x'],
    ['git@host::x'],
    ['-git@host:x'],
    ['git@-host:x'],
    ['host:path'],
    ['git@host:x\n--upload-pack=y'],
    ['ssh://host/x\u0000'],
    ['ssh://host/\u2028'],
    ['file://host/x'],
    ['ssh://host/'],
    ['ssh://host//'],
    ['ssh://host/../etc'],
    ['ssh://host/%2e%2e/etc'],
    ['ssh://host/a/-x'],
    ['ssh://host/a/%2dx'],
    ['ssh://host/a b'],
    ['ssh://host/a\\b'],
    ['git@host:../x'],
    ['git@host:a/-x'],
    ['git@host:a b'],
    ['git@[host]:x'],
    ['/srv/../etc'],
    ['file:///srv/..'],
    ['file:relative'],
    ['/srv/a%20b'],
    [`git@host:${'x'.repeat(1024)}`],
  ])('%j is refused', (url) => {
    expect(readUrl(url, true)).toHaveProperty('refused');
  });

  it.each([
    ['https://example.com/team/infra.git', 'https://example.com'],
    ['https://Example.com:8443/infra', 'https://Example.com:8443'],
    ['https://[2001:db8::1]/infra.git', 'https://[2001:db8::1]'],
    ['https://example.com/~team/my%20infra', 'https://example.com'],
    ['https://example.com/a@b/c:d', 'https://example.com'],
  ])('%s is read over https, and secrets are for %s alone', (url, origin) => {
    expect(readUrl(url, false)).toEqual({ transport: 'https', origin });
  });

  it('says what to write instead of http and of a login, and never repeats a password', () => {
    expect(readUrl('http://a:hunter2@host/x', false)).toEqual({
      refused: 'uses http, where anybody on the way may read and change everything',
      hint: 'write `https://`, or use ssh',
    });
    expect(readUrl('https://a:hunter2@host/x', false)).toEqual({
      refused: 'holds a user name or a password',
      hint: 'write it without, and name a file in `repository.https`: `tokenFile`, or `username` and `passwordFile`',
    });
    for (const url of ['https://a:hunter2/?@host/x', 'HTTPS://hunter2@host']) {
      expect(JSON.stringify(readUrl(url, false))).not.toContain('hunter2');
    }
    expect(JSON.stringify(readUrl('ssh://a:hunter2@host/x', false))).not.toContain('hunter2');
  });
});

it.each([
  ['main', true],
  ['feature/a-b', true],
  ['größe', true],
  ['release-1.2', true],
  ['', false],
  ['-main', false],
  ['--upload-pack=x', false],
  ['a..b', false],
  ['a/../b', false],
  ['.a', false],
  ['a/.b', false],
  ['a.lock', false],
  ['a.lock/b', false],
  ['a/', false],
  ['/a', false],
  ['a//b', false],
  ['a b', false],
  ['a:b', false],
  ['a^', false],
  ['a~1', false],
  ['a?', false],
  ['a*', false],
  ['a[b', false],
  ['a\\b', false],
  ['a@{1}', false],
  ['@', false],
  ['a.', false],
  ['a\tb', false],
  ['a\u007f', false],
  ['x'.repeat(201), false],
])('branch %j: %s', (branch, good) => {
  expect(branchProblem(branch) === undefined).toBe(good);
});

it.each([
  ['.', true],
  ['clusters/eu', true],
  ['with space', true],
  ['', false],
  ['..', false],
  ['a/../b', false],
  ['./a', false],
  ['a/', false],
  ['/a', false],
  ['a//b', false],
  ['-a', false],
  ['a/.git/b', false],
  ['a/.GIT', false],
  ['a\nb', false],
  ['x'.repeat(1025), false],
])('path %j: %s', (path, good) => {
  expect(pathProblem(path) === undefined).toBe(good);
});

const PARTS =
  '- -- :: : / .. @ ssh:// git@ ext host a %2d %00 \n \u0000 = file:// ~ [ ] .lock https:// 22'
    .split(' ')
    .concat(' ');

describe('properties', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 8 }).map((parts) => parts.join('')),
  );

  it('what passes can be neither an option nor a helper nor break a line', () => {
    fc.assert(
      fc.property(hostile, fc.boolean(), (url, local) => {
        const read = readUrl(url, local);
        if ('refused' in read) return;
        expect(url.startsWith('-')).toBe(false);
        expect(hasControl(url)).toBe(false);
        expect(/^[A-Za-z0-9+.-]*::/u.test(url)).toBe(false);
        const forms = {
          file: /^(?:file:\/\/)?\//u,
          ssh: /^(?:ssh:\/\/|[^@/:-][^@/:]*@)/u,
          https: /^https:\/\/[^@/?#]+\/[^?#]+$/u,
        };
        expect(url).toMatch(forms[read.transport]);
        expect(read.transport !== 'file' || local).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it('any part that is refused refuses the whole, with one sentence', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (url, branch, path) => {
        const read = readFollowed({ url, branch, path, local: false });
        const good =
          !('refused' in readUrl(url, false)) &&
          branchProblem(branch) === undefined &&
          pathProblem(path) === undefined;
        expect('refused' in read).toBe(!good);
        expect(hasControl('refused' in read ? read.refused : '')).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });
});
