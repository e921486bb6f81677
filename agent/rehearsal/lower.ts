import { lstat, readFile, readdir, realpath, rm, rmdir, unlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Printer } from '../cli/printer.ts';
import {
  markOf,
  planStage,
  possibleNamespacesOf,
  stagesFolder,
  type StageOptions,
  type StagePlan,
} from './plan.ts';
import {
  findProcesses,
  findUser,
  kill,
  readPidFile,
  waitGone,
  writePidFile,
  type Belonging,
} from './processes.ts';
import { run } from './run.ts';

/** What could not be removed, one sentence each; empty when nothing of the stage is left. */
export type Leftovers = readonly string[];

/** Pure. Files inside the stage's folder that more than one part of the code reads. */
export function filesOf(plan: StagePlan) {
  return {
    /** Who sets the stage up or takes it down now. */
    owner: join(plan.folder, 'owner.pid'),
    /** Written last: the stage stood as a whole. */
    state: join(plan.folder, 'stage.json'),
    /** Present if /run/netns is there because of us. */
    madeNetns: join(plan.folder, 'made-run-netns'),
  } as const;
}

/** What `lowerStage` may leave, and how it ends. */
export interface LowerOptions extends StageOptions {
  /** Also the unpacked packages, unless another stage uses them. Default false. */
  readonly removePackages?: boolean;
}

/** Takes everything of a stage away; gives what could not be removed, one sentence each. Nothing there is fine. */
export async function lowerStage(
  options: LowerOptions,
  print: Printer,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const plan = planStage(options);
  const limit = signal ?? AbortSignal.timeout(120_000);
  const nothing = (await traces(plan)).length === 0;
  const left = await removeStage(plan, limit);
  for (const one of left) print.line(one, 'bad');
  if (left.length === 0) print.line(nothing ? 'there is no stage' : 'the stage is taken down');
  if (options.removePackages !== true) return left;
  const kept = await removePackages(plan.packages);
  if (kept !== undefined) print.line(kept);
  return left;
}

/** What of the stage is on the machine: its folder, namespaces, cgroups, link, processes. */
export async function traces(plan: StagePlan): Promise<Leftovers> {
  const left: string[] = [];
  for (const path of [plan.folder, ...namespacePaths(plan), ...(await cgroupFolders(plan))]) {
    if (await exists(path)) left.push(path);
  }
  if (await linkExists(plan.link)) left.push(`link ${plan.link}`);
  const alive = await findProcesses(belongingOf(plan));
  return [...left, ...alive.map(({ pid }) => `process ${pid}`)];
}

/**
 * Takes everything of the stage away, however far its set-up had come, and looks afterwards. It needs nothing but what
 * every Debian has. Waits are bounded; what stays is named in the answer.
 */
