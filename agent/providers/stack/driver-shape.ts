import { z } from 'zod';

import type { SecretDriver } from './spec.ts';

/** The plugin of a secret in the engine's answer; a secret without one may have an empty one. */
export const driver = z
  .looseObject({
    Name: z.string().nullish(),
    Options: z.record(z.string(), z.string()).nullish(),
  })
  .nullish();

/** Pure. Absent where no plugin holds the content. */
export function driverOf(one: z.output<typeof driver>): { readonly driver?: SecretDriver } {
  const name = one?.Name ?? '';
  const options = one?.Options ?? {};
  if (name === '') return {};
  return { driver: { name, ...(Object.keys(options).length > 0 && { options }) } };
}
