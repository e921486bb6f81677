import { type Place, placeOf, type StageGround } from '../place.ts';

/** Where the MySQL Router of a stage lives. */
export type RouterPlace = Place;

/** As MySQL's own set-up gives it to whoever reads and writes. */
export const routerPort = 6446;

/** Pure. */
export function routerPlaceOf(stage: StageGround): RouterPlace {
  return placeOf(stage, { called: 'router', last: 36, folder: 'router' });
}
