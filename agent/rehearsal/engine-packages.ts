import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheKey,
  type Doing,
  exists,
  fetchTools,
  findTools,
  privateApt,
  proxies,
  sweep,
  type Tools,
} from './packages.ts';
import type { StagePlan } from './plan.ts';
import { run, StageError } from './run.ts';

/**
 * What another suite gives: Go programs that need little of the C library and nothing else that the stage has not. Its runc
 * needs a newer C library than the machine may have; the machine's own does.
 */
const enginePackages = { wanted: ['docker.io', 'docker-cli', 'containerd', 'tini'], optional: [] };

type Wanted = Pick<StagePlan, 'packages' | 'engine'>;

/** As `fetchTools`, with the engine of the suite that the plan names. Throws `StageError`. */
export async function fetchStageTools(
  { packages, engine }: Wanted,
  doing: Doing,
  signal: AbortSignal,
): Promise<Tools> {
  const tools = await fetchTools(packages, doing, signal);
  if (engine === undefined) return tools;
  const root = await engineRoot(packages, engine);
  if (!(await exists(root))) await fetchEngine({ packages, engine, root }, doing, signal);
  return await withEngine(tools, root);
}

/** The unpacked programs where they are there already. */
export async function findStageTools({ packages, engine }: Wanted): Promise<Tools | undefined> {
  const tools = await findTools(packages);
  if (tools === undefined || engine === undefined) return tools;
  const root = await engineRoot(packages, engine);
  return (await exists(root)) ? await withEngine(tools, root) : undefined;
}

async function engineRoot(packages: string, engine: string): Promise<string> {
  return join(packages, `${engine}-engine-${await cacheKey(enginePackages)}`);
}

async function fetchEngine(
  { packages, engine, root }: { packages: string; engine: string; root: string },
  doing: Doing,
  signal: AbortSignal,
): Promise<void> {
  const work = `${root}.part-${process.pid}`;
  await sweep(packages);
  try {
    const options = await privateApt(work);
    const cwd = join(work, 'debs');
    const apt = async (args: readonly string[], deadlineMs: number): Promise<string> =>
      await run(['setpriv', '--pdeathsig', 'KILL', 'apt-get', ...options, ...args], { cwd, deadlineMs, env: proxies() }, signal); // prettier-ignore
    await useSuite(
      work,
      engine,
      await mirrorOf(await apt(['indextargets', '--no-release-info'], 30_000)),
    );
    doing(`downloading the engine of ${engine}`);
    await apt(['-qq', 'update'], 120_000);
    await apt(['-qq', 'download', ...enginePackages.wanted], 900_000);
    for (const deb of (await readdir(cwd)).filter((name) => name.endsWith('.deb'))) {
      const command = ['setpriv', '--pdeathsig', 'KILL', 'dpkg-deb', '-x', join(cwd, deb)];
      await run([...command, join(work, 'root')], {}, signal);
    }
    await rm(join(work, 'root/usr/share'), { recursive: true, force: true });
    await rename(join(work, 'root'), root).catch(async (cause: unknown) => {
      if (!(await exists(root))) throw cause; // another run was quicker: its copy is as good
    });
  } finally {
    await rm(work, { recursive: true, force: true });
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

/** The programs of the engine before those of the stage that are called the same. */
async function withEngine(tools: Tools, root: string): Promise<Tools> {
  const folders = ['usr/sbin', 'usr/bin'].map((one) => join(root, one));
  const places = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) places.set(name, join(folder, name));
  }
  return {
    ...tools,
    env: { ...tools.env, PATH: [...folders, tools.env['PATH']].join(':') },
    path: (program) => places.get(program) ?? tools.path(program),
  };
}
