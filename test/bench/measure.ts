import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Printer } from '../../agent/cli/printer.ts';
import { plainEnvironment, run } from '../../agent/rehearsal/run.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { withoutRenewals } from '../faults/ledger.ts';
import { startProxy } from '../faults/proxy.ts';
import { sharedMs } from './agent-words.ts';
import type { BenchAgent } from './bench-agent.ts';
import { median, shown } from './figures.ts';
import type { Measured } from './report.ts';
import { DeployLoop } from './loop.ts';
import type { Part, Wanted } from './options.ts';
import { rawReads } from './raw-reads.ts';
import { commonFiles, ENVIRONMENT, siteName, stackFiles, writeFiles } from './repository.ts';
import { usedBy } from './resources.ts';
import { countObjects, type Scene } from './scene.ts';

const NO_OP_PASSES = 9;
const COUNTED_PASSES = 3;
const READS = 5;
const TIMES = 3;
/** After a change the agent gives back what it left behind, once; from then on it is idle. */
const SETTLE_MS = 30_000;
const IDLE_MS = 60_000;

/** One run over a scene. The agent that runs is stopped at the end, whatever comes. */
export class Bench {
  readonly #scene: Scene;
  readonly #wanted: Wanted;
  readonly #print: Printer;
  readonly #signal: AbortSignal;
  readonly #loop: DeployLoop;
  #agent: BenchAgent | undefined;
  #edition = 1;

  constructor(scene: Scene, wanted: Wanted, print: Printer, signal: AbortSignal) {
    this.#scene = scene;
    this.#wanted = wanted;
    this.#print = print;
    this.#signal = signal;
    this.#loop = new DeployLoop(scene.stage, join(scene.folder, 'loop'), wanted.sample);
  }

