import { randomBytes } from 'node:crypto';

import type { Settings } from '../schemas/settings.ts';
import { childProcesses } from './child-processes.ts';
import type { Id } from './core/kind.ts';
import { kindsWith } from './kinds.ts';
import { unknownClusters } from './providers/ceph/kind.ts';
import type { CephObserved } from './providers/ceph/unit-diff.ts';
import { unknownServers } from './providers/mysql/kind.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { Clock } from './reconcile/ports.ts';
import { readSettingsFile, SETTINGS_FILE } from './settings-file.ts';
import type { Kinds } from './unit-kind.ts';

/** The servers and clusters as one who plans knows them. */
export interface PlannedPlaces {
  readonly kinds: Kinds<StackObserved & MysqlObserved, StackObserved & CephObserved>;
  readonly sights: MysqlObserved['servers'];
  /** As whom the agent signs what it makes in clusters. */
  readonly owner: string;
  /** Looks at all of them, as far as these units need it, and writes nothing. Rejects with the signal's reason. */
  lookAtClusters(ids: readonly Id[], signal: AbortSignal): Promise<CephObserved['clusters']>;
  /** Why nothing of them was looked at. */
  readonly why?: string;
}

const noClusters: PlannedPlaces['lookAtClusters'] = async () => Promise.resolve(new Map());

/** What is known of an agent whose settings name nothing beside the Swarm. */
export function noServers(): PlannedPlaces {
  const kinds = kindsWith((bytes) => randomBytes(bytes));
  return { kinds, sights: new Map(), owner: '', lookAtClusters: noClusters };
}

/**
 * Looks at the servers that the agent's settings name, and writes nothing; at the clusters it is looked when it is known for what.
 * Without a file those of an agent on this machine, if there is one. `wrong`: the file that was named cannot be used. Throws the
 * signal's reason.
 */
export async function lookAtServers(
  file: string | undefined,
  clock: Clock,
  signal: AbortSignal,
  usual = SETTINGS_FILE,
): Promise<PlannedPlaces | { readonly wrong: string }> {
  const found = await agentSettings(file, signal, usual);
  if ('wrong' in found) return file === undefined ? unseen(found.wrong) : found;
  const { settings } = found;
  const { mysql, ceph, environment: owner } = settings;
  const places = {
    ...noServers(),
    owner,
    ...(ceph && { lookAtClusters: looking(settings, clock) }),
  };
  if (mysql === undefined) return places;
  const { openServers } = await import('./providers/mysql/servers.ts');
  const servers = openServers(mysql, { clock, guard, term: () => 0, holder: '', owner });
  try {
    return { ...places, sights: await servers.observe(Object.keys(mysql), signal) };
  } finally {
    servers.close();
  }
}

const guard = { refusal: () => 'a plan writes nothing' };
/** There is no other look that would have what came of this one. Milliseconds. */
const LOOK_MS = 40_000;
const ports = { guard, processes: childProcesses, waitMs: LOOK_MS };

function looking(
  { ceph, environment: owner }: Pick<Settings, 'ceph' | 'environment'>,
  clock: Clock,
): PlannedPlaces['lookAtClusters'] {
  return async (ids, signal) => {
    const { openClusters } = await import('./providers/ceph/clusters.ts');
    const clusters = openClusters(ceph ?? {}, { ...ports, clock, owner });
    try {
      return await clusters.observe(ids, signal);
    } finally {
      clusters.close();
    }
  };
}

function unseen(why: string): PlannedPlaces {
  const unlooked = { ...noServers().kinds, servers: unknownServers, clusters: unknownClusters };
  return { ...noServers(), kinds: unlooked, why };
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
