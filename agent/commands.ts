import { adoptIo } from './adopting.ts';
import { openApplier } from './applying.ts';
import { adoptCommand } from './cli/adopt.ts';
import { adoptUsage } from './cli/adopt-options.ts';
import { askCommand } from './cli/ask.ts';
import { askUsage, type Verb } from './cli/ask-options.ts';
import { doctorCommand } from './cli/doctor.ts';
import { doctorUsage } from './cli/doctor-options.ts';
import { freezeCommand } from './cli/freeze.ts';
import { type FreezeVerb, freezeUsage } from './cli/freeze-options.ts';
import { getCommand } from './cli/get.ts';
import { historyCommand } from './cli/history.ts';
import { lockCommand } from './cli/lock.ts';
import { lockUsage } from './cli/lock-options.ts';
import { planCommand } from './cli/plan.ts';
import { planUsage } from './cli/plan-options.ts';
import { watchPlans } from './cli/plan-watch.ts';
import type { Output } from './cli/printer.ts';
import { reconcileCommand } from './cli/reconcile.ts';
import { reconcileUsage } from './cli/reconcile-options.ts';
import { sealCommand } from './cli/seal.ts';
import { sealUsage, type SealVerb } from './cli/seal-options.ts';
import { sightUsage } from './cli/sight-options.ts';
import { validateCommand, validateUsage } from './cli/validate.ts';
import { systemClock } from './clock.ts';
import { askIo } from './desk.ts';
import { lockIo } from './locking.ts';
import { doctorIo } from './doctoring.ts';
import { planIo } from './planning.ts';
import { rehearseCommand, rehearseUsage } from './rehearsal/command.ts';
import { sightIo } from './sight.ts';
import { agentCommand, agentUsage } from './start.ts';

/** What a command has of its process. */
export interface Process extends Output {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** A person sees at once what is written to standard error. */
  readonly isWatched: boolean;
  /** Of the terminal; absent where there is none. */
  readonly columns?: number;
}

/** One verb of the command line. */
export interface Command {
  /** One line for the list of all. */
  readonly summary: string;
  readonly usage: string;
  /** Gives the exit code. */
  run(args: readonly string[], io: Process, signal: AbortSignal): Promise<number>;
}

/** All verbs, in the order of the list. */
export const commands: Readonly<Record<string, Command>> = {
  validate: {
    summary: 'show every mistake in a folder, without a cluster',
    usage: validateUsage,
    run: (args, io, signal) => validateCommand(args, { ...io, clock: systemClock }, signal),
  },
  lock: {
    summary: 'write images.lock.yaml: the digest that each tag has in its registry now',
    usage: lockUsage,
    run: (args, io, signal) => lockCommand(args, lockIo(io, io.environment, io.isWatched), signal),
  },
  plan: {
    summary: 'show what a change would do, on this Swarm or between two revisions',
    usage: planUsage,
    run: (args, io, signal) =>
      planCommand(args, planIo(io, io.environment, io.isWatched), watchWith(io.pid), signal),
  },
  get: {
    summary: 'show every unit: in sync or not, healthy or not, and why',
    usage: sightUsage.get,
    run: (args, io, signal) => getCommand(args, sightIo(io, io.environment, io.columns), signal),
  },
  history: {
    summary: 'show the last revisions and how they ended, or what one unit came to',
    usage: sightUsage.history,
    run: (args, io, signal) =>
      historyCommand(args, sightIo(io, io.environment, io.columns), signal),
  },
  reconcile: {
    summary: 'look at the repository now',
    usage: reconcileUsage,
    run: (args, io, signal) => reconcileCommand(args, askIo(io, io.environment), signal),
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
    usage: adoptUsage,
    run: (args, io, signal) => adoptCommand(args, adoptIo(io, io.environment), signal),
  },
  doctor: {
    summary: 'look for what brings the Swarm down some day',
    usage: doctorUsage,
    run: (args, io, signal) => doctorCommand(args, doctorIo(io, io.environment), signal),
  },
  keygen: sealing('keygen', 'make a key for encrypted files'),
  encrypt: sealing('encrypt', 'encrypt a file of the repository, as SOPS does'),
  decrypt: sealing('decrypt', 'show what is in an encrypted file'),
  edit: sealing('edit', 'change an encrypted file in an editor'),
  rehearse: {
    summary: 'bring a real Swarm up on this machine and try the repository on it',
    usage: rehearseUsage,
    run: rehearseCommand,
  },
  agent: {
    summary: 'follow the repository and bring the Swarm to it',
    usage: agentUsage,
    run: (args, io, signal) =>
      agentCommand(args, { io, environment: io.environment, pid: io.pid }, signal),
  },
};

function sealing(verb: SealVerb, summary: string): Command {
  return {
    summary,
    usage: sealUsage[verb],
    run: (args, io, signal) =>
      sealCommand(verb, args, { ...io, date: () => systemClock.date() }, signal),
  };
}

function asking(verb: Verb, summary: string): Command {
  return {
    summary,
    usage: askUsage[verb],
    run: (args, io, signal) => askCommand(verb, args, askIo(io, io.environment), signal),
  };
}

function freezing(verb: FreezeVerb, summary: string): Command {
  return {
    summary,
    usage: freezeUsage[verb],
    run: (args, io, signal) => freezeCommand(verb, args, askIo(io, io.environment), signal),
  };
}

/** Plans of a folder that is watched; what is saved is applied by an agent in this process. */
function watchWith(pid: number): Parameters<typeof planCommand>[2] {
  return (wanted, io, renderer, ended) =>
    watchPlans(
      wanted,
      { io, renderer, openApplier: (using, stop) => openApplier({ ...using, pid }, stop) },
      ended,
    );
}
