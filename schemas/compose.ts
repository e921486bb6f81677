import { z } from 'zod';

import { External, Flag, ListOrMap, Options, Text } from './compose-common.ts';
import { Service } from './compose-service.ts';

/** A network of the top level. */
export const Network = z.strictObject({
  name: Text.optional(),
  driver: Text.optional(),
  driver_opts: Options.optional(),
  ipam: z
    .strictObject({
      driver: Text.optional(),
      config: z.array(z.strictObject({ subnet: Text.optional() })).optional(),
    })
    .optional(),
  external: External.optional(),
  internal: Flag.optional(),
  attachable: Flag.optional(),
  labels: ListOrMap.optional(),
});
export type Network = z.output<typeof Network>;

/** A volume of the top level. */
export const Volume = z.strictObject({
  name: Text.optional(),
  driver: Text.optional(),
  driver_opts: Options.optional(),
  external: External.optional(),
  labels: ListOrMap.optional(),
  'x-cluster-spec': z.unknown().optional(),
});
export type Volume = z.output<typeof Volume>;

/** A config of the top level, and what a secret has in common with it. */
export const FileObject = z.strictObject({
  name: Text.optional(),
  file: Text.optional(),
  external: External.optional(),
  labels: ListOrMap.optional(),
  template_driver: Text.optional(),
});
export type FileObject = z.output<typeof FileObject>;

/** A secret of the top level: of a file, or of a plugin that has its content. */
export const SecretObject = z.strictObject({
  ...FileObject.shape,
  driver: Text.optional(),
  driver_opts: Options.optional(),
});
export type SecretObject = z.output<typeof SecretObject>;

/**
 * A Compose file, v3, as far as this version turns it into Swarm services. `x-` keys are taken out before, and
 * what Compose knows besides is refused by name.
 */
export const Compose = z.strictObject({
  version: z.string({ error: 'write the version as text such as `"3.8"`' }).optional(),
  services: z.record(z.string(), Service, { error: 'write services' }).optional(),
  networks: z.record(z.string(), Network.nullable(), { error: 'write networks' }).optional(),
  volumes: z.record(z.string(), Volume.nullable(), { error: 'write volumes' }).optional(),
  configs: z.record(z.string(), FileObject, { error: 'write configs' }).optional(),
  secrets: z.record(z.string(), SecretObject, { error: 'write secrets' }).optional(),
});
export type Compose = z.output<typeof Compose>;
