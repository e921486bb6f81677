import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { SourceError } from '../../agent/reconcile/ports.ts';
import { gitConfiguration, gitEnvironment } from '../../agent/source/environment.ts';
import { mirrorFolder } from '../../agent/source/folders.ts';
import type { GitSettings } from '../../agent/source/git-settings.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { branchProblem } from '../../agent/source/grammar.ts';
import { runGit } from '../../agent/source/command.ts';
import {
  localSettings,
  processesOf,
  realClock,
  Repository,
  temporaryFolder,
  zombies,
} from './git-support.ts';

const signal = (ms = 40_000): AbortSignal => AbortSignal.timeout(ms);
const ports = { clock: realClock };

async function readAll(snapshot: Snapshot): Promise<Record<string, string>> {
  const contents = await snapshot.read(
    snapshot.entries.map(({ blob }) => blob),
    signal(),
  );
  return Object.fromEntries(
    snapshot.entries.map(({ path, blob }) => [
      path,
      Buffer.from(contents.get(blob) ?? []).toString(),
    ]),
  );
}

/** Opens, looks once, closes. */
async function lookOnce(settings: GitSettings): Promise<Snapshot> {
  const source = await openGitSource(settings, ports);
  try {
    return await source.newest(signal());
  } finally {
    await source.close();
  }
}

async function failureOf(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof SourceError))
    throw new Error(`expected a SourceError, got ${String(error)}`);
  return error;
}

