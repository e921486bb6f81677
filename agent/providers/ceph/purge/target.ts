import type { CephClusterSettings } from '../../../../schemas/settings.ts';
import type { CallOutcome } from '../../../core/kind.ts';
import {
  againRefusals,
  type Doomed,
  type PurgeGround,
  type Purger,
  type TargetFor,
} from '../../../core/purge.ts';
import type { BridgePorts } from '../bridge.ts';
import { openCeph } from '../driver.ts';
import { type MarkOn, marksOn } from '../marks.ts';
import { wordsOf } from '../named.ts';
import { carryOut } from './carry-out.ts';
import { factsOf } from './facts.ts';
import { identityOf, keptInGit, notesOf, presenceOf, refusalsOf, type ThingLook } from './judge.ts';
import { lookAt, type Reach } from './look.ts';
import type { OwnMark } from './own-marks.ts';
import type { PurgePlace } from './thing.ts';

/** Something that holds data in one cluster of the agent's settings: of these the way to it is used, and not the agent's key. */
export function cephTarget(
  place: PurgePlace,
  { confFile, python }: CephClusterSettings,
  ports: BridgePorts,
): TargetFor<'keyring'> {
  return {
    by: 'keyring',
    what: `${wordsOf(place)} in cluster ${place.cluster}`,
    name: place.names.join('/'),
    kept: (ground) => keptInGit(place, ground),
    open: ({ user, keyringFile }) =>
      purger(place, { confFile, python, client: user, keyringFile }, ports),
  };
}

type Way = Parameters<typeof openCeph>[0];

function purger(place: PurgePlace, way: Way, ports: BridgePorts): Purger {
  async function reached<Value>(work: (reach: Reach) => Promise<Value>): Promise<Value> {
    const ceph = openCeph(way, ports);
    try {
      return await work({ ceph, client: way.client, clock: ports.clock });
    } finally {
      ceph.close();
    }
  }
  return {
    look: async (ground, signal) =>
      await reached(async (reach) => {
        const look = await lookAt(place, reach, signal);
        if (look.status !== 'ok') return look;
        return { status: 'ok', value: doomed(place, look.value, ground) };
      }),
    purge: async ({ ground, shown, deadlineMs }, signal) =>
      await reached(async (reach): Promise<CallOutcome<Doomed>> => {
        const look = await lookAt(place, reach, signal);
        if (look.status !== 'ok') return look;
        const value = doomed(place, look.value, ground);
        const refusals = [...value.refusals, ...againRefusals(shown, value)];
        if (refusals.length > 0) {
          return { status: 'refused', why: refusals.join('; '), retry: 'after-replan' };
        }
        const { isThere } = value;
        const { environment } = ground;
        const marks = marksOn(place, look.value.seen).flatMap(readable);
        const isGuarded = guardIsOn(place, look.value, marks, environment);
        const { ceph, clock } = reach;
        const { isJoinable } = look.value;
        const doom = {
          thing: place,
          isThere,
          isJoinable,
          marks,
          environment,
          isGuarded,
          ceph,
          clock,
        };
        const done = await carryOut(doom, { deadlineMs, signal });
        return done === undefined ? { status: 'ok', value } : done;
      }),
  };
}

function readable({ id, mark }: MarkOn): readonly OwnMark[] {
  return mark === 'unreadable' ? [] : [{ id, mark }];
}

/** Pure. Where a mark is a purge's already, an earlier one may have opened the guard. */
function guardIsOn(
  { what, names: [name = ''] }: PurgePlace,
  { seen, isJoinable }: ThingLook,
  marks: readonly OwnMark[],
  environment: string,
): boolean {
  if (marks.some(({ mark }) => mark.owner !== environment)) return true;
  return what === 'ceph-pool' ? seen.pools.get(name)?.flags.has('nodelete') === true : isJoinable;
}

/** Pure. */
function doomed(place: PurgePlace, look: ThingLook, ground: PurgeGround): Doomed {
  const { seen } = look;
  const isThere = presenceOf(place, seen) === 'there';
  return {
    isThere,
    host: `cluster ${place.cluster}, ${seen.fsid}`,
    identity: identityOf(place, seen),
    facts: isThere ? factsOf(place, seen) : [],
    refusals: refusalsOf(place, look, ground),
    notes: isThere ? notesOf(place, look) : [],
  };
}
