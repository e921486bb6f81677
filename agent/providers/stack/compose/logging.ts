import type { Logging } from '../../../../schemas/compose-container.ts';
import type { Path } from '../../../core/parse.ts';
import type { TaskTemplate } from '../engine-api.ts';
import { judgeLogOption } from './log-address.ts';
import type { Context } from './context.ts';
import { nonEmpty, present } from './present.ts';

/** Logging drivers that are part of the engine; all others are plugins. Without a name it is the engine's default. */
export const ENGINE_DRIVERS: ReadonlySet<string> = new Set(
  ' none local json-file syslog journald gelf fluentd awslogs splunk etwlogs gcplogs logentries'.split(
    ' ',
  ),
);

/** `logging`. A key that is there gives a driver, even an empty one. */
export function convertLogging(
  written: Logging | undefined,
  path: Path,
  context: Context,
): TaskTemplate['LogDriver'] {
  if (written === undefined) return undefined;
  const { driver = '', options = {} } = written;
  const { allow, notes } = context;
  if (!ENGINE_DRIVERS.has(driver) && !allow.plugins) {
    notes.error(
      'not-allowed',
      [...path, 'driver'],
      `the policy does not allow the logging driver \`${driver}\``,
      'set `policy.allow.plugins: true` in the environment, or use a driver of the engine such as `json-file`',
    );
  }
  for (const [key, value] of Object.entries(options)) {
    const refusal = judgeLogOption(value ?? '', allow);
    if (refusal !== undefined)
      notes.error('not-allowed', [...path, 'options', key], refusal.message, refusal.hint);
  }
  const pairs = Object.entries(options).map(([key, value]) => [key, value ?? ''] as const);
  return present({
    Name: nonEmpty(driver),
    Options: pairs.length === 0 ? undefined : Object.fromEntries(pairs),
  });
}
