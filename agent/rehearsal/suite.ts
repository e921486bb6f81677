import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Doing, exists, privateApt, proxies, sweep } from './packages.ts';
import { run, StageError } from './run.ts';

/** Packages of one suite of Debian, whatever the machine itself runs. */
export interface SuitePackages {
  readonly suite: string;
  readonly wanted: readonly string[];
  /** Pure. Which of all that the wanted ones need from an empty system come along. Absent: none is looked for. */
  readonly choose?: (closure: readonly string[]) => readonly string[];
  /** As people name them together: `the engine of sid`. */
  readonly title: string;
}

/**
 * Makes sure that the packages are unpacked in `root`, a folder in `packages`. `finish` works on them before they are in their
 * place. Throws `StageError`.
 */
export async function fetchSuite(
  { packages, root }: { readonly packages: string; readonly root: string },
  wanted: SuitePackages,
  finish: (unpacked: string) => Promise<void>,
  { doing, signal }: { readonly doing: Doing; readonly signal: AbortSignal },
): Promise<void> {
  if (await exists(root)) return;
  // Unpacked beside its place and moved there when whole: a crash leaves no half of it behind.
  const work = `${root}.part-${process.pid}`;
  await sweep(packages);
  try {
    await download(work, wanted, doing, signal);
    await unpack(work, signal);
    await finish(join(work, 'root'));
    await rename(join(work, 'root'), root).catch(async (cause: unknown) => {
      if (!(await exists(root))) throw cause; // another run was quicker: its copy is as good
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(
  work: string,
  { suite, wanted, choose, title }: SuitePackages,
  doing: Doing,
  signal: AbortSignal,
): Promise<void> {
  const options = await privateApt(work);
  const apt = async (args: readonly string[], deadlineMs: number): Promise<string> =>
    await run(['setpriv', '--pdeathsig', 'KILL', 'apt-get', ...options, ...args], { cwd: join(work, 'debs'), deadlineMs, env: proxies() }, signal); // prettier-ignore
  const mirror = await mirrorOf(await apt(['indextargets', '--no-release-info'], 30_000));
  await useSuite(work, suite, mirror);
  doing(`downloading ${title}`);
  await apt(['-qq', 'update'], 120_000);
  const uris =
    choose === undefined
      ? ''
      : await apt(['-qq', '--print-uris', '--no-install-recommends', 'install', ...wanted], 60_000);
  const closure = [...uris.matchAll(/^'[^']*' ([^_ ]+)_/gm)].map((match) => match[1] ?? '');
  await apt(['-qq', 'download', ...new Set([...wanted, ...(choose?.(closure) ?? [])])], 900_000);
}

async function unpack(work: string, signal: AbortSignal): Promise<void> {
  const folder = join(work, 'debs');
  for (const deb of (await readdir(folder)).filter((name) => name.endsWith('.deb'))) {
    const command = ['setpriv', '--pdeathsig', 'KILL', 'dpkg-deb', '-x', join(folder, deb)];
    await run([...command, join(work, 'root')], {}, signal);
  }
}

/** Where the machine has its own Debian from, by the list of all that apt reads. */
async function mirrorOf(targets: string): Promise<string> {
  const release = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  const own = targets
    .split('\n\n')
    .find((one) => /^Created-By: Packages$/m.test(one) && one.includes(`\nRelease: ${release}\n`));
  const mirror = own === undefined ? undefined : /^Repo-URI: (\S+)$/m.exec(own)?.[1];
  if (mirror === undefined) throw new StageError(`apt knows no mirror of ${String(release)}`);
  return mirror;
}

/** From now on this apt knows nothing but one suite, signed by Debian. */
async function useSuite(work: string, suite: string, mirror: string): Promise<void> {
  const none = join(work, 'none');
  await mkdir(none);
  const sources = join(work, 'sources.list');
  const key = '/usr/share/keyrings/debian-archive-keyring.gpg';
  await writeFile(sources, `deb [signed-by=${key}] ${mirror} ${suite} main\n`);
  const lines = [
    `Dir::Etc::sourcelist "${sources}";`,
    ...['sourceparts', 'preferences', 'preferencesparts'].map(
      (one) => `Dir::Etc::${one} "${none}";`,
    ),
  ];
  await writeFile(join(work, 'apt.conf'), `${lines.join('\n')}\n`, { flag: 'a' });
}
