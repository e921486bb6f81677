import { z } from 'zod';

import { Text, TextMap, Whole } from './compose-common.ts';

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

/** One of `ulimits`: one number for both, or both; -1 is no limit. */
export const Ulimit = z.union([Whole, z.strictObject({ soft: Whole, hard: Whole })], {
  error: 'write a whole number, or `soft` and `hard`',
});
export type Ulimit = z.output<typeof Ulimit>;
