import type { Rendered } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import { memoOf } from './memo.ts';
import {
  type Carrier,
  type Chosen,
  chooseConfig,
  chooseSecret,
  contentDigest,
  DIGEST_LABEL,
  driverDigest,
  isNameFor,
} from './names.ts';
import type { StackObserved } from './observed.ts';
import type { SecretSpec, StackSpec } from './spec.ts';
import type { ObservedConfig, StackCall } from './swarm.ts';

type ProofCall = Extract<StackCall, { readonly op: 'secret-prove' }>;

/** A config or secret that a stack wants, and what carries its content. */
export interface FileObject {
  readonly noun: 'config' | 'secret';
  readonly plain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly chosen: Chosen;
  readonly make: (name: string) => StackCall;
  readonly prove?: ((name: string, carrier: Carrier) => ProofCall) | undefined;
}

/** Pure. All configs and secrets that the stack wants. `key` is of the digests. */
export function stackFiles(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  key: Secret,
): { readonly configs: readonly FileObject[]; readonly secrets: readonly FileObject[] } {
  const { spec } = unit;
  const memo = memoOf(unit, key.reveal());
  const { configsOf, secretsOf } = observed;
  const isRotatedConfig = (plain: string): boolean =>
    (configsOf.get(spec.name) ?? []).some((one) =>
      isNameFor(one.name, digestOfConfig(one, key), plain),
    );
  const isRotatedSecret = (plain: string): boolean =>
    (secretsOf.get(spec.name) ?? []).some((one) =>
      isNameFor(one.name, one.labels[DIGEST_LABEL] ?? '', plain),
    );
  const configs = Object.values(spec.configs).map((config): FileObject => {
    return {
      noun: 'config',
      plain: config.name,
      labels: config.labels,
      chosen: chooseConfig(config, spec.name, observed.configs, {
        memo,
        key,
        rotated: isRotatedConfig,
      }),
      make: (name) => ({ op: 'config-create', ...config, name }),
    };
  });
  const secrets = Object.values(spec.secrets).map((secret): FileObject => {
    const digest = memo.digest(`secret ${secret.name}`, () => digestOfSecret(secret, key));
    const labels =
      secret.driver === undefined ? { ...secret.labels, [DIGEST_LABEL]: digest } : secret.labels;
    return {
      noun: 'secret',
      plain: secret.name,
      labels,
      chosen: chooseSecret(secret, spec.name, observed, {
        digest,
        rotated: isRotatedSecret,
      }),
      make: (name) => ({ op: 'secret-create', ...secret, name, labels }),
      prove: proofOf(secret, digest),
    };
  });
  return { configs, secrets };
}

/** All labels stay as they are, whoever made them: what is to become of those is another operation. */
function proofOf(secret: SecretSpec, digest: string): FileObject['prove'] {
  const { driver, data, templating } = secret;
  if (driver !== undefined) return undefined;
  return (name, { id, version, labels: before }) => ({
    op: 'secret-prove',
    id,
    version,
    name,
    labels: { ...before, [DIGEST_LABEL]: digest },
    data,
    ...(templating !== undefined && { templating }),
  });
}

function digestOfSecret(secret: SecretSpec, key: Secret): string {
  return secret.driver === undefined
    ? contentDigest(secret.data.reveal(), key, secret.templating)
    : driverDigest(secret.driver, key);
}

/** Of each config under the key that was asked with last: an object is the same one while the list of them is. */
const digests = new WeakMap<ObservedConfig, { readonly key: Secret; readonly digest: string }>();

/** Pure. The digest of a config that is there. */
export function digestOfConfig(config: ObservedConfig, key: Secret): string {
  const known = digests.get(config);
  if (known?.key.reveal() === key.reveal()) return known.digest;
  const digest = contentDigest(config.data, key, config.templating);
  digests.set(config, { key, digest });
  return digest;
}
