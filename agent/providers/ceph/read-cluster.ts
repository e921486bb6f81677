import type { z } from 'zod';

import type { Clock } from '../../reconcile/ports.ts';
import { type Ask, asker, type Question, Unseen } from './asking.ts';
import type { DetailsLook, KnownDetails } from './details.ts';
import type { Ceph } from './driver.ts';
import { crushIn, filesystemsIn, poolsIn, profilesIn, rulesIn } from './maps.ts';
import type { ClusterSeen, ClusterSight, Wanted } from './observed.ts';
import { AuthLs, CrushDump, Df, FsDump, Marks, OsdDump, Status, Versions } from './shapes.ts';
import {
  clientsIn,
  daemonsIn,
  healthIn,
  MARK_PREFIX,
  marksIn,
  placementIn,
  releaseIn,
} from './states.ts';
import { readVolumes } from './volumes.ts';

const READ = "mon 'allow r'";

/** Also says how healthy it is. */
const STATUS = question({ prefix: 'status' }, Status);
const VERSIONS = question({ prefix: 'versions' }, Versions);
const OSD_DUMP = question({ prefix: 'osd dump' }, OsdDump);
/** With the rules. */
const CRUSH_DUMP = question({ prefix: 'osd crush dump' }, CrushDump);
const FS_DUMP = question({ prefix: 'fs dump' }, FsDump);
const DF = question({ prefix: 'df' }, Df);
const MARKS = question(
  { prefix: 'config-key dump', key: MARK_PREFIX },
  Marks,
  `mon 'allow command "config-key dump" with key prefix ${MARK_PREFIX}'`,
);
/** The keys of everybody come along. */
const CLIENTS = question({ prefix: 'auth ls' }, AuthLs, `mon 'allow command "auth ls"'`);

function question<Value>(
  words: Question<Value>['words'],
  shape: z.ZodType<Value>,
  caps = READ,
): Question<Value> {
  return { to: 'mon', words, shape, caps };
}

/**
 * Reads all of a cluster, in some eight questions whatever it holds, two more for each group of subvolumes, and one for each
 * subvolume that is wanted and of which not enough is known. Writes nothing. Rejects with the signal's reason and for nothing else.
 */
export async function readCluster(
  {
    details,
    ...ports
  }: { readonly ceph: Ceph; readonly clock: Clock; readonly details: KnownDetails },
  wanted: Wanted,
  signal: AbortSignal,
): Promise<ClusterSight> {
  const ask = asker(ports, signal);
  try {
    return await look(ask, wanted, details.begin());
  } catch (error) {
    if (error instanceof Unseen) return error.sight;
    throw error;
  }
}

async function look(ask: Ask, wanted: Wanted, details: DetailsLook): Promise<ClusterSight> {
  // First alone: where nobody answers, one wait is enough.
  const status = await ask(STATUS);
  const release = releaseIn(await ask(VERSIONS));
  if ('reason' in release) return { status: 'unusable', why: release.reason };
  const [osd, crush, fs, df, marks, clients] = await Promise.all([
    ask(OSD_DUMP),
    ask(CRUSH_DUMP),
    ask(FS_DUMP),
    ask(DF),
    ask(MARKS),
    readClients(ask, wanted.clients),
  ]);
  const filesystems = filesystemsIn(fs, osd);
  const daemons = daemonsIn(status);
  const volumes = await readVolumes(ask, wanted.places, { filesystems, daemons, details });
  details.end();
  return {
    status: 'seen',
    seen: {
      fsid: status.fsid,
      release,
      health: healthIn(status),
      daemons,
      placement: placementIn(status),
      pools: poolsIn(osd, crush, df),
      rules: rulesIn(crush),
      profiles: profilesIn(osd),
      crush: crushIn(crush),
      filesystems,
      ...clients,
      volumes,
      marks: marksIn(marks),
    },
  };
}

/** Who may not see them may see all the rest. */
async function readClients(
  ask: Ask,
  wanted: ReadonlySet<string>,
): Promise<Pick<ClusterSeen, 'clients' | 'clientsUnread'>> {
  if (wanted.size === 0) return {};
  try {
    return { clients: clientsIn(await ask(CLIENTS), wanted) };
  } catch (error) {
    if (!(error instanceof Unseen)) throw error;
    const { status, why } = error.sight;
    return { clientsUnread: { why, ...(status === 'away' && { waits: true }) } };
  }
}
