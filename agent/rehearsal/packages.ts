import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { arch } from 'node:process';
import { join } from 'node:path';
import { identify } from './processes.ts';
import { lastLines, plainEnvironment, run, StageError, type Environment } from './run.ts';
import { shellWord } from './shell.ts';

/** Debian packages to unpack; the libraries that they need come along. */
export interface PackageList {
  readonly wanted: readonly string[];
  /** Taken where the release has them. */
  readonly optional: readonly string[];
}

/** What the stage is made of. */
const stagePackages: PackageList = {
  wanted: [
    'docker.io',
    'containerd',
    'runc',
    'tini',
    'iptables',
    'iproute2',
    'busybox-static',
    'openssh-server',
    'openssh-client',
    'docker-registry',
  ],
  // Split off from docker.io in later releases.
  optional: ['docker-cli'],
};

/** The unpacked programs, and the environment in which they find each other. */
export interface Tools {
  readonly root: string;
  readonly env: Environment;
  /** Full path of one of the unpacked programs. */
  readonly path: (program: string) => string;
  /** A folder with ssh and ssh-keygen, for a machine that has none of its own. */
  readonly sshFolder: string;
  /** Full path of an unpacked file if the release has it. */
  readonly optional: (file: string) => Promise<string | undefined>;
}

/** Says what is being done, for the line that a long step shows. */
export type Doing = (text: string) => void;

/**
 * Makes sure that the packages are unpacked in the cache folder. Nothing is installed: apt works on lists, cache and
 * status of its own. Throws `StageError`.
 */
