import { readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** One process, named so that a later one with the same number is not mistaken for it. */
export interface ProcessId {
  readonly pid: number;
  /** When it was started, in ticks since boot. */
  readonly ticks: string;
}

/** What makes a process one of the stage's. */
export interface Belonging {
  /** Paths of network namespaces, as under /run/netns. */
  readonly namespaces: readonly string[];
  /** A cgroup's path from the root of its hierarchy. */
  readonly cgroup: string;
  /** `NAME=value` as it stands in the environment of all that is started for the stage. */
  readonly mark: string;
}

/** The process with this number as it is now; undefined when there is none or it has ended and waits to be reaped. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  return parseStat(await readProc(pid, 'stat'), pid);
}

/** Pure. Reads `/proc/<pid>/stat`, in which the program's name may hold blanks and brackets. */
export function parseStat(text: string, pid: number): ProcessId | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const state = fields[0];
  const ticks = fields[19]; // the 22nd field of the line; the first two stand before the bracket
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, ticks };
}

/** Pure. The number of the parent in `/proc/<pid>/stat`; undefined where there is none. */
export function parentIn(text: string): number | undefined {
  const parent = Number(/ \S+ (\d+) /.exec(text.slice(text.lastIndexOf(')') + 1))?.[1] ?? 0);
  return parent > 0 ? parent : undefined;
}

/** Pure. Those numbers and what descends from them, without the process `self` and what that descends from. */
export function familyOf(
  founders: ReadonlySet<number>,
  parents: ReadonlyMap<number, number>,
  self: number,
): ReadonlySet<number> {
  const lineOf = (pid: number): readonly number[] => {
    const line: number[] = [];
    for (let one: number | undefined = pid; one !== undefined; one = parents.get(one)) {
      if (line.includes(one)) break; // numbers were read one after another: one may have been given anew meanwhile
      line.push(one);
    }
    return line;
  };
  const own = new Set(lineOf(self));
  const all = new Set([...founders, ...parents.keys()]);
  const belongs = (pid: number): boolean =>
    lineOf(pid).some((one) => founders.has(one) && !own.has(one));
  return new Set([...all].filter((pid) => !own.has(pid) && belongs(pid)));
}

/** Whether the very process still runs. */
export async function isAlive(one: ProcessId): Promise<boolean> {
  return (await identify(one.pid))?.ticks === one.ticks;
}

/** Writes which process does something, for whoever comes later. */
export async function writePidFile(path: string, pid: number): Promise<void> {
  const one = await identify(pid);
  if (one !== undefined) await writeFile(path, `${one.pid} ${one.ticks}\n`);
}

/** The process that a file names, if it still runs. */
export async function readPidFile(path: string): Promise<ProcessId | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const match = /^(\d+) (\d+)\n$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const one = { pid: Number(match[1]), ticks: match[2] };
  return (await isAlive(one)) ? one : undefined;
}

/**
 * Every process that lives in one of the namespaces or below the cgroup or bears the mark, and what descends from those.
 * Our own process is left out, and what it descends from.
 */
export async function findProcesses(belonging: Belonging): Promise<readonly ProcessId[]> {
  const inodes = new Set<string>();
  for (const path of belonging.namespaces) {
    const seen = await stat(path).catch(() => undefined);
    if (seen !== undefined) inodes.add(`net:[${seen.ino}]`);
  }
  // Whatever a file says: our own namespace, the machine's, is never the stage's.
  inodes.delete(await readlink('/proc/self/ns/net'));
  const alive = new Map<number, ProcessId>();
  const parents = new Map<number, number>();
  const founders = new Set<number>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const text = await readProc(pid, 'stat'); // read first: what is read below must be of this very process
    const one = parseStat(text, pid);
    if (one === undefined) continue;
    alive.set(pid, one);
    const parent = parentIn(text);
    if (parent !== undefined) parents.set(pid, parent);
    const network = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    const belongs =
      inodes.has(network) ||
      liesBelow(await readProc(pid, 'cgroup'), belonging.cgroup) ||
      (await readProc(pid, 'environ')).split('\0').includes(belonging.mark);
    if (belongs) founders.add(pid);
  }
  const family = familyOf(founders, parents, process.pid);
  return [...alive.values()].filter(({ pid }) => family.has(pid));
}

/** The number of a process, other than us, whose program lies in a folder. */
export async function findUser(folder: string): Promise<number | undefined> {
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    if (program.startsWith(`${folder}/`) && (await identify(pid)) !== undefined) return pid;
  }
  return undefined;
}

async function readProc(pid: number, file: string): Promise<string> {
  return await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

/** Pure. Whether one of the lines of `/proc/<pid>/cgroup` names the cgroup or one below it. */
export function liesBelow(groups: string, cgroup: string): boolean {
  return groups.split('\n').some((line) => {
    const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
    return `${path}/`.includes(`${cgroup}/`);
  });
}

/** Ends a process with a signal, unless it ended by itself. */
export async function kill(one: ProcessId, name: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(one))) return;
  try {
    process.kill(one.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

/** Waits until none of them runs; gives those that still do at the deadline. */
export async function waitGone(
  processes: readonly ProcessId[],
  deadlineMs: number,
): Promise<readonly ProcessId[]> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const alive: ProcessId[] = [];
    for (const one of processes) if (await isAlive(one)) alive.push(one);
    if (alive.length === 0 || performance.now() > deadline) return alive;
    await sleep(20);
  }
}
