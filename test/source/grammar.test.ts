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
    ['https://host/x'],
    ['HTTPS://host/x'],
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

  it('says that http comes later, and never repeats a password', () => {
    expect(readUrl('https://a:hunter2@host/x', false)).toEqual({
      refused: 'uses http, which this version cannot follow yet: use ssh',
      later: true,
    });
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
        const form =
          read.transport === 'file' ? /^(?:file:\/\/)?\//u : /^(?:ssh:\/\/|[^@/:-][^@/:]*@)/u;
        expect(url).toMatch(form);
        expect(read.transport === 'ssh' || local).toBe(true);
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
