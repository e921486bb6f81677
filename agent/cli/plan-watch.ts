import { resolve } from 'node:path';

import type { Snapshot } from '../core/snapshot.ts';
import { visible } from '../core/visible.ts';
import { SourceError } from '../reconcile/ports.ts';
import { Wake } from '../reconcile/wake.ts';
import type { UnitRenderer } from '../render/renderer.ts';
import { watchFolder } from '../source/watch.ts';
import { plan, print } from './plan-once.ts';
import type { PlanWanted } from './plan-options.ts';
import type { Looked, Planned, PlanIo } from './plan-ports.ts';
import { readWanted } from './plan-revisions.ts';
import { lookAt, planLooked } from './plan-swarm.ts';

/** Only a saved file ends this wait. */
const LONG_MS = 3_600_000;
/** What cannot be read is read again. Milliseconds. */
const AGAIN_MS = 5_000;

/** Who applies what is handed over, on the stage at this socket. */
export interface Applier {
  /** From now on this is what the stage is brought to. The first one starts it. */
  offer(
    snapshot: Snapshot,
    where: Pick<PlanWanted, 'folder' | 'socket' | 'settings'> & { readonly environment: string },
  ): void;
  /** Aborted when it ended by itself, so that nothing is applied any more; what its reason says is for people. */
  readonly over: AbortSignal;
  /** Ends it, and resolves when it ended. */
  ended(): Promise<void>;
}

/** What the watching needs beside the plan. */
export interface WatchPorts {
  readonly io: PlanIo;
  readonly renderer: UnitRenderer;
  openApplier(
    using: { readonly io: PlanIo; readonly renderer: UnitRenderer },
    signal: AbortSignal,
  ): Applier;
}

/** Plans again whenever a file of the folder is saved, until aborted; gives the exit code. */
export async function watchPlans(
  wanted: PlanWanted,
  ports: WatchPorts,
  signal: AbortSignal,
): Promise<number> {
  const { io, renderer } = ports;
  const wake = new Wake(io.clock);
  const close = watchFolder(resolve(wanted.folder), {
    clock: io.clock,
    changed: () => wake.ring(),
  });
  const applier = wanted.apply ? ports.openApplier(ports, signal) : undefined;
  const ended = applier === undefined ? signal : AbortSignal.any([signal, applier.over]);
  const show = new Shown(wanted, io);
  try {
    while (!ended.aborted) {
      const look = applier === undefined ? plan : applying(applier);
      const planned = await look(wanted, io, renderer, signal);
      const isHopeless = planned.status === 'failed' && planned.code === 2;
      if (isHopeless) return print(planned, wanted, io);
      show.next(planned);
      await wake.wait(planned.status === 'failed' ? AGAIN_MS : LONG_MS, ended);
    }
    return signal.aborted || applier === undefined ? 0 : appliesNoMore(applier, io);
  } catch (error) {
    if (!signal.aborted) throw error;
    return 0;
  } finally {
    await close();
    await applier?.ended();
  }
}

function appliesNoMore({ over }: Applier, io: PlanIo): number {
  const why = over.reason instanceof Error ? over.reason.message : String(over.reason);
  io.err(`understudy plan: nothing is applied any more: ${visible(why)}\n`);
  return 1;
}

/** Prints a plan with the time, and nothing where it says what the last one said. */
class Shown {
  readonly #wanted: PlanWanted;
  readonly #io: PlanIo;
  #last = '';

  constructor(wanted: PlanWanted, io: PlanIo) {
    this.#wanted = wanted;
    this.#io = io;
  }

  next(planned: Planned): void {
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    print(planned, this.#wanted, { ...this.#io, out: say, err: say });
    const text = said.join('');
    if (text === this.#last) return;
    this.#last = text;
    const time = this.#io.clock.date().slice(11, 19);
    this.#io.out(`\n---- ${time} UTC ----\n${text}`);
  }
}

/** Plans, and hands what is valid over to be applied, after its plan was made: on a stage and nowhere else. */
function applying(applier: Applier): typeof plan {
  return async (wanted, io, renderer, signal) => {
    const sight = io.openSight(wanted);
    try {
      const looked = await lookAt({ io, sight }, wanted, signal);
      if ('status' in looked) return looked;
      if (!looked.isStage) return noStage(wanted);
      const read = await readWanted(wanted, io, signal);
      if ('status' in read) return read;
      const on = { ...wanted, ...stageEnvironment(wanted, looked) };
      const planned = await planLooked(on, { io, renderer }, { read, looked }, signal);
      const environment = planned.status === 'planned' ? planned.plans.environments[0] : undefined;
      if (environment !== undefined) {
        applier.offer(read.snapshot, { ...wanted, environment: environment.environment });
      }
      return planned;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return { status: 'failed', code: 1, why: error.message };
    } finally {
      sight.close();
    }
  };
}

function noStage({ socket }: PlanWanted): Planned {
  const why = `the Swarm at ${socket} is no rehearsal stage, and what nobody committed is applied to nothing else: ./rehearse --no-agent builds one`;
  return { status: 'failed', code: 2, why };
}

/** As the agents of a stage have it. */
function stageEnvironment({ environment }: PlanWanted, looked: Looked) {
  if (environment !== undefined || looked.environment !== undefined) return {};
  return { environment: 'rehearsal' };
}