export async function removeStage(plan: StagePlan, signal: AbortSignal): Promise<Leftovers> {
  const left: string[] = [...(await endOwner(plan))];
  // Whoever follows the agent sees from this why it ends.
  if (await exists(plan.folder)) await writePidFile(filesOf(plan).owner, process.pid);
  await endProcesses(plan);
  await removeMounts(plan, signal);
  await removeNamespaces(plan, signal);
  await removeCgroups(plan);
  await rm(plan.folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  if (dirname(plan.folder) === stagesFolder) await rmdir(stagesFolder).catch(() => {});
  await removeLink(plan, signal);
  left.push(...(await traces(plan)).map((one) => `${one} could not be removed`));
  return left;
}

/**
 * Removes the unpacked packages unless some process goes on running one of their programs: what was just killed gets
 * `patienceMs` to be gone. Says why they stay.
 */
export async function removePackages(
  packages: string,
  patienceMs = 3_000,
): Promise<string | undefined> {
  const folder = await realpath(packages).catch(() => undefined);
  if (folder === undefined) return undefined;
  const deadline = performance.now() + patienceMs;
  for (let user = await findUser(folder); user !== undefined; user = await findUser(folder)) {
    if (performance.now() > deadline)
      return `the packages stay: another stage uses them (process ${user})`;
    await sleep(50);
  }
  await rm(folder, { recursive: true, force: true });
  await rmdir(dirname(folder)).catch(() => {}); // only if nothing else is in it
  return undefined;
}

/** Whoever is setting this stage up must stop first: it would go on making what is being removed. */
async function endOwner(plan: StagePlan): Promise<Leftovers> {
  const owner = await readPidFile(filesOf(plan).owner);
  if (owner === undefined || owner.pid === process.pid) return [];
  await kill(owner, 'SIGTERM');
  if ((await waitGone([owner], 3_000)).length === 0) return [];
  await kill(owner, 'SIGKILL');
  const alive = await waitGone([owner], 3_000);
  return alive.map((one) => `process ${one.pid}, which sets the stage up, does not end`);
}

/** What does not end in time is named by the look at the end. */
async function endProcesses(plan: StagePlan): Promise<void> {
  const belonging = belongingOf(plan);
  const deadline = performance.now() + 20_000;
  // What is killed may just have started something: only an empty look ends this, and two of them in a row.
  for (let emptyLooks = 0; emptyLooks < 2;) {
    const found = [...(await findProcesses(belonging)), ...(await recorded(plan))];
    if (found.length === 0) {
      emptyLooks += 1;
      continue;
    }
    emptyLooks = 0;
    for (const one of found) await kill(one, 'SIGKILL');
    await waitGone(found, 5_000);
    if (performance.now() > deadline) return;
  }
}

function belongingOf(plan: StagePlan): Belonging {
  const mark = `REHEARSAL_STAGE=${markOf(plan).REHEARSAL_STAGE}`;
  return { namespaces: namespacePaths(plan), cgroup: plan.cgroup, mark };
}

/** Processes that were written down when they were started: they may not have reached their namespace yet. */
async function recorded(plan: StagePlan) {
  const files = await readdir(join(plan.folder, 'pids')).catch(() => []);
  const found = await Promise.all(
    files.map((name) => readPidFile(join(plan.folder, 'pids', name))),
  );
  return found.filter((one) => one !== undefined);
}

async function removeMounts(plan: StagePlan, signal: AbortSignal): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  for (const path of mountsBelow(table, plan.folder)) {
    await run(['umount', '--lazy', path], {}, signal).catch(() => {}); // the look at the end names it
  }
}

/** Pure. Mount points at or below a folder, the innermost first, from the text of /proc/self/mountinfo. */
export function mountsBelow(table: string, folder: string): readonly string[] {
  return table
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code: string) =>
        String.fromCharCode(Number.parseInt(code, 8)),
      ),
    )
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .toReversed();
}

async function removeNamespaces(plan: StagePlan, signal: AbortSignal): Promise<void> {
  const madeNetns = await exists(filesOf(plan).madeNetns);
  for (const path of namespacePaths(plan)) {
    if (!(await exists(path))) continue;
    await run(['umount', '--lazy', path], {}, signal).catch(() => {}); // without a mount it is a plain file
    await unlink(path).catch(() => {});
  }
  if (!madeNetns || (await readdir('/run/netns').catch(() => ['?'])).length > 0) return;
  await run(['umount', '/run/netns'], {}, signal).catch(() => {});
  await rmdir('/run/netns').catch(() => {});
}

async function removeCgroups(plan: StagePlan): Promise<void> {
  for (const folder of await cgroupFolders(plan)) {
    // A cgroup may stay busy for a moment after its last process.
    for (let tries = 0; tries < 50 && (await exists(folder)); tries += 1) {
      await removeCgroup(folder);
      if (await exists(folder)) await sleep(20);
    }
  }
}

async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  await rmdir(folder).catch(() => {});
}

/** Where the stage's cgroup would be in each hierarchy that is mounted. */
async function cgroupFolders(plan: StagePlan): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const mounts = table.split('\n').filter((line) => / - cgroup2? /.test(line));
  return mounts.map((line) => join(line.split(' ')[4] ?? '', plan.cgroup));
}

function namespacePaths(plan: StagePlan): readonly string[] {
  return possibleNamespacesOf(plan).map((name) => join('/run/netns', name));
}

async function linkExists(link: string): Promise<boolean> {
  const table = await readFile('/proc/net/dev', 'utf8');
  return table.split('\n').some((line) => line.trim().startsWith(`${link}:`));
}

/**
 * The machine's end of the link goes when the kernel has taken down the namespace of the other end. It does not while
 * somebody keeps that one, as another mount namespace may: then the link is deleted, if it bears our address.
 */
async function removeLink(plan: StagePlan, signal: AbortSignal): Promise<void> {
  if (await linkGone(plan.link, 5_000)) return;
  const addresses = networkInterfaces()[plan.link] ?? [];
  if (!addresses.some(({ address }) => address === plan.gateway)) return;
  await run(['ip', 'link', 'delete', plan.link], {}, signal).catch(() => {}); // the look at the end names it
  await linkGone(plan.link, 5_000);
}

async function linkGone(link: string, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (await linkExists(link)) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
