import { z } from 'zod';

import type { CallOutcome } from '../../../core/kind.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import { type Ask, asker, Unseen, unlessAbsent } from '../asking.ts';
import { KnownDetails } from '../details.ts';
import type { Ceph } from '../driver.ts';
import { NO_GROUP, type Place } from '../observed.ts';
import { mayPoolsGo } from '../pool-deletion.ts';
import { readCluster } from '../read-cluster.ts';
import { Names } from '../shapes.ts';
import { presenceOf, type ThingLook } from './judge.ts';
import type { PurgePlace, PurgeThing } from './thing.ts';

/** The way of a person to a cluster. */
export interface Reach {
  readonly ceph: Ceph;
  readonly client: string;
  readonly clock: Clock;
}

/** Looks at all that counts. Writes nothing. Rejects with the signal's reason. */
export async function lookAt(
  place: PurgePlace,
  { ceph, client, clock }: Reach,
  signal: AbortSignal,
): Promise<CallOutcome<ThingLook>> {
  const details = new KnownDetails(() => clock.nowMs());
  // What all others may do is told with those of one.
  const wanted = { clients: new Set([client]), places: placesOf(place) };
  const sight = await readCluster({ ceph, clock, details }, wanted, signal);
  if (sight.status !== 'seen') return notSeen(sight);
  const { seen } = sight;
  const ask = asker({ ceph, clock }, signal);
  try {
    const isThere = presenceOf(place, seen) === 'there';
    const snapshots = isThere && place.what === 'ceph-subvolume' ? await askSnapshots(ask, place) : []; // prettier-ignore
    const isJoinable = !(isThere && place.what === 'ceph-filesystem') || (await askJoinable(ask, place)); // prettier-ignore
    const poolsMayGo = place.what === 'ceph-pool' ? await mayPoolsGo(ceph, signal) : undefined;
    const look = { seen, snapshots, isJoinable, ...(poolsMayGo !== undefined && { poolsMayGo }) };
    return { status: 'ok', value: look };
  } catch (error) {
    if (error instanceof Unseen) return notSeen(error.sight);
    throw error;
  }
}

function notSeen({ status, why }: Unseen['sight']): Exclude<CallOutcome<never>, { status: 'ok' }> {
  if (status === 'away') {
    return { status: 'refused', why, retry: 'after-replan', cause: 'unreachable' };
  }
  return { status: 'refused', why, retry: 'never' };
}

/** What of file systems is looked at beside the maps. */
function placesOf({ what, names }: PurgeThing): readonly Place[] {
  const [filesystem = '', group = '', subvolume = ''] = names;
  switch (what) {
    case 'ceph-pool':
      return [];
    case 'ceph-filesystem':
      return [{ filesystem, group: NO_GROUP }];
    case 'ceph-subvolume-group':
      return [{ filesystem, group }];
    case 'ceph-subvolume':
      return [{ filesystem, group, subvolume }];
  }
}

async function askSnapshots(ask: Ask, { names }: PurgeThing): Promise<readonly string[]> {
  const [first = '', second = '', third = ''] = names;
  const words = {
    prefix: 'fs subvolume snapshot ls',
    vol_name: first,
    ...(second !== NO_GROUP && { group_name: second }),
    sub_name: third,
  };
  const question = {
    to: 'mgr',
    words,
    shape: Names,
    caps: "mgr 'allow module volumes r'",
  } as const;
  return ((await unlessAbsent(ask(question))) ?? []).map(({ name }) => name);
}

/** Bit of a file system's flags: its daemons may not take it up. */
const NOT_JOINABLE = 1;
const FilesystemFlags = z.looseObject({ mdsmap: z.looseObject({ flags: z.int().nonnegative() }) });

async function askJoinable(ask: Ask, { names: [name = ''] }: PurgeThing): Promise<boolean> {
  const words = { prefix: 'fs get', fs_name: name };
  const question = { to: 'mon', words, shape: FilesystemFlags, caps: "mon 'allow r'" } as const;
  const read = await unlessAbsent(ask(question));
  return read === undefined || (read.mdsmap.flags & NOT_JOINABLE) === 0;
}