describe('a revision', () => {
  it('comes with its files, their bytes and the first line of its message', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('stacks/web/compose.yaml', 'services: {}\n');
    repository.write('stacks/größe/empty', '');
    repository.write('stacks/binary', Buffer.from([0, 10, 255, 0]));
    const revision = repository.commit('Add web\n\nBecause of \u001b[31mit.');
    const source = await openGitSource(localSettings(temporary.path, repository.folder), ports);
    const snapshot = await source.newest(signal());
    expect(snapshot).toMatchObject({ revision, subject: 'Add web', diagnostics: [] });
    expect(snapshot).not.toHaveProperty('fastForward');
    expect(snapshot.entries.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['stacks/binary', 4],
      ['stacks/größe/empty', 0],
      ['stacks/web/compose.yaml', 13],
    ]);
    const [binary] = snapshot.entries;
    const contents = await snapshot.read([binary?.blob ?? '', binary?.blob ?? ''], signal());
    expect([...contents.values()]).toEqual([new Uint8Array([0, 10, 255, 0])]);
    expect(await snapshot.read([], signal())).toEqual(new Map());
    await source.close();
  });

  it('is the same object while nothing moved, follows pushes, and says whether history was rewritten', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    const first = repository.commit('one');
    const source = await openGitSource(localSettings(temporary.path, repository.folder), ports);
    const one = await source.newest(signal());
    expect(await source.newest(signal())).toBe(one);
    repository.write('a', '2');
    repository.commit('two');
    const two = await source.newest(signal());
    expect(two).toMatchObject({ subject: 'two', fastForward: true });
    expect(await source.newest(signal())).toBe(two);
    repository.git(['commit', '-q', '--amend', '-m', 'two, rewritten']);
    const rewritten = await source.newest(signal());
    expect(rewritten).toMatchObject({ subject: 'two, rewritten', fastForward: false });
    repository.git(['reset', '-q', '--hard', first]);
    expect(await source.newest(signal())).toMatchObject({ revision: first, fastForward: false });
    // An older snapshot can still be read.
    expect(await readAll(two)).toEqual({ a: '2' });
    repository.git(['checkout', '-q', '--orphan', 'other']);
    repository.write('a', '3');
    repository.commit('unrelated');
    repository.git(['branch', '-f', 'main', 'other']);
    expect(await source.newest(signal())).toMatchObject({
      subject: 'unrelated',
      fastForward: false,
    });
    await source.close();
    await expect(source.newest(signal())).rejects.toThrow('closed');
  });

  it('says of any two revisions whether one descends from the other, while it looks too', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    const one = repository.commit('one');
    repository.write('a', '2');
    const two = repository.commit('two');
    const source = await openGitSource(localSettings(temporary.path, repository.folder), ports);
    // Nothing is fetched yet, so nobody knows.
    expect(await source.descends(one, two, signal())).toBe(false);
    await source.newest(signal());
    repository.git(['checkout', '-q', '--orphan', 'other']);
    const unrelated = repository.commit('unrelated');
    repository.git(['branch', '-f', 'main', 'other']);
    const looking = source.newest(signal());
    const answers = [
      [one, two, true],
      [two, two, true],
      [two, one, false],
      ['f'.repeat(40), two, false],
      ['', two, false],
      [two, '--help', false],
    ] as const;
    for (const [earlier, later, expected] of answers) {
      expect([earlier, later, await source.descends(earlier, later, signal())]).toEqual([
        earlier,
        later,
        expected,
      ]);
    }
    await looking;
    expect(await source.descends(two, unrelated, signal())).toBe(false);
    expect(await source.descends(one, two, signal())).toBe(true);
    await source.close();
  });

  it('is found again by the next process without a fetch, and what moved in between is known', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit('one');
    const settings = localSettings(temporary.path, repository.folder);
    await lookOnce(settings);
    const packs = (): string[] =>
      readdirSync(join(mirrorFolder(settings.stateDir, settings.url), 'objects/pack'));
    const before = packs();
    expect(before.length).toBeGreaterThan(0);
    expect(
      await readAll(
        await lookOnce(settings).then(async () =>
          (await openGitSource(settings, ports)).newest(signal()),
        ),
      ),
    ).toEqual({ a: '1' });
    expect(packs()).toEqual(before);
    repository.write('a', '2');
    repository.commit('two');
    expect(await lookOnce(settings)).toMatchObject({ subject: 'two', fastForward: true });
  });

  it('has the followed folder only', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('clusters/eu west/stacks/a/compose.yaml', 'a');
    repository.write('clusters/us/x', 'b');
    repository.link('link', 'clusters/us');
    const commit = repository.commit();
    const at = (path: string): GitSettings =>
      localSettings(temporary.path, repository.folder, { path });
    const snapshot = await lookOnce(at('clusters/eu west'));
    expect(snapshot.entries.map(({ path }) => path)).toEqual(['stacks/a/compose.yaml']);
    expect(snapshot.diagnostics).toEqual([]);
    for (const path of ['nowhere', 'clusters/us/x', 'link', 'link/x']) {
      const error = await failureOf(lookOnce(at(path)));
      expect(error.message).toBe(
        `\`repository.path\` ${path} is not a folder in revision ${commit}`,
      );
      expect(error.retry).toBe('never');
    }
  });

  it('names symbolic links and submodules, and shows nothing of what they point at', async () => {
    using temporary = temporaryFolder();
    const canary = join(temporary.path, 'canary');
    writeFileSync(canary, 'the secret of the host');
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('stacks/web/compose.yaml', 'services: {}\n');
    repository.commit();
    rmSync(join(repository.folder, 'stacks/web/compose.yaml'));
    repository.link('stacks/web/compose.yaml', canary);
    repository.link('folder', '/etc');
    repository.git(['add', '-A']);
    const tip = repository.tip();
    repository.git(['update-index', '--add', '--cacheinfo', `160000,${tip},vendor`]);
    repository.git(['commit', '-q', '-m', 'swap']);
    const snapshot = await lookOnce(localSettings(temporary.path, repository.folder));
    expect(snapshot.entries).toEqual([]);
    expect(snapshot.diagnostics.map(({ code, place }) => [code, place?.file])).toEqual([
      ['symlink', 'folder'],
      ['symlink', 'stacks/web/compose.yaml'],
      ['submodule', 'vendor'],
    ]);
    expect(JSON.stringify(snapshot)).not.toContain('secret of the host');
  });

  it('is read by blobs of its own only', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('in/a', 'inside');
    repository.write('out', 'outside');
    repository.commit();
    const outside = repository.git(['rev-parse', 'HEAD:out']);
    const source = await openGitSource(
      localSettings(temporary.path, repository.folder, { path: 'in' }),
      ports,
    );
    const snapshot = await source.newest(signal());
    for (const blob of [outside, 'HEAD', '--help', 'x\ny']) {
      await expect(snapshot.read([blob], signal())).rejects.toThrow(
        'is not a file of this revision',
      );
    }
    await source.close();
  });

  it('of 2,000 commits and 650 stacks is read whole, and looked at again and again', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.git(['fast-import', '--quiet'], longHistory(2000, 650));
    const source = await openGitSource(localSettings(temporary.path, repository.folder), ports);
    const snapshot = await source.newest(signal());
    expect(Object.keys(await readAll(snapshot))).toHaveLength(650);
    for (let look = 0; look < 10; look += 1) {
      expect(await source.newest(signal())).toBe(snapshot);
    }
    await source.close();
  });
});

