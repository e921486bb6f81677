import { z } from 'zod';

import type { SecretDriver } from './spec.ts';
import { textMap } from './text-map.ts';

/** The plugin of a secret in the engine's answer; a secret without one may have an empty one. */
export const driver = z
  .looseObject({
    Name: z.string().nullish(),
    Options: textMap.nullish(),
  })
  .nullish();

/** Pure. Absent where no plugin holds the content. */
export function driverOf(one: z.output<typeof driver>): { readonly driver?: SecretDriver } {
  const name = one?.Name ?? '';
  const options = one?.Options ?? {};
  if (name === '') return {};
  return { driver: { name, ...(Object.keys(options).length > 0 && { options }) } };
}
