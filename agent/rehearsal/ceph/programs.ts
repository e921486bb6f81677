import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { slimShare } from '../mysql/unpacked.ts';
import { cacheKey, type Doing } from '../packages.ts';
import { run } from '../run.ts';
import { shellWord } from '../shell.ts';
import { fetchSuite, type SuitePackages } from '../suite.ts';

/**
 * Ceph 16.2 as it lies unpacked, with its own libraries and Python. The C library is the machine's, of bookworm or later: daemons start
 * themselves anew when monitors give them up, which a program that was started by way of another loader cannot.
 */
export interface CephPrograms {
  /** Absolute. */
  readonly root: string;
  /** Absolute path of the folder with libraries, and with those that Ceph opens by itself. */
  readonly libraries: string;
  /** Absolute path of a program that is a Python with the module `rados`. */
  readonly python: string;
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
  // libc6 must fit the machine's own dynamic loader.
  const left =
    /^(libc6|libperl.*|libdb5.*|libgdbm.*|libpam-.*|.*-perl|libc-.*|lib(icu|rgw|binutils|ctf|gprofng|jansson|parted|lvm2cmd|nvme|inih|js-|python3-stdlib).*)$/;
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
  const key = await cacheKey({ wanted: [...source.wanted, 'slim 2'], optional: [] });
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
  const folders = await libraryFolders(root);
  const settings = settingsOf(root, folders);
  return {
    root,
    libraries: folders.find((folder) => folder.startsWith(join(root, 'usr'))) ?? root,
    python: join(root, 'stage-python'),
    command: (program) => ['env', ...settings, join(root, 'usr/bin', program)],
  };
}

async function libraryFolders(root: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, base)).catch(() => []);
    const own = names.filter((name) => name.endsWith('-linux-gnu'));
    folders.push(...own.map((name) => join(root, base, name)));
  }
  return folders;
}

/** Pure. What a program of it needs to know, as words of `env`: no program of the machine is to find these libraries. */
function settingsOf(root: string, folders: readonly string[]): readonly string[] {
  // Ceph has a folder of libraries of its own among those of all.
  const libraries = folders.flatMap((folder) => [folder, join(folder, 'ceph')]);
  return [
    `LD_LIBRARY_PATH=${libraries.join(':')}`,
    `PYTHONHOME=${join(root, 'usr')}`,
    'PYTHONDONTWRITEBYTECODE=1',
  ];
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
  const words = [...settingsOf(root, await libraryFolders(root)), join(root, 'usr/bin/python3.11')];
  const placed = words.map((word) => shellWord(word.replaceAll(root, place)));
  const lines = ['#!/bin/sh', `exec env ${placed.join(' ')} "$@"`, ''];
  await writeFile(join(root, 'stage-python'), lines.join('\n'), { mode: 0o755 });
}

/** What the packages' own scripts would have done: without it each start of a manager daemon takes seconds more. */
async function compile(root: string, signal: AbortSignal): Promise<void> {
  const settings = settingsOf(root, await libraryFolders(root));
  const folders = ['usr/lib/python3.11', 'usr/lib/python3', 'usr/share/ceph/mgr'];
  const words = ['-m', 'compileall', '-q', '--invalidation-mode', 'unchecked-hash', ...folders];
  const python = ['env', ...settings, join(root, 'usr/bin/python3.11')];
  await run(
    ['setpriv', '--pdeathsig', 'KILL', ...python, ...words],
    { cwd: root, deadlineMs: 180_000 },
    signal,
  );
}
