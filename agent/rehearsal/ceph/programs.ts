import { readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadingIn, slimShare } from '../mysql/unpacked.ts';
import { cacheKey, type Doing } from '../packages.ts';
import { type Environment, plainEnvironment, run } from '../run.ts';
import { shellWord } from '../shell.ts';
import { fetchSuite, type SuitePackages } from '../suite.ts';

/** Ceph 16.2 as it lies unpacked, with its own loader, libraries and Python: neither the machine nor the folder's place matters. */
export interface CephPrograms {
  /** Absolute. */
  readonly root: string;
  /** Absolute path of the folder with libraries, and with those that Ceph opens by itself. */
  readonly libraries: string;
  /** Absolute path of a program that is a Python with the module `rados`. */
  readonly python: string;
  /** What every program of it needs to know. */
  readonly env: Environment;
  /** Pure. Starts a program such as `ceph-mon`; its own words follow. */
  readonly command: (program: CephProgram) => readonly string[];
}

export type CephProgram = 'ceph-mon' | 'ceph-mgr' | 'ceph-osd' | 'ceph-mds' | 'monmaptool';

const kept: readonly string[] = [
  'ceph-mon',
  'ceph-mgr',
  'ceph-osd',
  'ceph-mds',
  'monmaptool',
  'ceph',
  'python3.11',
];

const source: SuitePackages = {
  suite: 'bookworm',
  wanted: ['ceph-mon', 'ceph-mgr', 'ceph-mgr-modules-core', 'ceph-osd', 'ceph-mds', 'ceph-base', 'ceph-common', 'python3-rados'], // prettier-ignore
  choose: selectCeph,
  title: 'Ceph of bookworm',
};

/** Modules of Python that the ten modules of a manager daemon and the command `ceph` load. */
const modules =
  /^(python3\.11-minimal|python3-(ceph-argparse|ceph-common|cephfs|rbd|yaml|six|dateutil|prettytable|wcwidth|pkg-resources|distutils|requests|urllib3|idna|chardet|charset-normalizer|certifi|bcrypt|cffi-backend|cryptography|openssl|jwt))$/;

/** Pure. Of all that the daemons depend on: libraries and modules of Python, without what only scripts and disks of servers need. */
export function selectCeph(closure: readonly string[]): readonly string[] {
  const left =
    /^(libperl.*|libdb5.*|libgdbm.*|libpam-.*|.*-perl|libc-.*|lib(icu|rgw|binutils|ctf|gprofng|jansson|parted|lvm2cmd|nvme|inih|js-|python3-stdlib).*)$/;
  return closure
    .filter(
      (name) =>
        name === 'zlib1g' || modules.test(name) || (name.startsWith('lib') && !left.test(name)),
    )
    .toSorted();
}

/** Makes sure that Ceph is unpacked in the cache folder. Nothing is installed. Throws `StageError`. */
export async function fetchCeph(
  packages: string,
  doing: Doing,
  signal: AbortSignal,
): Promise<CephPrograms> {
  const key = await cacheKey({ wanted: [...source.wanted, 'slim 1'], optional: [] });
  const root = join(packages, `${source.suite}-ceph-${key}`);
  const finish = async (unpacked: string): Promise<void> => {
    await slim(unpacked);
    await writePython(unpacked, root);
    await compile(unpacked, signal);
  };
  await fetchSuite({ packages, root }, source, finish, { doing, signal });
  return await programsIn(root);
}

async function programsIn(root: string): Promise<CephPrograms> {
  const { command, libraries } = await cephLoading(root);
  return {
    root,
    libraries,
    python: join(root, 'stage-python'),
    env: { ...plainEnvironment, ...pythonEnvironment(root) },
    command: (program) => [...command, join(root, 'usr/bin', program)],
  };
}

/** Ceph has a folder of libraries of its own among those of all. */
async function cephLoading(
  root: string,
): Promise<{ readonly command: readonly string[]; readonly libraries: string }> {
  const { loader, command } = await loadingIn(root, source.title);
  // The loader lies in `lib`, what Ceph brings in `usr/lib`, under the same name of the machine's kind.
  const libraries = join(root, 'usr/lib', basename(dirname(loader)));
  const [last = '', ...rest] = command.toReversed();
  return { libraries, command: [...rest.toReversed(), `${last}:${join(libraries, 'ceph')}`] };
}

function pythonEnvironment(root: string): Environment {
  return { PYTHONHOME: join(root, 'usr'), PYTHONDONTWRITEBYTECODE: '1' };
}

/** Leaves what is never started, most of it large tools for people. */
async function slim(root: string): Promise<void> {
  await slimShare(root);
  for (const folder of ['usr/bin', 'usr/sbin', 'bin', 'sbin']) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      if (!kept.includes(name)) await rm(join(root, folder, name), { recursive: true });
    }
  }
  for (const name of await readdir(join(root, 'usr/lib'))) {
    await rm(join(root, 'usr/lib', name, 'gconv'), { recursive: true, force: true });
  }
}

/** A Python for whoever wants to be told of one program; in `place`, where the root will lie. */
async function writePython(root: string, place: string): Promise<void> {
  const { command } = await cephLoading(root);
  const words = [...command, join(root, 'usr/bin/python3.11')].map((word) =>
    shellWord(word.replaceAll(root, place)),
  );
  const settings = Object.entries(pythonEnvironment(place)).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );
  const lines = ['#!/bin/sh', ...settings, `exec ${words.join(' ')} "$@"`, ''];
  await writeFile(join(root, 'stage-python'), lines.join('\n'), { mode: 0o755 });
}

/** What the packages' own scripts would have done: without it each start of a manager daemon takes seconds more. */
async function compile(root: string, signal: AbortSignal): Promise<void> {
  const { command } = await cephLoading(root);
  const folders = ['usr/lib/python3.11', 'usr/lib/python3', 'usr/share/ceph/mgr'];
  const words = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', ...folders];
  await run(
    ['setpriv', '--pdeathsig', 'KILL', ...command, join(root, 'usr/bin/python3.11'), ...words],
    { cwd: root, env: pythonEnvironment(root), deadlineMs: 180_000 },
    signal,
  );
}
