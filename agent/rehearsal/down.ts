// Entry for `./rehearse --down`: it imports nothing but Node's own modules, so that a stage can be removed when the
// project's packages are missing or broken.
import process from 'node:process';
import { createPrinter, wantsColour } from '../cli/printer.ts';
import { parseRehearse, rehearseUsage, wrongUse } from './arguments.ts';
import { lowerStage } from './lower.ts';
import { StageOptionError } from './plan.ts';

const print = createPrinter(
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    colour: wantsColour(process.stdout, process.env),
  },
  () => performance.now(),
);

async function main(args: readonly string[]): Promise<number> {
  const wanted = parseRehearse(args);
  if (typeof wanted === 'string') {
    print.error(wrongUse(wanted));
    return 2;
  }
  if (wanted.help) {
    process.stdout.write(rehearseUsage);
    return 0;
  }
  try {
    const left = await lowerStage({ ...wanted.stage, removePackages: !wanted.keepPackages }, print);
    return left.length === 0 ? 0 : 1;
  } catch (cause) {
    if (!(cause instanceof StageOptionError)) throw cause;
    print.error(wrongUse(cause.message));
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
