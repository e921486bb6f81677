import { z } from 'zod';

import { textMap } from './text-map.ts';
import { stackFromWire } from './wire.ts';

const { name, services, networks, health, rollback, ignore, hidden, veiled } = stackFromWire.shape;

/**
 * A release of a stack in the record. Services are kept as the engine gave them, whoever made them; what a later version
 * adds beside these keys is not looked at.
 */
export const releaseContent = z.object({
  schema: z.literal(1),
  name,
  services,
  networks,
  health,
  rollback,
  ignore,
  hidden,
  veiled,
  /** Names of secrets that stood for passwords of accounts, with the units of these. */
  generated: textMap.exactOptional(),
  /** Networks that no list shows, as the service names them. */
  unlisted: z.array(z.string()).default([]),
});
