import { openApplier } from './applying.ts';
import { agentCommand, agentUsage } from './start.ts';
import { askCommand } from './cli/ask.ts';
import { askUsage } from './cli/ask-options.ts';
import { freezeCommand } from './cli/freeze.ts';
import { freezeUsage } from './cli/freeze-options.ts';
import { planCommand } from './cli/plan.ts';
import { planUsage } from './cli/plan-options.ts';
import { watchPlans } from './cli/plan-watch.ts';
import { type Output, wantsColour } from './cli/printer.ts';
import { validateCommand, validateUsage } from './cli/validate.ts';
import { systemClock } from './clock.ts';
import { askIo } from './desk.ts';
import { planIo } from './planning.ts';
import { SourceError } from './reconcile/ports.ts';
import { rehearseCommand, rehearseUsage } from './rehearsal/command.ts';
import { version } from './version.ts';

/** One verb of the command line. */
interface Command {
  readonly usage: string;
  readonly summary: string;
  run(args: readonly string[], io: Output, signal: AbortSignal): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  validate: {
    summary: 'show every mistake in a folder, without a cluster',
    usage: validateUsage,
    run: (args, io, signal) => validateCommand(args, { ...io, clock: systemClock }, signal),
  },
  plan: {
    summary: 'show what a change would do, on this Swarm or between two revisions',
    usage: planUsage,
    run: (args, io, signal) =>
      planCommand(
        args,
        planIo(io, process.env, process.stderr.isTTY),
        (wanted, io, renderer, ended) =>
          watchPlans(
            wanted,
            {
              io,
              renderer,
              openApplier: (using, stop) => openApplier({ ...using, pid: process.pid }, stop),
            },
            ended,
          ),
        signal,
      ),
  },
  retry: {
    summary: 'try once more what failed: a unit that is quarantined or stuck',
    usage: askUsage.retry,
    run: (args, io, signal) => askCommand('retry', args, askIo(io, process.env), signal),
  },
  rollback: {
    summary: 'take a unit back to an earlier healthy release',
    usage: askUsage.rollback,
    run: (args, io, signal) => askCommand('rollback', args, askIo(io, process.env), signal),
  },
  suspend: {
    summary: 'let nothing be called for one unit, until it is resumed',
    usage: askUsage.suspend,
    run: (args, io, signal) => askCommand('suspend', args, askIo(io, process.env), signal),
  },
  resume: {
    summary: 'let a suspended unit go on where it stood',
    usage: askUsage.resume,
    run: (args, io, signal) => askCommand('resume', args, askIo(io, process.env), signal),
  },
  freeze: {
    summary: 'let nothing be called anywhere, with or without an agent',
    usage: freezeUsage.freeze,
    run: (args, io, signal) => freezeCommand('freeze', args, askIo(io, process.env), signal),
  },
  unfreeze: {
    summary: 'end a freeze',
    usage: freezeUsage.unfreeze,
    run: (args, io, signal) => freezeCommand('unfreeze', args, askIo(io, process.env), signal),
  },
  approve: {
    summary: 'release what is held: removals, or a stack that was there before and differs',
    usage: askUsage.approve,
    run: (args, io, signal) => askCommand('approve', args, askIo(io, process.env), signal),
  },
  rehearse: {
    summary: 'bring a real Swarm up on this machine and try the repository on it',
    usage: rehearseUsage,
    run: rehearseCommand,
  },
  agent: {
    summary: 'follow the repository and bring the Swarm to it',
    usage: agentUsage,
    run: (args, io, signal) =>
      agentCommand(args, { io, environment: process.env, pid: process.pid }, signal),
  },
};

const width = Math.max(...Object.keys(commands).map(({ length }) => length));
const usage = [
  'Usage: understudy COMMAND [OPTIONS]',
  '',
  'GitOps for Docker Swarm: the stacks in a Git repository become running services.',
  '',
  'Commands:',
  ...Object.entries(commands).map(([verb, { summary }]) => `  ${verb.padEnd(width)}  ${summary}`),
  '',
  'understudy COMMAND --help says more. --version prints the version.',
  'Exit codes: 0 done, 1 failed, 2 wrong use, 3 repository invalid, 4 changes (plan --exit-code), 6 cluster not reachable.',
  '',
].join('\n');

async function main(args: readonly string[], io: Output, signal: AbortSignal): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === undefined) {
    io.err(usage);
    return 2;
  }
  if (verb === 'help' || verb === '--help' || verb === '-h') {
    io.out(usage);
    return 0;
  }
  if (verb === '--version' || verb === '-V') {
    io.out(`understudy ${version}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (command === undefined) {
    io.err(`understudy: unknown command \`${verb}\`; understudy --help lists them\n`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(command.usage);
    return 0;
  }
  return command.run(rest, io, signal);
}

/** The first signal asks to stop, the second one does not ask. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(1);
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return stop.signal;
}

const io: Output = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: wantsColour(process.stdout, process.env),
};

// A reader that closes the pipe (`| head`) is no mistake of ours. A full disk is: an agent must not end as if asked to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  process.exitCode = await main(process.argv.slice(2), io, stopSignal());
} catch (error) {
  if (error instanceof SourceError) {
    io.err(`understudy: ${error.message}\n`);
    process.exit(1);
  }
  const bug: unknown = error;
  const text = bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
  io.err(`understudy: a bug, please report it\n${text}\n`);
  process.exitCode = 1;
}