export async function fetchTools(
  packages: string,
  doing: Doing,
  signal: AbortSignal,
  list: PackageList = stagePackages,
): Promise<Tools> {
  const root = join(packages, await cacheKey(list));
  if (!(await exists(root))) {
    // Unpacked beside its place and moved there when whole: a crash leaves no half of it behind.
    const work = `${root}.part-${process.pid}`;
    await sweep(packages);
    try {
      await download(work, list, doing, signal);
      await unpack(work, doing, signal);
      await wrapSsh(join(work, 'root'), root);
      await rename(join(work, 'root'), root).catch(async (cause: unknown) => {
        if (!(await exists(root))) throw cause; // another run was quicker: its copy is as good
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return toolsIn(root);
}

/** The unpacked programs where they are there already. */
export async function findTools(packages: string): Promise<Tools | undefined> {
  const root = join(packages, await cacheKey(stagePackages));
  return (await exists(root)) ? toolsIn(root) : undefined;
}

/** Pure. The packages worth unpacking: those asked for and plain libraries, without what every Debian has. */
export function selectPackages(
  closure: readonly string[],
  wanted: readonly string[],
): readonly string[] {
  // libc6 must fit the machine's own dynamic loader; the others serve maintainer scripts that never run here.
  const left = /^(libc6|libgcc-s1|libperl.*|libdb5.*|libgdbm.*|libpam-.*|.*-perl|libc-.*)$/;
  return closure
    .filter((name) => wanted.includes(name) || (name.startsWith('lib') && !left.test(name)))
    .toSorted();
}

/** Removes what runs that are over had begun to unpack. */
export async function sweep(packages: string): Promise<void> {
  for (const name of await readdir(packages).catch(() => [])) {
    const pid = /\.part-(\d+)$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const busy = Number(pid) !== process.pid && (await identify(Number(pid))) !== undefined;
    if (!busy) await rm(join(packages, name), { recursive: true, force: true });
  }
}

async function download(
  work: string,
  list: PackageList,
  doing: Doing,
  signal: AbortSignal,
): Promise<void> {
  const options = await privateApt(work);
  const apt = async (program: string, args: readonly string[], deadlineMs: number): Promise<string> =>
    await run(['setpriv', '--pdeathsig', 'KILL', program, ...options, ...args], { cwd: join(work, 'debs'), deadlineMs, env: proxies() }, signal); // prettier-ignore
  doing('reading the package lists');
  await apt('apt-get', ['-qq', 'update'], 120_000).catch((cause: unknown) => {
    // One unreachable foreign source must not stop us: if Debian's own lists came, the next step succeeds.
    signal.throwIfAborted();
    doing(
      `some package lists could not be read${cause instanceof StageError ? `: ${lastLines(cause.evidence, 1)}` : ''}`,
    );
  });
  const wanted = [...list.wanted];
  for (const name of list.optional) {
    const known = await apt('apt-cache', ['-q', 'pkgnames', name], 30_000);
    if (known.split('\n').includes(name)) wanted.push(name);
  }
  const uris = await apt(
    'apt-get',
    ['-qq', '--print-uris', '--no-install-recommends', 'install', ...wanted],
    60_000,
  );
  const closure = [...uris.matchAll(/^'[^']*' ([^_ ]+)_/gm)].map((match) => match[1] ?? '');
  const chosen = selectPackages(closure, wanted);
  doing(`downloading ${chosen.length} packages`);
  await apt('apt-get', ['-qq', 'download', ...chosen], 900_000);
}

/** Options that keep apt off the machine's own state, whatever is installed or held there. */
export async function privateApt(work: string): Promise<readonly string[]> {
  for (const folder of ['lists/partial', 'cache/archives/partial', 'debs', 'root']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  await writeFile(join(work, 'status'), '');
  const settings = {
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': join(work, 'status'),
    'Dir::State::extended_states': join(work, 'extended'),
    'Dir::Cache': join(work, 'cache'),
    'Dir::Log': work,
    'Acquire::Languages': 'none',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Acquire::Retries': '2',
    'APT::Sandbox::User': 'root',
  };
  // Desktops hang programs on an update that touch the machine's own state.
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success'].map(
    (one) => `APT::Update::${one}`,
  );
  const lines = [
    ...hooks.map((hook) => `#clear ${hook};`),
    ...Object.entries(settings).map(([key, value]) => `${key} "${value}";`),
  ];
  await writeFile(join(work, 'apt.conf'), `${lines.join('\n')}\n`);
  return ['-c', join(work, 'apt.conf')];
}

async function unpack(work: string, doing: Doing, signal: AbortSignal): Promise<void> {
  const root = join(work, 'root');
  const debs = (await readdir(join(work, 'debs')))
    .filter((name) => name.endsWith('.deb'))
    .toSorted();
  doing(`unpacking ${debs.length} packages`);
  const queue = debs.values();
  const worker = async (): Promise<void> => {
    for (const deb of queue) {
      await run(
        ['setpriv', '--pdeathsig', 'KILL', 'dpkg-deb', '-x', join(work, 'debs', deb), root],
        {},
        signal,
      );
    }
  };
  await Promise.all([worker(), worker()]);
  for (const folder of ['doc', 'man', 'lintian', 'locale']) {
    await rm(join(root, 'usr/share', folder), { recursive: true, force: true });
  }
  await link(root);
}

/** Programs that other programs start by name, with the libraries that are unpacked beside them in `place`. */
async function wrapSsh(root: string, place: string): Promise<void> {
  const folder = join(root, 'stage-ssh');
  await mkdir(folder, { recursive: true });
  for (const name of ['ssh', 'ssh-keygen']) {
    const lines = [
      '#!/bin/sh',
      // Not found by way of $0: the folder is also seen under another name.
      `root=${shellWord(place)}`,
      'for folder in "$root"/usr/lib/*-linux-gnu "$root"/lib/*-linux-gnu; do',
      '  LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder',
      'done',
      'export LD_LIBRARY_PATH',
      `exec "$root/usr/bin/${name}" "$@"`,
      '',
    ];
    await writeFile(join(folder, name), lines.join('\n'), { mode: 0o755 });
  }
}

/** What the packages' own scripts would have made: iptables in both kinds, and a careful modprobe. */
async function link(root: string): Promise<void> {
  for (const kind of ['nft', 'legacy']) {
    const folder = join(root, `stage-${kind}`);
    await mkdir(folder, { recursive: true });
    for (const name of [
      'iptables',
      'iptables-save',
      'iptables-restore',
      'ip6tables',
      'ip6tables-save',
      'ip6tables-restore',
    ]) {
      await symlink(`../usr/sbin/xtables-${kind}-multi`, join(folder, name));
    }
    // br_netfilter would put the machine's own bridges under its firewall; an engine can do without it.
    const script =
      '#!/bin/sh\nfor word; do [ "$word" = br_netfilter ] && exit 1; done\nexec /sbin/modprobe "$@"\n';
    await writeFile(join(folder, 'modprobe'), script, { mode: 0o755 });
  }
}

async function toolsIn(root: string): Promise<Tools> {
  const libraries: string[] = [];
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, base)).catch(() => []);
    for (const name of names.filter((one) => one.includes('-linux-gnu')))
      libraries.push(join(root, base, name));
  }
  const programs = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((one) => join(root, one));
  const places = new Map<string, string>();
  for (const folder of programs) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!places.has(name)) places.set(name, join(folder, name));
    }
  }
  const xtables = libraries.map((one) => join(one, 'xtables'));
  const xtablesFolder = (await Promise.all(xtables.map(exists))).indexOf(true);
  return {
    root,
    env: {
      ...plainEnvironment,
      PATH: [...programs, plainEnvironment['PATH']].join(':'),
      LD_LIBRARY_PATH: libraries.join(':'),
      XTABLES_LIBDIR: xtables[xtablesFolder] ?? '',
    },
    path: (program) => {
      const place = places.get(program);
      if (place === undefined) throw new StageError(`the unpacked packages hold no \`${program}\``);
      return place;
    },
    sshFolder: join(root, 'stage-ssh'),
    optional: async (file) => ((await exists(join(root, file))) ? join(root, file) : undefined),
  };
}

/** One folder for each release, architecture and list of packages. */
export async function cacheKey({ wanted, optional }: PackageList): Promise<string> {
  const release =
    /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'debian';
  const list = createHash('sha256')
    .update([...wanted, ...optional, 'v3'].join(' '))
    .digest('hex');
  return `${release}-${arch}-${list.slice(0, 8)}`;
}

/** apt reaches the mirror as the person's shell would. */
export function proxies(): Environment {
  const names = ['http_proxy', 'https_proxy', 'no_proxy'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
