import { existsSync } from 'node:fs';
import { argv, env, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';

import { judgeLive } from './live.ts';
import { judgeFolder } from './offline.ts';
import { isEqual, report, reportJson } from './report.ts';

const HELP = `Compares what this project makes of stack files with what \`docker stack deploy\` sends for them.

  npm run parity -- FOLDER              with what was recorded in FOLDER/expected and FOLDER/rejected; no engine
  npm run parity -- --live FOLDER       any folder of stack files, deployed by the installed CLI and by our client
  --host unix:///PATH                   with --live: the engine (default: $DOCKER_HOST), a manager whose nodes are all drained
  --docker PROGRAM                      with --live: the CLI (default: docker)
  --json                                the result for programs
  --help                                this text

Prints the differences file by file and, last, their numbers. Ends with 0 where all are equal, 1 where any is not, 2 where
it could not compare. docs/parity.md says how a folder is laid out.
`;

const options = {
  live: { type: 'boolean', default: false },
  host: { type: 'string' },
  docker: { type: 'string', default: 'docker' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The exit code. */
async function main(words: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...words],
    options,
    allowPositionals: true,
  });
  if (values.help) {
    stdout.write(HELP);
    return 0;
  }
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error('name one folder; see --help');
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`);
  const host = values.host ?? env['DOCKER_HOST'] ?? '';
  if (values.live && !host.startsWith('unix:///')) {
    throw new Error('--live needs --host unix:///PATH, the socket of a drained manager');
  }
  const judged = values.live
    ? await judgeLive(folder, { docker: values.docker, socket: host.slice('unix://'.length) })
    : judgeFolder(folder);
  stdout.write(`${values.json ? reportJson(judged) : report(judged)}\n`);
  return isEqual(judged) ? 0 : 1;
}

try {
  process.exitCode = await main(argv.slice(2));
} catch (cause) {
  stderr.write(`parity: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = 2;
}