  async run(): Promise<Measured> {
    if (this.#wanted.profile !== undefined) await mkdir(this.#wanted.profile, { recursive: true });
    await this.#compiles();
    const loop: Measured['loop'] = {};
    if (this.#wants('loop')) loop.create = await this.#loopCreates();
    const measured: Measured = { loop, ...(await this.#deploys()) };
    if (this.#wants('no-op')) Object.assign(measured, await this.#restsAndCounts());
    if (this.#wants('one')) measured.one = await this.#changesOne();
    if (this.#wants('all')) measured.all = await this.#changesAll();
    if (this.#wants('plan')) measured.plan = await this.#plans();
    if (this.#wants('idle')) measured.idle = await this.#idles();
    if (this.#wants('loop')) Object.assign(loop, await this.#loopGoesOn());
    return measured;
  }

  async close(): Promise<void> {
    await this.#agent?.stop();
  }

  #wants(part: Part): boolean {
    return this.#wanted.parts.has(part);
  }

  get #running(): BenchAgent {
    if (this.#agent === undefined) throw new Error('no agent runs');
    return this.#agent;
  }

  /** What only the very first start of an installation does: both programs are compiled, and that is kept. */
  async #compiles(): Promise<void> {
    const entry = join(projectFolder, 'agent', 'bin.mjs');
    const { folder } = this.#scene.repository.copy;
    for (const words of [
      ['agent', '--help'],
      ['validate', folder],
    ]) {
      const command = [process.execPath, entry, ...words];
      await run(command, { env: plainEnvironment }, this.#signal);
    }
  }

  async #loopCreates(): Promise<number> {
    const each = await this.#loop.deploy(1, this.#signal);
    this.#told(`docker stack deploy of a new stack`, each);
    await this.#loop.remove(this.#signal);
    return each * this.#wanted.stacks;
  }

  async #deploys(): Promise<Pick<Measured, 'deploy'>> {
    const beganMs = sharedMs();
    this.#agent = this.#scene.startAgent();
    const { revision } = this.#scene;
    const end = await this.#profiled('first-deploy', () =>
      this.#running.healthy(revision, this.#signal),
    );
    const counts = await countObjects(this.#scene.socket, this.#signal);
    const wrong = Object.entries(counts).filter(([, count]) => count !== this.#wanted.stacks);
    if (wrong.length > 0) throw new Error(`not all is there: ${JSON.stringify(counts)}`);
    const deploy = end.calledAtMs - beganMs;
    this.#told(`first deploy of ${String(this.#wanted.stacks)} stacks`, deploy);
    return { deploy };
  }

  async #restsAndCounts(): Promise<Partial<Measured>> {
    const passes = await this.#profiled('no-op', () =>
      this.#running.passes(NO_OP_PASSES, this.#signal),
    );
    const pass = median(passes.map(({ ms }) => ms));
    this.#told('a pass with nothing to do', pass);
    const reads: number[] = [];
    for (let time = 0; time < READS; time += 1) {
      reads.push(await rawReads(this.#scene.socket, this.#signal));
    }
    const raw = median(reads);
    this.#told('the raw reads', raw);
    return { pass, raw, ...(await this.#counts()) };
  }

  /** Another agent, through a proxy that counts, and the first one again. */
  async #counts(): Promise<Pick<Measured, 'writes' | 'restart'>> {
    await this.#running.stop();
    const proxy = await startProxy(this.#scene.socket, join(this.#scene.folder, 'proxy.sock'));
    try {
      this.#agent = this.#scene.startAgent(proxy.socket);
      await this.#running.passes(1, this.#signal);
      const from = proxy.seen.length;
      await this.#running.passes(COUNTED_PASSES, this.#signal);
      const all = withoutRenewals(proxy.seen.filter(({ mutating }) => mutating));
      const writes = all.filter(({ at }) => at > from).length;
      this.#print.line(`${String(writes)} writes in ${String(COUNTED_PASSES)} such passes`);
      await this.#running.stop();
      const beganMs = sharedMs();
      this.#agent = this.#scene.startAgent();
      const [first] = await this.#running.passes(1, this.#signal);
      return { writes, restart: (first?.atMs ?? beganMs) - beganMs };
    } finally {
      await proxy.close();
    }
  }

  /** From the end of the push to the answer of the call that updates the service. */
  async #changesOne(): Promise<number> {
    const times: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      this.#edition += 1;
      const site = siteName(Math.floor(this.#wanted.stacks / 2));
      const took = await this.#pushes(stackFiles(site, this.#edition), 'One site');
      times.push(took);
    }
    const one = median(times);
    this.#told('one site, from the push to the updated service', one);
    return one;
  }

  async #changesAll(): Promise<number> {
    this.#edition += 1;
    const sites = Array.from({ length: this.#wanted.stacks }, (_, index) =>
      stackFiles(siteName(index), this.#edition),
    );
    const files = Object.assign({}, ...sites);
    const all = await this.#profiled('all', () => this.#pushes(files, 'All sites'));
    this.#told('a change of all sites', all);
    return all;
  }

  async #pushes(files: Readonly<Record<string, string>>, message: string): Promise<number> {
    const { copy } = this.#scene.repository;
    await writeFiles(copy.folder, files);
    const revision = await copy.commitAndPush(message, this.#signal);
    const pushedMs = sharedMs();
    this.#running.ask({ ask: 'look' });
    const end = await this.#running.healthy(revision, this.#signal);
    if (end.calledAtMs < pushedMs) throw new Error('the commit ended well without any call');
    return end.calledAtMs - pushedMs;
  }

  /** A process that knows nothing yet, in a work tree in which one site was changed. */
  async #plans(): Promise<number> {
    const { folder } = this.#scene.repository.copy;
    await writeFiles(folder, stackFiles(siteName(0), this.#edition + 1));
    const entry = join(projectFolder, 'agent', 'bin.mjs');
    const options = ['--environment', ENVIRONMENT, '--socket', this.#scene.socket];
    const command = [process.execPath, entry, 'plan', folder, ...options];
    const times: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      const beganMs = performance.now();
      const text = await run(command, { env: plainEnvironment }, this.#signal);
      times.push(performance.now() - beganMs);
      if (!text.includes(siteName(0))) throw new Error(`the plan shows no change:\n${text}`);
    }
    await writeFiles(folder, stackFiles(siteName(0), this.#edition));
    const plan = median(times);
    this.#told('a plan from a cold start', plan);
    return plan;
  }

  /** At the usual pace, a look a minute, some time after the last change. */
  async #idles(): Promise<NonNullable<Measured['idle']>> {
    await this.#paces();
    await sleep(SETTLE_MS, undefined, { signal: this.#signal });
    const before = await usedBy(this.#running.pid);
    const beganMs = performance.now();
    await sleep(IDLE_MS, undefined, { signal: this.#signal });
    const { own, all } = await usedBy(this.#running.pid);
    const percent = ((all.cpuMs - before.all.cpuMs) / (performance.now() - beganMs)) * 100;
    this.#print.line(
      `idle: ${shown(percent, 'percent')} of one processor, ${shown(all.bytes, 'bytes')}`,
    );
    return { own: own.bytes, all: all.bytes, percent };
  }

  /** The usual interval from now on. */
  async #paces(): Promise<void> {
    const { copy } = this.#scene.repository;
    await writeFiles(copy.folder, commonFiles());
    const revision = await copy.commitAndPush('The usual interval', this.#signal);
    this.#running.ask({ ask: 'look' });
    await this.#running.healthy(revision, this.#signal);
  }

  async #loopGoesOn(): Promise<Measured['loop']> {
    await this.#loop.deploy(1, this.#signal);
    const again = await this.#loop.deploy(1, this.#signal);
    this.#told('docker stack deploy with nothing to do', again);
    const change = await this.#loop.deploy(2, this.#signal);
    this.#told('docker stack deploy of a change', change);
    const { stacks } = this.#wanted;
    return { again: again * stacks, change: change * stacks, one: change };
  }

  #told(what: string, ms: number): void {
    this.#print.line(`${what}: ${shown(ms, 'ms')}`);
  }

  async #profiled<Value>(name: string, action: () => Promise<Value>): Promise<Value> {
    const { profile } = this.#wanted;
    if (profile === undefined) return action();
    this.#running.ask({ ask: 'profile' });
    const value = await action();
    await this.#running.endProfile(join(profile, `${name}.cpuprofile`), this.#signal);
    return value;
  }
}
