import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SourceError, type Source } from '../../agent/reconcile/ports.ts';
import type { GitSettings } from '../../agent/source/git-settings.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { localSettings, realClock, Repository, temporaryFolder } from './git-support.ts';

const signal = (): AbortSignal => AbortSignal.timeout(40_000);
const ports = { clock: realClock };

async function failureOf(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof SourceError) return error;
  throw new Error(`expected a SourceError, got ${String(error)}`);
}

/** Where an object lies that was just written. */
function objectFile(repository: Repository, id: string): string {
  return join(repository.folder, '.git/objects', id.slice(0, 2), id.slice(2));
}

interface Trouble {
  /** What happens to the repository; gives how it is put right. */
  readonly begin: (repository: Repository) => () => void;
  readonly words: string;
  readonly retry: 'soon' | 'never';
  readonly more?: Partial<GitSettings>;
}

const troubles: Readonly<Record<string, Trouble>> = {
  'the branch is deleted': {
    begin: (repository) => {
      repository.git(['branch', '-m', 'main', 'elsewhere']);
      return () => repository.git(['branch', '-m', 'elsewhere', 'main']);
    },
    words: 'has no branch `main`; it has `elsewhere`',
    retry: 'never',
  },
  'the repository is emptied': {
    begin: (repository) => {
      const tip = repository.tip();
      repository.git(['update-ref', '-d', 'refs/heads/main']);
      return () => repository.git(['update-ref', 'refs/heads/main', tip]);
    },
    words: 'has no commits yet',
    retry: 'never',
  },
  'the repository is gone': {
    begin: ({ folder }) => {
      renameSync(folder, `${folder}-away`);
      return () => renameSync(`${folder}-away`, folder);
    },
    words: 'there is no repository at',
    retry: 'never',
  },
  'its history grows beyond maxBytes': {
    begin: (repository) => {
      const tip = repository.tip();
      repository.write('big', randomBytes(2 * 1024 * 1024));
      repository.commit('too big');
      return () => repository.git(['reset', '-q', '--hard', tip]);
    },
    words: 'is larger than `repository.maxBytes` (1048576 bytes)',
    retry: 'never',
    more: { maxBytes: 1024 * 1024 },
  },
  'the followed folder is gone': {
    begin: (repository) => {
      const tip = repository.tip();
      rmSync(join(repository.folder, 'in'), { recursive: true });
      repository.write('other', '');
      repository.commit('without it');
      return () => repository.git(['reset', '-q', '--hard', tip]);
    },
    words: '`repository.path` in is not a folder in revision',
    retry: 'never',
    more: { path: 'in' },
  },
  'an object is corrupt at the server': {
    begin: (repository) => {
      repository.write('in/b', 'something new');
      repository.commit('soon corrupt');
      const file = objectFile(repository, repository.git(['rev-parse', 'HEAD:in/b']));
      chmodSync(file, 0o600);
      writeFileSync(file, 'x');
      return () => {
        rmSync(file);
        repository.git(['hash-object', '-w', 'in/b']);
      };
    },
    words: 'cannot read its own repository: an object is missing or corrupt there',
    retry: 'never',
  },
  'an object is missing at the server': {
    begin: (repository) => {
      repository.write('in/b', 'something new');
      repository.commit('soon holed');
      rmSync(objectFile(repository, repository.git(['rev-parse', 'HEAD:in/b'])));
      return () => repository.git(['hash-object', '-w', 'in/b']);
    },
    words: 'cannot read its own repository: an object is missing or corrupt there',
    retry: 'never',
  },
};

describe.each(Object.entries(troubles))('while %s', (_what, { begin, words, retry, more }) => {
  it('the same sentence comes each time, what was there stays readable, and it goes on after that', async () => {
    using temporary = temporaryFolder();
    const repository = new Repository(join(temporary.path, 'repo'));
    repository.write('in/a', '1');
    repository.commit();
    const settings = localSettings(temporary.path, repository.folder, more);
    const source = await openGitSource(settings, ports);
    const before = await source.newest(signal());
    const mend = begin(repository);
    const errors = [
      await failureOf(source.newest(signal())),
      await failureOf(source.newest(signal())),
    ];
    expect(errors[0]?.message).toContain(words);
    // Told once: whoever follows compares the sentences.
    expect(errors[1]?.message).toBe(errors[0]?.message);
    expect(errors.map((error) => error.retry)).toEqual([retry, retry]);
    await readable(source, before.revision);
    const [entry] = before.entries;
    expect((await before.read([entry?.blob ?? ''], signal())).size).toBe(1);
    mend();
    repository.write('in/a', '2');
    const revision = repository.commit('afterwards');
    expect(await source.newest(signal())).toMatchObject({ revision, fastForward: true });
    await source.close();
  });
});

/** Also for a process that would be started now. */
async function readable(source: Source, revision: string): Promise<void> {
  expect(await source.at(revision, signal())).toMatchObject({ revision, diagnostics: [] });
}

it('a repository that is replaced by one with another history is followed, and does not descend from the one before', async () => {
  using temporary = temporaryFolder();
  const folder = join(temporary.path, 'repo');
  const repository = new Repository(folder);
  repository.write('a', '1');
  const before = repository.commit('before');
  const source = await openGitSource(localSettings(temporary.path, folder), ports);
  await source.newest(signal());
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const replaced = new Repository(folder);
  replaced.write('b', '2');
  const revision = replaced.commit('another repository');
  expect(await source.newest(signal())).toMatchObject({ revision, fastForward: false });
  expect(await source.descends(before, revision, signal())).toBe(false);
  // The release before is at hand all the same.
  await readable(source, before);
  await source.close();
});
