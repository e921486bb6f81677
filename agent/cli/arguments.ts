import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/** `--help` and `-h`, which every verb has. */
export const HELP = { help: { type: 'boolean', short: 'h' } } as const;

/** Pure. The arguments of a verb by its options; or, in the one sentence of parseArgs, what it does not know. */
export function parsedArguments<const Of extends Options>(args: readonly string[], options: Of) {
  return parsed({ args: [...args], allowPositionals: true, options });
}

/** Pure. The same for a verb to which nothing is named. */
export function parsedOptions<const Of extends Options>(args: readonly string[], options: Of) {
  return parsed({ args: [...args], options });
}

function parsed<const Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
