import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

/** The rules that a linter cannot hold. */
const top = fileURLToPath(new URL('..', import.meta.url));

async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(join(top, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(top, join(entry.parentPath, entry.name)));
}

const read = (file: string): string => readFileSync(join(top, file), 'utf8');

/** Files that a module imports, relative to the top. */
function importsOf(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import\(?)\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(top, resolve(top, dirname(file), path)),
  );
}

/** These, and all that they import, whenever it is. */
function reachedFrom(...files: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    queue.push(...importsOf(file));
  }
  return reached;
}

const banned: Readonly<Record<string, string>> = {
  TODO: 'an issue',
  FIXME: 'an issue',
  XXX: 'words',
};

describe('every source file', async () => {
  const files = [...(await filesBelow('agent', '.ts')), ...(await filesBelow('schemas', '.ts'))];

  it('is reached from the program: there is no dead file', () => {
    // Beside the program itself: what the renderer starts as a child, and what ./rehearse --down runs on its own.
    const reached = reachedFrom(
      'agent/main.ts',
      'agent/render/child.ts',
      'agent/rehearsal/down.ts',
    );
    expect(files.filter((file) => !reached.has(file))).toEqual([]);
  });

  it('drops a database in one file, which no agent has', () => {
    const dropping = files.filter((file) => /DROP\s+(?:DATABASE|SCHEMA)/i.test(read(file)));
    expect(dropping).toEqual(['agent/providers/mysql/purge/drop.ts']);
    const agent = reachedFrom('agent/start.ts', 'agent/applying.ts', 'agent/render/child.ts');
    expect(agent).toContain('agent/providers/mysql/servers.ts');
    expect([...agent].filter((file) => /purge|purging/.test(file))).toEqual([]);
    expect(reachedFrom('agent/main.ts')).toContain(dropping[0]);
    expect(reachedFrom('agent/main.ts')).toContain('agent/providers/ceph/purge/delete.ts');
  });

  it('names dockerode, simple-git, mysql2 and the library for age in one module each', () => {
    const importers = (library: string): string[] =>
      files.filter((file) => new RegExp(`from '${library}'`).test(read(file)));
    expect(importers('dockerode')).toHaveLength(1);
    expect(importers('simple-git')).toHaveLength(1);
    expect(importers('mysql2')).toEqual(['agent/providers/mysql/connect.ts']);
    expect(importers('age-encryption')).toEqual(['agent/age/age.ts']);
  });

  it.each(Object.entries(banned))('has no %s: write %s instead', (word) => {
    expect(files.filter((file) => new RegExp(`\\b${word}\\b`).test(read(file)))).toEqual([]);
  });

  it('keeps secrets in: only where a value must leave is it revealed', () => {
    const revealing = files.filter((file) => /\w\.reveal\(/.test(read(file)));
    expect(revealing.toSorted()).toEqual(
      [
        'agent/age/age.ts', // the library for age
        'agent/make-password.ts', // the content of the secret, and how long it is
        'agent/client-keys.ts', // the content of the secret
        'agent/core/digest.ts', // the digest of a unit covers its secrets
        'agent/providers/ceph/asking.ts', // the answer whose shape is checked
        'agent/providers/ceph/bridge.ts', // the input of a command goes through a pipe
        'agent/providers/mysql/hash.ts', // the password that is hashed, the hash that is compared
        'agent/providers/mysql/password-diff.ts', // an empty hash is not kept, a declared one is compared
        'agent/providers/mysql/sql.ts', // the statement itself
        'agent/providers/mysql/statements.ts', // an empty hash is not said
        'agent/providers/mysql/wire.ts', // the renderer's pipe
        'agent/providers/stack/client.ts', // the request itself
        'agent/providers/stack/diff.ts', // digest of the content
        'agent/providers/stack/names.ts', // the key of the digest
        'agent/providers/stack/sendable.ts', // an empty content is not compared
        'agent/providers/stack/stack-files.ts', // the digests of the contents that a stack wants
        'agent/providers/stack/transport.ts', // the header of a login
        'agent/registry/authorization.ts', // the header of a login
        'agent/render/converse.ts', // the keys go to the renderer through its pipe
        'agent/providers/mysql/connect.ts', // the login, and the statement itself
        'agent/providers/stack/wire.ts', // the renderer's pipe
        'agent/providers/stack/without-data.ts', // no answer repeats a content
      ].toSorted(),
    );
  });
});

describe('the house', () => {
  it('pins every package to one version', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json'));
    const versions: string[] = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('copies only what exists into the image, and starts what is there', () => {
    const dockerfile = read('Dockerfile');
    const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, list = '']) =>
      list.split(' '),
    );
    expect(copied.length).toBeGreaterThan(2);
    expect(copied.filter((path) => !existsSync(join(top, path)))).toEqual([]);
    const [, bin = ''] = /ln -s \/opt\/understudy\/(\S+)/.exec(dockerfile) ?? [];
    expect(existsSync(join(top, bin))).toBe(true);
  });

  it('has in ARCHITECTURE.md only folders that exist', () => {
    const folders = [
      ...read('ARCHITECTURE.md').matchAll(/`((?:agent|schemas|test|repo-template)\/[\w/]*)`/g),
    ];
    expect(folders.length).toBeGreaterThan(8);
    expect(
      folders.map(([, path = '']) => path).filter((path) => !existsSync(join(top, path))),
    ).toEqual([]);
  });

  it.each([
    'README.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'SECURITY.md',
    'docs/errors.md',
    'docs/rehearsal.md',
  ])('%s links to files that exist', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)];
    const missing = links
      .map(([, path = '']) => join(dirname(page), path))
      .filter((path) => !existsSync(join(top, path)));
    expect(missing).toEqual([]);
  });
});

describe('stages of end-to-end tests', async () => {
  const files = await filesBelow('test/e2e', '.test.ts');
  const found = (pattern: RegExp): readonly string[] =>
    files.flatMap((file) => [
      ...new Set([...read(file).matchAll(pattern)].map(([, one = '']) => one)),
    ]);

  // Files run side by side: two with one name or network would take each other's stage down.
  it.each([
    ['name', /name: '(us[a-z])'/g],
    ['network', /'(10\.213\.\d+\.0\/24)'/g],
  ])('have a %s of their own', (_what, pattern) => {
    const all = found(pattern);
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter((one, at) => all.indexOf(one) !== at)).toEqual([]);
  });

  it('are all taken down where a run before left them', () => {
    const script = read('.ci/run');
    // One that is never raised, because its network is another one's.
    const names = found(/name: '(us[a-z])'/g).filter((name) => name !== 'usy');
    expect(names.filter((name) => !script.includes(name))).toEqual([]);
  });
});
