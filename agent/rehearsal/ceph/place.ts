import { type Place, placeOf, type StageGround } from '../place.ts';

/** Where the cluster of a stage lives. */
export type CephPlace = Place;

/** Pure. */
export function cephPlaceOf(stage: StageGround): CephPlace {
  return placeOf(stage, { called: 'ceph', last: 41, folder: 'ceph.d' });
}