function longHistory(commits: number, stacks: number): string {
  const parts: string[] = [];
  for (let commit = 0; commit < commits; commit += 1) {
    const message = `commit ${commit}`;
    parts.push(
      `commit refs/heads/main\ncommitter A <a@b> ${1_700_000_000 + commit} +0000\ndata ${message.length}\n${message}\n`,
    );
    const changed =
      commit === 0
        ? Array.from({ length: stacks }, (_, index) => index)
        : [commit % stacks, (commit * 7) % stacks];
    for (const stack of new Set(changed)) {
      const text = `services:\n  ghost:\n    image: ghost:5.${commit}\n    environment:\n      SITE: s${stack}\n`;
      parts.push(`M 100644 inline stacks/s${stack}/compose.yaml\ndata ${text.length}\n${text}\n`);
    }
  }
  return parts.join('');
}

describe('what cannot be followed is an error, never an empty revision', () => {
  it('no commits, no such branch, no repository', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    const settings = localSettings(temporary.path, repository.folder);
    expect(await failureOf(lookOnce(settings))).toMatchObject({
      message: `${repository.folder} has no commits yet`,
      retry: 'never',
    });
    repository.commit();
    repository.git(['branch', 'x/refs/heads/gone']);
    expect(await failureOf(lookOnce({ ...settings, branch: 'gone' }))).toMatchObject({
      message: `${repository.folder} has no branch \`gone\`; it has \`main\`, \`x/refs/heads/gone\``,
    });
    const nowhere = join(temporary.path, 'nowhere');
    expect((await failureOf(lookOnce({ ...settings, url: nowhere }))).message).toContain(
      'there is no repository at',
    );
  });

  it('a branch that is deleted keeps the last revision readable and comes back when it does', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const source = await openGitSource(localSettings(temporary.path, repository.folder), ports);
    const snapshot = await source.newest(signal());
    repository.git(['branch', '-m', 'main', 'elsewhere']);
    expect((await failureOf(source.newest(signal()))).message).toContain('has no branch `main`');
    expect(await readAll(snapshot)).toEqual({ a: '1' });
    repository.git(['branch', 'main', 'elsewhere']);
    expect(await source.newest(signal())).toBe(snapshot);
    await source.close();
  });

  it('refused settings start no process and touch no disk', async () => {
    using temporary = temporaryFolder();
    const stateDir = join(temporary.path, 'state');
    const canary = join(temporary.path, 'canary');
    const good = localSettings(temporary.path, '/srv/infra', {
      local: false,
      ssh: { keyFile: '/none', knownHostsFile: '/none' },
    });
    const bad = fc.oneof(
      fc.record({
        url: fc.constantFrom(
          `ext::sh -c touch% ${canary}`,
          `--upload-pack=touch ${canary}`,
          `ssh://-oProxyCommand=touch ${canary}/x`,
          `git@h:-x`,
          'http://h/x',
          'https://a:b@h/x',
          '/srv/infra',
          `fd::1`,
          '',
        ),
      }),
      fc.record({
        branch: fc.constantFrom(
          `--upload-pack=touch ${canary}`,
          'a..b',
          '',
          '-',
          'a b',
          'x\n',
          'a:b',
        ),
      }),
      fc.record({ path: fc.constantFrom('..', '/etc', '-x', 'a/../../b', 'a\n', '', '.git') }),
      fc.record({
        url: fc.string({ unit: 'binary' }).filter((url) => !/^(?:ssh:|https:|[^@]+@)/u.test(url)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(bad, async (part) => {
        const error = await failureOf(
          openGitSource({ ...good, url: 'git@host:x', ...part }, ports),
        );
        expect(error.retry).toBe('never');
        expect(processesOf(stateDir)).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(existsSync(stateDir)).toBe(false);
    expect(existsSync(canary)).toBe(false);
  });

  it('every branch that passes our grammar passes that of git', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    const unit = fc.constantFrom(
      ...'ab.-_/@{}~^:?*[\\ ä'.split(''),
      '..',
      '.lock',
      '//',
      '@{',
      '-',
    );
    const names = fc.sample(
      fc.array(unit, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
      400,
    );
    const passed = names.filter((name) => branchProblem(name) === undefined);
    expect(passed.length).toBeGreaterThan(20);
    for (const name of passed.slice(0, 60)) {
      expect(repository.git(['check-ref-format', '--branch', name])).toBe(name);
    }
  });

  it.each([
    [
      'repository.ssh.keyFile',
      0o444,
      0o444,
      'which others may read (mode 0444); ssh refuses such a key: mount the secret with `mode: 0400`',
    ],
    ['repository.ssh.keyFile', 0o440, 0o444, 'which others may read (mode 0440)'],
    ['repository.ssh.knownHostsFile', 0o400, 0o666, 'which others may write (mode 0666)'],
  ])('%s with modes %o, %o', async (setting, keyMode, hostsMode, words) => {
    using temporary = temporaryFolder();
    const ssh = {
      keyFile: join(temporary.path, 'key'),
      knownHostsFile: join(temporary.path, 'hosts'),
    };
    writeFileSync(ssh.keyFile, 'key');
    writeFileSync(ssh.knownHostsFile, 'hosts');
    chmodSync(ssh.keyFile, keyMode);
    chmodSync(ssh.knownHostsFile, hostsMode);
    const error = await failureOf(
      openGitSource(localSettings(temporary.path, 'git@host:x', { ssh }), ports),
    );
    expect(error.message).toContain(`\`${setting}\` names`);
    expect(error.message).toContain(words);
  });

  it('ssh without its files', async () => {
    using temporary = temporaryFolder();
    const settings = localSettings(temporary.path, 'git@host:x');
    expect((await failureOf(openGitSource(settings, ports))).message).toBe(
      '`repository.ssh` is missing',
    );
    const ssh = { keyFile: '/nonexistent/key', knownHostsFile: '/nonexistent/hosts' };
    expect((await failureOf(openGitSource({ ...settings, ssh }, ports))).message).toContain(
      'which is not there',
    );
  });
});

describe('limits', () => {
  it('too many files, too many bytes: an error among the diagnostics and no entries', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    for (let index = 0; index < 20; index += 1) repository.write(`f${index}`, 'x'.repeat(1000));
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    expect((await lookOnce({ ...settings, maxFiles: 20 })).diagnostics).toEqual([]);
    for (const less of [{ maxFiles: 19 }, { maxBytes: 19_999 }]) {
      const { entries, diagnostics } = await lookOnce({ ...settings, ...less });
      expect([entries, diagnostics[0]?.code, diagnostics[0]?.severity]).toEqual([
        [],
        'too-large',
        'error',
      ]);
    }
  });

  it('a tree of 10^10 files in a few objects is given up at the limit', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    const blob = repository.git(['hash-object', '-w', '--stdin'], 'x');
    let tree = repository.git(
      ['mktree'],
      Array.from({ length: 10 }, (_, index) => `100644 blob ${blob}\tf${index}\n`).join(''),
    );
    for (let level = 0; level < 9; level += 1) {
      tree = repository.git(
        ['mktree'],
        Array.from({ length: 10 }, (_, index) => `040000 tree ${tree}\td${index}\n`).join(''),
      );
    }
    const commit = repository.git(['commit-tree', tree, '-m', 'bomb']);
    repository.git(['update-ref', 'refs/heads/main', commit]);
    const { entries, diagnostics } = await lookOnce(
      localSettings(temporary.path, repository.folder),
    );
    expect([entries, diagnostics.map(({ message }) => message)]).toEqual([
      [],
      ['more than 10000 files'],
    ]);
  });

  it('a pack beyond the limit ends the fetch, and the mirror works when the repository shrank', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', 'small');
    const small = repository.commit();
    repository.write('big', randomBytes(3 * 1024 * 1024));
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder, { maxBytes: 1024 * 1024 });
    const error = await failureOf(lookOnce(settings));
    expect(error.message).toContain('is larger than `repository.maxBytes` (1048576 bytes)');
    expect(error.retry).toBe('never');
    repository.git(['reset', '-q', '--hard', small]);
    expect(await lookOnce(settings)).toMatchObject({ revision: small });
    const mirror = join(mirrorFolder(settings.stateDir, settings.url), 'objects/pack');
    expect(readdirSync(mirror).filter((name) => name.startsWith('tmp'))).toEqual([]);
  });

  it('an object that the check of git refuses does not enter', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    const blob = repository.git(['hash-object', '-w', '--stdin'], 'x');
    const raw = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    const tree = repository.git(['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], raw);
    repository.git([
      'update-ref',
      'refs/heads/main',
      repository.git(['commit-tree', tree, '-m', 'evil']),
    ]);
    const error = await failureOf(lookOnce(localSettings(temporary.path, repository.folder)));
    expect(error.message).toContain('own check refuses');
    expect(error.retry).toBe('never');
  });

  it('many pushes do not leave many packs', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    const settings = localSettings(temporary.path, repository.folder);
    repository.write('a', '0');
    repository.commit();
    const source = await openGitSource(settings, ports);
    const first = await source.newest(signal());
    for (let push = 1; push <= 55; push += 1) {
      repository.write('a', String(push));
      repository.git(['commit', '-q', '--amend', '-a', '-m', `push ${push}`]);
      await source.newest(signal());
    }
    const packs = readdirSync(join(mirrorFolder(settings.stateDir, settings.url), 'objects/pack'));
    expect(packs.filter((name) => name.endsWith('.pack')).length).toBeLessThan(10);
    // Rewritten history is kept: nothing vanishes below a reader.
    expect(await readAll(first)).toEqual({ a: '0' });
    await source.close();
  });
});

