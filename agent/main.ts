import { isatty } from 'node:tty';

import { commands, type Process } from './commands.ts';
import { wantsColour } from './cli/printer.ts';
import { suggest } from './core/suggest.ts';
import { SourceError } from './reconcile/ports.ts';
import { version } from './version.ts';

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
  'Exit codes: 0 done, 1 failed or refused, 2 wrong use, 3 repository invalid, 4 `plan --exit-code` or `lock --check` has',
  '            changes, 5 something is held, 6 the Swarm, or an agent on it, cannot be reached.',
  '',
].join('\n');

async function main(args: readonly string[], io: Process, signal: AbortSignal): Promise<number> {
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
    const meant = suggest(verb, Object.keys(commands));
    const hint = meant === undefined ? '' : ` did you mean \`${meant}\`?`;
    io.err(`understudy: unknown command \`${verb}\`;${hint} understudy --help lists them all\n`);
    return 2;
  }
  const loaded = await command.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(loaded.usage);
    return 0;
  }
  return loaded.run(rest, io, signal);
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

const io: Process = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: wantsColour(process.stdout, process.env),
  environment: process.env,
  pid: process.pid,
  isWatched: process.stderr.isTTY,
  ...(process.stdout.isTTY && { columns: process.stdout.columns }),
  // What a command answers may go to a file, and what it asks may not.
  ...(isatty(0) &&
    isatty(2) && { terminal: () => ({ input: process.stdin, output: process.stderr }) }),
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
