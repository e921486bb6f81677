import { z } from 'zod';

import { Secret } from '../../core/secret.ts';
import type { NetworkCreate } from './engine-api.ts';
import { serviceSpec } from './spec-shape.ts';
import type { CheckSpec, SecretSpec, StackSpec } from './spec.ts';
import { textMap as labels } from './text-map.ts';

const templating = z.string().exactOptional();

const network: z.ZodType<NetworkCreate> = z.strictObject({
  Name: z.string().min(1),
  CheckDuplicate: z.literal(true),
  Driver: z.string(),
  Scope: z.string(),
  IPAM: z
    .strictObject({
      Driver: z.string(),
      Options: z.null(),
      Config: z.array(z.strictObject({ Subnet: z.string().exactOptional() })).nullable(),
    })
    .nullable(),
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Ingress: z.literal(false),
  ConfigOnly: z.literal(false),
  ConfigFrom: z.null(),
  Options: labels.nullable(),
  Labels: labels,
});

/** The alphabet is not looked at: a pattern over megabytes would hold up the agent. */
const base64 = z.string().refine((text) => text.length % 4 === 0);

const config = z.strictObject({ name: z.string().min(1), labels, data: base64, templating });

const secret: z.ZodType<SecretSpec> = z.union([
  z.strictObject({
    name: z.string().min(1),
    labels,
    data: base64.transform((data) => new Secret(data)),
    templating,
  }),
  z.strictObject({
    name: z.string().min(1),
    labels,
    driver: z.strictObject({ name: z.string().min(1), options: labels.exactOptional() }),
    templating,
  }),
]);

const id = z.templateLiteral([z.string().regex(/^[a-z-]+$/), '/', z.string().min(1)]);

const milliseconds = z.number().nonnegative();
const port = z.number().int().min(1).max(65_535);
const published = z.strictObject({ service: z.string().min(1), port });
const status = z.number().int().min(100).max(599);
const httpTarget = {
  protocol: z.literal('http'),
  host: z.string().exactOptional(),
  status: z.array(z.strictObject({ from: status, to: status })).min(1),
  contains: z.string().min(1).exactOptional(),
};

const check: z.ZodType<CheckSpec> = z.strictObject({
  name: z.string().min(1),
  target: z.union([
    z.strictObject({ ...httpTarget, at: published, path: z.string().startsWith('/') }),
    z.strictObject({ ...httpTarget, url: z.string().min(1) }),
    z.strictObject({ protocol: z.literal('tcp'), at: published }),
  ]),
  // Less would keep the agent busy with one question.
  intervalMs: z.number().min(1000),
  timeoutMs: milliseconds,
  failures: z.number().int().min(1),
});

/** A stack as it comes out of the pipe; secrets are wrapped at once. */
export const stackFromWire = z.strictObject({
  name: z.string().min(1),
  services: z.record(z.string(), serviceSpec),
  networks: z.record(z.string(), network),
  configs: z.record(z.string(), config),
  secrets: z.record(z.string(), secret),
  health: z.strictObject({
    timeoutMs: milliseconds,
    stableForMs: milliseconds,
    checks: z.array(check),
  }),
  rollback: z.strictObject({
    mode: z.enum(['auto', 'hold']),
    keep: z.number().int().min(1).max(5),
  }),
  removal: z.literal('hold').exactOptional(),
  prune: z.boolean().exactOptional(),
  ignore: z.array(z.string().min(1)).min(1).exactOptional(),
  outputs: z.array(id).min(1).exactOptional(),
  hidden: z.record(z.string(), z.array(z.string())).exactOptional(),
  veiled: z.literal(true).exactOptional(),
});

/** Pure. A stack as plain JSON, secrets in clear: for the pipe between two of our own processes, nothing else. */
export function stackToWire(spec: StackSpec): unknown {
  const secrets: Record<string, unknown> = {};
  for (const [key, secret] of Object.entries(spec.secrets)) {
    secrets[key] = secret.data === undefined ? secret : { ...secret, data: secret.data.reveal() };
  }
  return { ...spec, secrets };
}
