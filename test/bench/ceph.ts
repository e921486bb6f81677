import { join } from 'node:path';

import { childProcesses } from '../../agent/child-processes.ts';
import type { Printer } from '../../agent/cli/printer.ts';
import { systemClock } from '../../agent/clock.ts';
import { type Ceph, openCeph } from '../../agent/providers/ceph/driver.ts';
import type { CephCommand } from '../../agent/providers/ceph/driver.ts';
import { run as runProgram } from '../../agent/rehearsal/run.ts';
import { withoutRenewals } from '../faults/ledger.ts';
import { startProxy } from '../faults/proxy.ts';
import { sharedMs } from './agent-words.ts';
import type { BenchAgent } from './bench-agent.ts';
import type { BenchCluster } from './ceph-scene.ts';
import { median, shown } from './figures.ts';
import type { Wanted } from './options.ts';
import { rawReads } from './raw-reads.ts';
import { profiled, times } from './repeat.ts';
import type { CephMeasured } from './report.ts';
import { subvolumeFiles, writeFiles } from './repository.ts';
import type { Scene } from './scene.ts';

const NO_OP_PASSES = 9;
const COUNTED_PASSES = 3;
const LOOP_MS = 60_000;

/** One run of subvolumes and keys. */
export interface CephRun {
  readonly scene: Scene;
  readonly cluster: BenchCluster;
  readonly wanted: Wanted;
  readonly print: Printer;
  readonly signal: AbortSignal;
}

/** First creation, passes with nothing to do, one change, and a script that makes one site after another beside. */
export async function measureCeph(run: CephRun): Promise<CephMeasured> {
  const { scene, cluster, wanted, print, signal } = run;
  const told = (what: string, ms: number): void => print.line(`${what}: ${shown(ms, 'ms')}`);
  const proxy = await startProxy(scene.socket, join(scene.folder, 'proxy.sock'));
  const ceph = openCeph(cluster.way, { clock: systemClock, processes: childProcesses });
  const beganMs = sharedMs();
  const agent = scene.startAgent(proxy.socket);
  try {
    const end = await profiled(run, agent, 'first-creation', async () => {
      return await agent.healthy(scene.revision, signal);
    });
    const create = end.calledAtMs - beganMs;
    told('first creation', create);
    const passes = await profiled(run, agent, 'no-op', async () => {
      return await agent.passes(NO_OP_PASSES, signal);
    });
    const pass = median(passes.map(({ ms }) => ms));
    told('a pass with nothing to do', pass);
    const raw = median(await times(async () => await rawAll(run, ceph)));
    told('the raw reads', raw);
    const from = proxy.seen.length;
    const before = await written(ceph, signal);
    await agent.passes(COUNTED_PASSES, signal);
    const calls = withoutRenewals(proxy.seen.filter(({ mutating }) => mutating));
    const isSame = (await written(ceph, signal)) === before;
    const writes = calls.filter(({ at }) => at > from).length + (isSame ? 0 : 1);
    const one = median(await times(async (edition) => await changesOne(run, agent, edition)));
    told('one subvolume, from the push to the last command', one);
    const loop = await loopOf(run);
    told('a script, for one new site', loop.create);
    const { stacks } = wanted;
    const all = { create: loop.create * stacks, again: loop.again * stacks };
    return { create, pass, raw, writes, one, loop: all };
  } finally {
    ceph.close();
    await agent.stop();
    await proxy.close();
  }
}

const place = { vol_name: 'cephfs' };
const inGroup = { ...place, group_name: 'sites' };
const LISTS: readonly CephCommand[] = [
  ...['status', 'versions', 'osd dump', 'osd crush dump', 'fs dump', 'df', 'auth ls'].map(
    (prefix) => ({ to: 'mon' as const, words: { prefix } }),
  ),
  { to: 'mon', words: { prefix: 'config-key dump', key: 'understudy/' } },
  { to: 'mgr', words: { prefix: 'fs subvolumegroup ls', ...place } },
  { to: 'mgr', words: { prefix: 'fs subvolume ls', ...inGroup } },
  { to: 'mgr', words: { prefix: 'fs subvolumegroup info', ...inGroup } },
];

/** The lists of the engine and of the cluster, as a pass has them, parsed, and nothing else done: both at once. Milliseconds. */
async function rawAll({ scene, signal }: CephRun, ceph: Ceph): Promise<number> {
  const beganMs = performance.now();
  const read = LISTS.map(async (command): Promise<unknown> => {
    const answer = await ceph.call(command, signal);
    if (answer.status !== 'ok') throw new Error(`${command.words.prefix}: ${answer.why}`);
    return JSON.parse(answer.value.reveal());
  });
  await Promise.all([rawReads(scene.socket, signal), ...read]);
  return performance.now() - beganMs;
}

/** Changes with every write that an agent makes there: keys and marks. */
async function written(ceph: Ceph, signal: AbortSignal): Promise<string> {
  const words = { prefix: 'auth ls' };
  const marks = { prefix: 'config-key dump', key: 'understudy/' };
  const answers = [
    await ceph.call({ to: 'mon', words }, signal),
    await ceph.call({ to: 'mon', words: marks }, signal),
  ];
  return answers.map((one) => (one.status === 'ok' ? one.value.reveal() : one.why)).join();
}

async function changesOne(
  { scene, wanted, signal }: CephRun,
  agent: BenchAgent,
  edition: number,
): Promise<number> {
  const { copy } = scene.repository;
  await writeFiles(copy.folder, subvolumeFiles(Math.floor(wanted.stacks / 2), edition));
  const revision = await copy.commitAndPush('One subvolume', signal);
  const pushedMs = sharedMs();
  agent.ask({ ask: 'look' });
  const end = await agent.healthy(revision, signal);
  if (end.calledAtMs < pushedMs) throw new Error('the commit ended well without any call');
  return end.calledAtMs - pushedMs;
}

/** A script that is run once for each site, as people have them. Milliseconds a site. */
async function loopOf({
  cluster: { way, adminConf },
  wanted: { sample },
  signal,
}: CephRun): Promise<{ readonly create: number; readonly again: number }> {
  const script = join(import.meta.dirname, 'loop.py');
  const timed = async (what: string): Promise<number> => {
    const beganMs = performance.now();
    for (let site = 0; site < sample; site += 1) {
      const words = [way.python, '-B', script, adminConf, `loop-${String(site)}`, what];
      await runProgram(words, { deadlineMs: LOOP_MS }, signal);
    }
    return (performance.now() - beganMs) / sample;
  };
  return { create: await timed('make'), again: await timed('look') };
}