function eachPack(mirror: string, change: (pack: string) => void): void {
  const folder = join(mirror, 'objects/pack');
  for (const name of readdirSync(folder)) {
    chmodSync(join(folder, name), 0o600);
    if (name.endsWith('.pack')) change(join(folder, name));
  }
}

describe('the mirror', () => {
  const damages: readonly (readonly [string, (mirror: string) => void])[] = [
    ['is gone', (mirror) => rmSync(mirror, { recursive: true })],
    ['has no HEAD', (mirror) => rmSync(join(mirror, 'HEAD'))],
    ['has an empty ref', (mirror) => writeFileSync(join(mirror, 'refs/heads/main'), '')],
    [
      'has a ref to nothing',
      (mirror) => writeFileSync(join(mirror, 'refs/heads/main'), `${'1'.repeat(40)}\n`),
    ],
    ['lost its packs', (mirror) => rmSync(join(mirror, 'objects/pack'), { recursive: true })],
    ['has cut packs', (mirror) => eachPack(mirror, (pack) => truncateSync(pack, 40))],
    [
      'has overwritten packs',
      (mirror) => eachPack(mirror, (pack) => writeFileSync(pack, 'x'.repeat(500))),
    ],
    [
      'has cut indexes',
      (mirror) => eachPack(mirror, (pack) => truncateSync(pack.replace(/pack$/u, 'idx'), 100)),
    ],
    ['is a file', (mirror) => (rmSync(mirror, { recursive: true }), writeFileSync(mirror, ''))],
    [
      'has a directory for a ref',
      (mirror) => (
        rmSync(join(mirror, 'refs/heads/main')),
        mkdirSync(join(mirror, 'refs/heads/main/x'), { recursive: true }),
        writeFileSync(join(mirror, 'refs/heads/main/x/y'), `${'1'.repeat(40)}\n`)
      ),
    ],
  ];

  it.each(damages)('that %s is made anew, between processes', async (_what, damage) => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    await lookOnce(settings);
    damage(mirrorFolder(settings.stateDir, settings.url));
    const source = await openGitSource(settings, ports);
    expect(await readAll(await source.newest(signal()))).toEqual({ a: '1' });
    await source.close();
  });

  it.each(damages)('that %s is made anew, while it is used', async (_what, damage) => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    const source = await openGitSource(settings, ports);
    const one = await source.newest(signal());
    damage(mirrorFolder(settings.stateDir, settings.url));
    const read = await readAll(one).then(
      () => 'read',
      (error: unknown) => error,
    );
    expect(read === 'read' || read instanceof SourceError).toBe(true);
    expect(await source.newest(signal())).toBe(one);
    expect(await readAll(one)).toEqual({ a: '1' });
    repository.write('a', '2');
    repository.commit();
    expect(await readAll(await source.newest(signal()))).toEqual({ a: '2' });
    await source.close();
  });

  it('that is damaged while the server is away is made whole when it is back', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    const source = await openGitSource(settings, ports);
    const one = await source.newest(signal());
    const objects = join(mirrorFolder(settings.stateDir, settings.url), 'objects/pack');
    rmSync(objects, { recursive: true });
    repository.git(['branch', '-m', 'main', 'away']);
    expect(await failureOf(readAll(one))).toMatchObject({ retry: 'soon' });
    for (let look = 0; look < 2; look += 1) await failureOf(source.newest(signal()));
    repository.git(['branch', '-m', 'away', 'main']);
    expect(await source.newest(signal())).toBe(one);
    expect(await readAll(one)).toEqual({ a: '1' });
    await source.close();
  });

  it.skipIf(process.getuid?.() !== 0)(
    'on a full disk says so, and goes on when there is space',
    async () => {
      using temporary = temporaryFolder();
      const repository = new Repository(join(temporary.path, 'repo'));
      repository.write('a', '1');
      repository.commit();
      const settings = localSettings(temporary.path, repository.folder);
      mkdirSync(settings.stateDir);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', settings.stateDir]);
      const source = await openGitSource(settings, ports);
      try {
        const one = await source.newest(signal());
        repository.write('big', randomBytes(3 * 1024 * 1024));
        const revision = repository.commit();
        expect(await failureOf(source.newest(signal()))).toMatchObject({
          message: 'there is no space left in `stateDir`',
          retry: 'soon',
        });
        expect(await readAll(one)).toEqual({ a: '1' });
        execFileSync('mount', ['-o', 'remount,size=20m', settings.stateDir]);
        expect(await source.newest(signal())).toMatchObject({ revision });
      } finally {
        await source.close();
        execFileSync('umount', [settings.stateDir]);
      }
    },
  );

  it('is for the agent alone, and hostile files in it count for nothing', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    await lookOnce(settings);
    const mirror = mirrorFolder(settings.stateDir, settings.url);
    const canary = join(temporary.path, 'canary');
    const script = join(temporary.path, 'script');
    writeFileSync(script, `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    const hostile = `[core]\n\tsshCommand = ${script}\n\tfsmonitor = ${script}\n\thooksPath = ${mirror}/hooks\n\talternateRefsCommand = ${script}\n[url "ext::${script}"]\n\tinsteadOf = /\n[uploadpack]\n\tpackObjectsHook = ${script}\n`;
    writeFileSync(join(mirror, 'config'), hostile);
    mkdirSync(join(mirror, 'hooks'), { recursive: true });
    writeFileSync(join(mirror, 'hooks/reference-transaction'), `#!/bin/sh\ntouch ${canary}\n`, {
      mode: 0o755,
    });
    mkdirSync(join(mirror, 'objects/info'), { recursive: true });
    writeFileSync(join(mirror, 'objects/info/alternates'), `${repository.folder}/.git/objects\n`);
    repository.write('.gitattributes', '* filter=pwn\n');
    repository.write('a', '2');
    repository.commit();
    expect(await lookOnce(settings)).toMatchObject({ fastForward: true });
    expect(existsSync(canary)).toBe(false);
    expect(existsSync(join(mirror, 'objects/info/alternates'))).toBe(false);
    expect(readFileSync(join(mirror, 'config'), 'utf8')).toBe(
      '[core]\n\trepositoryformatversion = 0\n\tbare = true\n',
    );
    expect(lstatSync(join(settings.stateDir, 'mirrors')).mode & 0o777).toBe(0o700);
  });
});

