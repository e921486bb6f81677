import type { askCommand } from './cli/ask.ts';
import type { freezeCommand } from './cli/freeze.ts';
import type { PlanStart, PlanWatch } from './cli/plan.ts';
import type { Output } from './cli/printer.ts';
import type { sealCommand } from './cli/seal.ts';

/** What a command has of its process. */
export interface Process extends Output {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** A person sees at once what is written to standard error. */
  readonly isWatched: boolean;
  /** Of the terminal; absent where there is none. */
  readonly columns?: number;
  /** A person who can be asked; absent where there is none. */
  readonly terminal?: () => {
    readonly input: NodeJS.ReadableStream;
    readonly output: NodeJS.WritableStream;
  };
}

/** What a verb does. */
export interface Command {
  readonly usage: string;
  /** Gives the exit code. */
  run(args: readonly string[], io: Process, signal: AbortSignal): Promise<number>;
}

/** One verb of the command line. What it does is loaded where it is wanted: all of them together take half a second. */
export interface Verb {
  /** One line for the list of all. */
  readonly summary: string;
  load(): Promise<Command>;
}

/** All verbs, in the order of the list. */
export const commands: Readonly<Record<string, Verb>> = {
  validate: {
    summary: 'show every mistake in a folder, without a cluster',
    load: async () => {
      const { validateCommand, validateUsage: usage } = await import('./cli/validate.ts');
      const { systemClock: clock } = await import('./clock.ts');
      return { usage, run: (args, io, signal) => validateCommand(args, { ...io, clock }, signal) };
    },
  },
  lock: {
    summary: 'write images.lock.yaml: the digest that each tag has in its registry now',
    load: async () => {
      const { lockUsage: usage } = await import('./cli/lock-options.ts');
      const { lockCommand } = await import('./cli/lock.ts');
      const { lockIo } = await import('./locking.ts');
      return {
        usage,
        run: (args, io, signal) =>
          lockCommand(args, lockIo(io, io.environment, io.isWatched), signal),
      };
    },
  },
  plan: {
    summary: 'show what a change would do, on this Swarm or between two revisions',
    load: async () => {
      const { planUsage: usage } = await import('./cli/plan-options.ts');
      const { planCommand } = await import('./cli/plan.ts');
      const { systemClock: clock } = await import('./clock.ts');
      return {
        usage,
        run: (args, io, signal) =>
          planCommand(args, { ...io, clock, load: async () => loadPlanning(io) }, signal),
      };
    },
  },
  get: {
    summary: 'show every unit: in sync or not, healthy or not, and why',
    load: async () => {
      const { sightUsage } = await import('./cli/sight-options.ts');
      const { getCommand } = await import('./cli/get.ts');
      const { sightIo } = await import('./sight.ts');
      return {
        usage: sightUsage.get,
        run: (args, io, signal) =>
          getCommand(args, sightIo(io, io.environment, io.columns), signal),
      };
    },
  },
  history: {
    summary: 'show the last revisions and how they ended, or what one unit came to',
    load: async () => {
      const { sightUsage } = await import('./cli/sight-options.ts');
      const { historyCommand } = await import('./cli/history.ts');
      const { sightIo } = await import('./sight.ts');
      return {
        usage: sightUsage.history,
        run: (args, io, signal) =>
          historyCommand(args, sightIo(io, io.environment, io.columns), signal),
      };
    },
  },
  reconcile: {
    summary: 'look at the repository now',
    load: async () => {
      const { reconcileUsage: usage } = await import('./cli/reconcile-options.ts');
      const { reconcileCommand } = await import('./cli/reconcile.ts');
      const { askIo } = await import('./desk.ts');
      return {
        usage,
        run: (args, io, signal) => reconcileCommand(args, askIo(io, io.environment), signal),
      };
    },
  },
  retry: asking('retry', 'try once more what failed: a unit that is quarantined or stuck'),
  rollback: asking('rollback', 'take a unit back to an earlier healthy release'),
  suspend: asking('suspend', 'let nothing be called for one unit, until it is resumed'),
  resume: asking('resume', 'let a suspended unit go on where it stood'),
  freeze: freezing('freeze', 'let nothing be called anywhere, with or without an agent'),
  unfreeze: freezing('unfreeze', 'end a freeze'),
  approve: asking(
    'approve',
    'release what is held: removals, or a stack that was there before and differs',
  ),
  adopt: {
    summary: 'write a stack that runs back as a Compose file',
    load: async () => {
      const { adoptUsage: usage } = await import('./cli/adopt-options.ts');
      const { adoptCommand } = await import('./cli/adopt.ts');
      const { adoptIo } = await import('./adopting.ts');
      return {
        usage,
        run: (args, io, signal) => adoptCommand(args, adoptIo(io, io.environment), signal),
      };
    },
  },
  purge: {
    summary: 'delete a database whose document is gone, with your own login',
    load: async () => {
      const { purgeUsage: usage } = await import('./cli/purge-options.ts');
      const { purgeCommand } = await import('./cli/purge.ts');
      const { purgeIo } = await import('./purging.ts');
      return {
        usage,
        run: (args, io, signal) =>
          purgeCommand(args, purgeIo(io, io.environment, io.terminal?.()), signal),
      };
    },
  },
  doctor: {
    summary: 'look for what brings the Swarm down some day',
    load: async () => {
      const { doctorUsage: usage } = await import('./cli/doctor-options.ts');
      const { doctorCommand } = await import('./cli/doctor.ts');
      const { doctorIo } = await import('./doctoring.ts');
      return {
        usage,
        run: (args, io, signal) => doctorCommand(args, doctorIo(io, io.environment), signal),
      };
    },
  },
  keygen: sealing('keygen', 'make a key for encrypted files'),
  encrypt: sealing('encrypt', 'encrypt a file of the repository, as SOPS does'),
  decrypt: sealing('decrypt', 'show what is in an encrypted file'),
  edit: sealing('edit', 'change an encrypted file in an editor'),
  rehearse: {
    summary: 'bring a real Swarm up on this machine and try the repository on it',
    load: async () => {
      const { rehearseCommand, rehearseUsage } = await import('./rehearsal/command.ts');
      return { usage: rehearseUsage, run: rehearseCommand };
    },
  },
  agent: {
    summary: 'follow the repository and bring the Swarm to it',
    load: async () => {
      const { agentCommand, agentUsage } = await import('./start.ts');
      return {
        usage: agentUsage,
        run: (args, io, signal) =>
          agentCommand(args, { io, environment: io.environment, pid: io.pid }, signal),
      };
    },
  },
};

