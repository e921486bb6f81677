import type { Path } from '../../../core/parse.ts';
import type { RestartPolicy } from '../engine-api.ts';
import type { Notes } from './notes.ts';

/**
 * `restart` of a service without `deploy.restart_policy`: the Docker CLI calls it ignored and makes a policy of it all the
 * same. `always:3` is `always`.
 */
export function convertOldRestart(
  written: string | undefined,
  path: Path,
  notes: Notes,
): RestartPolicy | undefined {
  if (written === undefined || written === '') return undefined;
  const [, word = '', count] = /^([^:]*)(?::(.*))?$/s.exec(written) ?? [];
  const isCount = count === undefined || count === '' || /^\+?\d{1,15}$/.test(count);
  if (isCount) {
    switch (word) {
      case 'no':
        return undefined;
      case 'always':
      case 'unless-stopped':
        return { Condition: 'any' };
      case 'on-failure':
        return { Condition: 'on-failure', MaxAttempts: Number(count ?? 0) };
    }
  }
  notes.error(
    'wrong-value',
    path,
    isCount ? 'there is no such restart policy' : 'this is not a number of attempts',
    'write `deploy.restart_policy`, or `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`',
  );
  return undefined;
}
