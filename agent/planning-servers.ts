import { randomBytes } from 'node:crypto';

import type { Settings } from '../schemas/settings.ts';
import type { Kind } from './core/kind.ts';
import { mysqlKind, unknownServers } from './providers/mysql/kind.ts';
import type { MysqlCall } from './providers/mysql/observed.ts';
import type { MysqlSpec } from './providers/mysql/spec.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';
import type { Clock } from './reconcile/ports.ts';
import { readSettingsFile, SETTINGS_FILE } from './settings-file.ts';

/** The servers as one who plans knows them. */
export interface PlannedServers {
  readonly kind: Kind<MysqlSpec, MysqlObserved, MysqlCall>;
  readonly sights: MysqlObserved['servers'];
  /** Why they were not looked at. */
  readonly why?: string;
}

/** The servers of an agent whose settings name none. */
export function noServers(): PlannedServers {
  return { kind: mysqlKind((bytes) => randomBytes(bytes)), sights: new Map() };
}

/**
 * Looks at the servers that the agent's settings name, and writes nothing. Without a file those of an agent on this machine, if
 * there is one. `wrong`: the file that was named cannot be used. Throws the signal's reason.
 */
export async function lookAtServers(
  file: string | undefined,
  clock: Clock,
  signal: AbortSignal,
  usual = SETTINGS_FILE,
): Promise<PlannedServers | { readonly wrong: string }> {
  const found = await agentSettings(file, signal, usual);
  if ('wrong' in found) return file === undefined ? unseen(found.wrong) : found;
  const { settings } = found;
  const { mysql, environment: owner } = settings;
  if (mysql === undefined) return noServers();
  const { kind } = noServers();
  const { openServers } = await import('./providers/mysql/servers.ts');
  const guard = { refusal: () => 'a plan writes nothing' };
  const servers = openServers(mysql, { clock, guard, term: () => 0, holder: '', owner });
  try {
    return { kind, sights: await servers.observe(Object.keys(mysql), signal) };
  } finally {
    servers.close();
  }
}

function unseen(why: string): PlannedServers {
  return { kind: unknownServers, sights: new Map(), why };
}

/**
 * The settings of the agent in this file, or of the one on this machine. Its repository is not looked at, nor flags and environment that
 * it may have been started with. `wrong`: why they cannot be used. Throws the signal's reason.
 */
export async function agentSettings(
  file: string | undefined,
  signal: AbortSignal,
  usual = SETTINGS_FILE,
): Promise<{ readonly settings: Settings } | { readonly wrong: string }> {
  const found = await readSettingsFile(file ?? usual, signal);
  if (found.status !== 'read') {
    const why = `the agent's settings ${found.path} cannot be read: ${found.why}`;
    return { wrong: file === undefined ? `${why}; \`--settings FILE\` names others` : why };
  }
  // What reads YAML takes a while to load: only where there is some.
  const { readSettings } = await import('./settings.ts');
  const { settings, diagnostics } = readSettings({
    file: found,
    environment: {},
    flags: {},
    local: true,
  });
  if (settings !== undefined) return { settings };
  const [first] = diagnostics;
  return { wrong: `the agent's settings ${found.path} are wrong: ${first?.message ?? ''}` };
}