function sealing(verb: Parameters<typeof sealCommand>[0], summary: string): Verb {
  return {
    summary,
    load: async () => {
      const { sealUsage } = await import('./cli/seal-options.ts');
      const { sealCommand } = await import('./cli/seal.ts');
      const { systemClock } = await import('./clock.ts');
      return {
        usage: sealUsage[verb],
        run: (args, io, signal) =>
          sealCommand(verb, args, { ...io, date: () => systemClock.date() }, signal),
      };
    },
  };
}

function asking(verb: Parameters<typeof askCommand>[0], summary: string): Verb {
  return {
    summary,
    load: async () => {
      const { askUsage } = await import('./cli/ask-options.ts');
      const { askCommand } = await import('./cli/ask.ts');
      const { askIo } = await import('./desk.ts');
      return {
        usage: askUsage[verb],
        run: (args, io, signal) => askCommand(verb, args, askIo(io, io.environment), signal),
      };
    },
  };
}

function freezing(verb: Parameters<typeof freezeCommand>[0], summary: string): Verb {
  return {
    summary,
    load: async () => {
      const { freezeUsage } = await import('./cli/freeze-options.ts');
      const { freezeCommand } = await import('./cli/freeze.ts');
      const { askIo } = await import('./desk.ts');
      return {
        usage: freezeUsage[verb],
        run: (args, io, signal) => freezeCommand(verb, args, askIo(io, io.environment), signal),
      };
    },
  };
}

async function loadPlanning(io: Process): ReturnType<PlanStart['load']> {
  const { planIo } = await import('./planning.ts');
  return { io: planIo(io, io.environment, io.isWatched), watch: watchWith(io.pid) };
}

/** Plans of a folder that is watched; what is saved is applied by an agent in this process. */
function watchWith(pid: number): PlanWatch {
  return async (wanted, io, renderer, ended) => {
    const { watchPlans } = await import('./cli/plan-watch.ts');
    const { openApplier } = await import('./applying.ts');
    return watchPlans(
      wanted,
      { io, renderer, openApplier: (using, stop) => openApplier({ ...using, pid }, stop) },
      ended,
    );
  };
}