describe('processes', () => {
  it('git sees our environment and configuration, and nothing of ours that we did not mean', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.git(['config', 'user.name', 'from the repository']);
    vi.stubEnv('GIT_SSH_COMMAND', 'false');
    vi.stubEnv('GIT_CONFIG_PARAMETERS', "'core.pager=false'");
    vi.stubEnv('UNDERSTUDY_SECRET', 'hunter2');
    const mirror = join(repository.folder, '.git');
    const environment = gitEnvironment({
      mirror,
      home: temporary.path,
      transport: 'file',
      fileBytesMax: 1e6,
    });
    const listed = await runGit(
      { environment, clock: realClock },
      { args: ['config', '--list', '--show-origin', '-z'], timeoutMs: 10_000 },
      signal(),
    );
    vi.unstubAllEnvs();
    const origins = listed.split('\0').slice(0, -1);
    const fromCommand = origins.flatMap((origin, index) =>
      origin === 'command line:' ? [origins[index + 1]?.replace('\n', '=')] : [],
    );
    expect(fromCommand).toEqual(
      gitConfiguration({ transport: 'file' }).map(
        ([key, value]) => `${key.toLowerCase()}=${value}`,
      ),
    );
    expect(new Set(origins.filter((_, index) => index % 2 === 0))).toEqual(
      new Set(['command line:', `file:${mirror}/config`]),
    );
  });

  it('a push that never ends is ended at the deadline, all of it, and nothing stays behind', async () => {
    using temporary = temporaryFolder();
    const { repository, settings } = hangingRepository(temporary.path);
    const source = await openGitSource({ ...settings, fetchTimeoutMs: 700 }, ports);
    const error = await failureOf(source.newest(signal()));
    expect(error.message).toBe(`${repository.folder} was not read within 1 s`);
    expect(processesOf(settings.stateDir)).toEqual([]);
    expect(zombies()).toEqual([]);
    await source.close();
  });

  it('are gone when the caller gives up and when the source is closed', async () => {
    using temporary = temporaryFolder();
    const { settings } = hangingRepository(temporary.path);
    const source = await openGitSource(settings, ports);
    const stop = new AbortController();
    const looking = source.newest(stop.signal);
    await vi.waitFor(() => expect(hangingReaders(settings.stateDir)).toBe(1), { timeout: 30_000 });
    stop.abort(new Error('lease lost'));
    await expect(looking).rejects.toThrow('lease lost');
    expect(processesOf(settings.stateDir)).toEqual([]);
    const again = source.newest(signal()).catch((error: unknown) => error);
    await vi.waitFor(() => expect(hangingReaders(settings.stateDir)).toBe(1), { timeout: 30_000 });
    await source.close();
    expect(await again).toMatchObject({ message: 'the source is closed' });
    expect(processesOf(settings.stateDir)).toEqual([]);
    expect(zombies()).toEqual([]);
  });

  it('end when the agent is killed, and the mirror they leave is usable, whenever that was', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.git(['fast-import', '--quiet'], longHistory(300, 100));
    repository.git(['reset', '-q', '--hard']);
    let interrupted = 0;
    for (let round = 0; round < 8; round += 1) {
      const settings = localSettings(temporary.path, repository.folder);
      if (round % 4 === 0) rmSync(settings.stateDir, { recursive: true, force: true });
      repository.write('big', randomBytes(2 * 1024 * 1024));
      const revision = repository.commit(`round ${round}`);
      const finished = await killedWhile(settings, async () => {
        // Somewhere in the life of the processes; the child says nothing, so the moment is really open.
        await realClock.sleep(round * 18, signal());
      });
      interrupted += finished ? 0 : 1;
      await vi.waitFor(() => expect(processesOf(settings.stateDir)).toEqual([]), {
        timeout: 30_000,
      });
      const snapshot = await lookOnce(settings);
      expect(snapshot).toMatchObject({ revision, subject: `round ${round}` });
    }
    expect(interrupted).toBeGreaterThan(3);
  });

  it('killed themselves, the next look works', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder);
    const source = await openGitSource(settings, ports);
    let killed = 0;
    for (let round = 0; round < 10; round += 1) {
      repository.write('big', randomBytes(1024 * 1024));
      const revision = repository.commit();
      const looking = source.newest(signal()).then(
        () => undefined,
        (error: unknown) => error,
      );
      await realClock.sleep(round * 8, signal());
      for (const { pid, command } of processesOf(settings.stateDir)) {
        if (!command[0]?.endsWith('git')) continue;
        try {
          process.kill(pid, 'SIGKILL');
          killed += 1;
        } catch {
          // Ended by itself.
        }
      }
      const error = await looking;
      expect(error === undefined || error instanceof SourceError).toBe(true);
      expect(await source.newest(signal())).toMatchObject({ revision });
    }
    expect(killed).toBeGreaterThan(0);
    await source.close();
    expect(zombies()).toEqual([]);
  });
});

