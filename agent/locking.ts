import { homedir } from 'node:os';

import type { LockIo } from './cli/lock.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { readDockerLogins } from './registry/docker-logins.ts';
import { openRegistries } from './registry/registries.ts';

/** What the command `lock` takes from this machine. */
export function lockIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
  progress: boolean,
): LockIo {
  return {
    ...output,
    clock: systemClock,
    progress,
    registries: async (insecure) => {
      const logins = await readDockerLogins({ environment, home: homedir() });
      if (logins.status !== 'ok') return logins;
      return openRegistries({ clock: systemClock, login: logins.login, insecure });
    },
  };
}
