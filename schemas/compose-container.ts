import { z } from 'zod';

import { Text, TextMap } from './compose-common.ts';

/** `credential_spec`: of these three exactly one. */
export const CredentialSpec = z.strictObject({
  config: Text.optional(),
  file: Text.optional(),
  registry: Text.optional(),
});
export type CredentialSpec = z.output<typeof CredentialSpec>;

/** `logging`. */
export const Logging = z.strictObject({ driver: Text.optional(), options: TextMap.optional() });
export type Logging = z.output<typeof Logging>;

const LIMIT = `write a whole number of at most ${String(Number.MAX_SAFE_INTEGER)}`;
const Limit = z.number({ error: LIMIT }).int({ error: LIMIT });

/** One of `ulimits`: one number for both, or both; -1 is no limit. Larger numbers would not come through JSON as they are. */
export const Ulimit = z.union([Limit, z.strictObject({ soft: Limit, hard: Limit })], {
  error: `${LIMIT}, or \`soft\` and \`hard\``,
});
export type Ulimit = z.output<typeof Ulimit>;