/** A repository whose objects are pipes that nobody writes: reading it never ends. */
function hangingRepository(folder: string): {
  repository: Repository;
  settings: GitSettings;
} {
  const repository = new Repository(join(folder, 'repo'));
  repository.write('a', '1');
  repository.commit();
  repository.git(['pack-refs', '--all']);
  const packed = join(repository.folder, '.git/packed-refs');
  rmSync(packed);
  execFileSync('mkfifo', [packed]);
  return { repository, settings: localSettings(folder, repository.folder) };
}

function hangingReaders(stateDir: string): number {
  return processesOf(stateDir).filter(
    ({ command }) =>
      command.some((word) => word.includes('upload-pack')) && command[0] !== '/bin/sh',
  ).length > 0
    ? 1
    : 0;
}

/** Runs a process that looks once and kills it, not its children, when `moment` has passed; whether it had finished. */
async function killedWhile(settings: GitSettings, moment: () => Promise<void>): Promise<boolean> {
  const program = `
    import { openGitSource } from ${JSON.stringify(join(import.meta.dirname, '../../agent/source/git.ts'))};
    const after = (ms, callback) => { const timer = setTimeout(callback, ms); return () => clearTimeout(timer); };
    const source = await openGitSource(${JSON.stringify(settings)}, { clock: { after } });
    console.log('open');
    await source.newest(AbortSignal.timeout(30000));
    console.log('read');
    setTimeout(() => {}, 30000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await vi.waitFor(() => expect(said).toContain('open'), { timeout: 50_000, interval: 5 });
  await moment();
  child.kill('SIGKILL');
  await ended;
  return said.includes('read');
}

describe('a repository of this machine', () => {
  it('is looked at when a commit is made, until the source is closed', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('a', '1');
    repository.commit();
    let changes = 0;
    const changed = (): void => {
      changes += 1;
    };
    const source = await openGitSource(localSettings(temporary.path, repository.folder), {
      clock: realClock,
      changed,
    });
    const one = await source.newest(signal());
    // The watcher begins some time after it was asked; a commit that is made again and again is seen in the end.
    let count = 0;
    await vi.waitFor(
      () => {
        repository.write('a', String((count += 1)));
        repository.commit();
        expect(changes).toBeGreaterThan(0);
      },
      { timeout: 50_000, interval: 400 },
    );
    expect(await source.newest(signal())).not.toBe(one);
    await source.close();
    const before = changes;
    // What a second source has noticed, the first would have noticed too.
    let noticed = 0;
    const other = await openGitSource(localSettings(temporary.path, repository.folder), {
      clock: realClock,
      changed: () => {
        noticed += 1;
      },
    });
    await vi.waitFor(
      () => {
        repository.commit();
        expect(noticed).toBeGreaterThan(0);
      },
      { timeout: 50_000, interval: 400 },
    );
    await other.close();
    expect(changes).toBe(before);
  });
});
