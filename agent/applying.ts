import { resolve } from 'node:path';

import type { Settings } from '../schemas/settings.ts';
import type { Applier } from './cli/plan-watch.ts';
import type { PlanIo } from './cli/plan-ports.ts';
import { createPrinter } from './cli/printer.ts';
import type { Snapshot } from './core/snapshot.ts';
import { formatText } from './core/format.ts';
import type { Renderer } from './reconcile/ports.ts';
import type { UnitRenderer } from './render/renderer.ts';
import type { UnitSpec } from './render/unit-spec.ts';
import { logReporter } from './report/log.ts';
import { describeEvent } from './rehearsal/events.ts';
import { agentSettings } from './planning-servers.ts';
import { readSettings } from './settings.ts';
import { SavedStates } from './source/saved-states.ts';
import { runAgent } from './start.ts';

/** Where states are applied. */
interface Where {
  readonly folder: string;
  readonly environment: string;
  readonly socket: string;
  /**
   * The agent's settings, of which the servers of databases count. Absent: there are none. The Swarm says of itself that it is a stage;
   * servers do not, and those of an agent on this machine may be anything but that.
   */
  readonly settings?: string;
}

/** The ordinary agent, on states of a folder in place of commits. It begins with the first one that is offered. */
export function openApplier(
  { io, renderer, pid }: { io: PlanIo; renderer: UnitRenderer; pid: number },
  outer: AbortSignal,
): Applier {
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const states = new SavedStates();
  const open = async (changed: () => void): Promise<SavedStates> => {
    states.onChange(changed);
    return Promise.resolve(states);
  };
  const over = new AbortController();
  let running: Promise<void> | undefined;

  /** Until it is stopped; where it ends before, that is told. */
  async function keep(where: Where): Promise<void> {
    const why = await run(where).catch((error: unknown) => {
      if (signal.aborted && error !== signal.reason) throw error;
      return `the agent failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    if (!signal.aborted) over.abort(new Error(why));
  }

  /** Gives why it ended. */
  async function run(where: Where): Promise<string> {
    const { settings, diagnostics } = readSettings({
      environment: {},
      local: true,
      flags: {
        environment: where.environment,
        // Nothing is fetched from it: it says in the record where the states came from.
        'repository.url': resolve(where.folder),
        'docker.socket': where.socket,
      },
    });
    if (settings === undefined) {
      io.err(formatText(diagnostics, { colour: io.colour }));
      return 'the settings of the agent are wrong';
    }
    const servers = await serversOf(where, signal);
    if ('wrong' in servers) return servers.wrong;
    const reporter = logReporter(settings.log.level, { write: linesFor(io) });
    const { clock } = io;
    // What was planned was rendered already: it is not done twice.
    const shared: Renderer<UnitSpec> = {
      render: (snapshot, ended) => renderer.renderFor(where.environment, snapshot, ended),
      close: async () => Promise.resolve(),
    };
    const own = { clock, reporter, local: true, pid, open, renderer: shared };
    const code = await runAgent({ ...settings, ...servers }, own, signal);
    return `the agent ended with exit code ${String(code)}`;
  }
  return {
    offer: (snapshot: Snapshot, where) => {
      states.offer(snapshot);
      running ??= keep(where);
      // What goes wrong is thrown where it is waited for.
      running.catch(() => undefined);
    },
    over: over.signal,
    ended: async () => {
      stop.abort(new Error('the watching ended'));
      await running;
    },
  };
}

/** Those that were named, as they stand in an agent's settings. */
async function serversOf(
  { settings: file }: Where,
  signal: AbortSignal,
): Promise<Pick<Settings, 'mysql'> | { readonly wrong: string }> {
  if (file === undefined) return {};
  const named = await agentSettings(file, signal);
  if ('wrong' in named) return named;
  const { mysql } = named.settings;
  return mysql === undefined ? {} : { mysql };
}

/** The agent's lines as sentences, and what to do where another one leads. */
function linesFor(io: PlanIo): (text: string) => void {
  const print = createPrinter(io, () => io.clock.nowMs());
  return (text) => {
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const { text: said, tone } = describeEvent(line);
      print.line(said, tone);
      if (said.startsWith('follows ')) {
        const stage = '`./rehearse --fresh --no-agent` builds a stage without agents';
        print.plain(
          `an agent leads here already, and nothing is applied from this folder: ${stage}`,
        );
      }
    }
  };
}
