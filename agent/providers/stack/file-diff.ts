import type { Blocked, Operation } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import { fieldDiffs } from './fields.ts';
import type { UnitMemo } from './memo.ts';
import {
  chooseConfig,
  chooseSecret,
  contentDigest,
  DIGEST_LABEL,
  driverDigest,
  type Carrier,
  type Chosen,
} from './names.ts';
import type { StackObserved } from './observed.ts';
import type { SecretSpec, StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

/** What one part of a stack adds to its difference. */
export interface Part {
  readonly operations: readonly Operation<StackCall>[];
  readonly blocked: readonly Blocked[];
  readonly notes?: readonly string[];
}

/** That part is as it should be. */
export const NOTHING: Part = { operations: [], blocked: [] };

type ProofCall = Extract<StackCall, { readonly op: 'secret-prove' }>;

/** A config or secret of the stack, and what carries it. */
export interface FileObject {
  readonly noun: 'config' | 'secret';
  readonly plain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly chosen: Chosen;
  readonly make: (name: string) => StackCall;
  readonly prove?: ((name: string, carrier: Carrier) => ProofCall) | undefined;
}

/** Pure. What makes the content be there, under its name and with its labels. */
export function fileObject({ noun, chosen, labels, make, prove }: FileObject): Part {
  const target = `${noun} ${chosen.name}`;
  const operation = { target, phase: 'add', effect: 'none' } as const;
  switch (chosen.status) {
    case 'foreign':
      return { operations: [], blocked: [foreign(target, chosen.owner)] };
    case 'make': {
      const call = make(chosen.name);
      return { operations: [{ ...operation, verb: 'create', fields: [], call }], blocked: [] };
    }
    case 'unproven': {
      const { name, carrier } = chosen;
      const call = prove?.(name, carrier);
      if (call === undefined) throw new Error(`bug: ${target} cannot be compared`);
      const fields = fieldDiffs(target, { Labels: carrier.labels }, { Labels: call.labels });
      const proof = { ...operation, verb: 'update', fields, proves: true, call } as const;
      return { operations: [proof], blocked: [] };
    }
    case 'there': {
      const { name, carrier } = chosen;
      const fields = fieldDiffs(target, { Labels: carrier.labels }, { Labels: labels });
      if (fields.length === 0) return { operations: [], blocked: [] };
      const { id, version } = carrier;
      const call: StackCall = { op: `${noun}-label`, id, version, name, labels };
      return { operations: [{ ...operation, verb: 'update', fields, call }], blocked: [] };
    }
  }
}

/** Pure. The configs and secrets of a stack, each with the object that carries it or is to carry it. */
export function fileObjects(
  spec: StackSpec,
  observed: StackObserved,
  { memo, key }: { readonly memo: UnitMemo; readonly key: Secret },
): { readonly configs: readonly FileObject[]; readonly secrets: readonly FileObject[] } {
  const configs = Object.values(spec.configs).map((config) => ({
    noun: 'config' as const,
    plain: config.name,
    labels: config.labels,
    chosen: chooseConfig(config, spec.name, observed.configs, { memo, key }),
    make: (name: string): StackCall => ({ op: 'config-create', ...config, name }),
  }));
  const secrets = Object.values(spec.secrets).map((secret) => {
    const digest = memo.digest(`secret ${secret.name}`, () =>
      secret.driver === undefined
        ? contentDigest(secret.data.reveal(), key, secret.templating)
        : driverDigest(secret.driver, key),
    );
    const labels =
      secret.driver === undefined ? { ...secret.labels, [DIGEST_LABEL]: digest } : secret.labels;
    return {
      noun: 'secret' as const,
      plain: secret.name,
      labels,
      chosen: chooseSecret(secret, spec.name, observed, digest),
      make: (name: string): StackCall => ({ op: 'secret-create', ...secret, name, labels }),
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

/** Pure. The name is somebody else's. */
export function foreign(target: string, owner: string | undefined): Blocked {
  const whose = owner === undefined ? 'does not belong to this stack' : `belongs to stack ${owner}`;
  const why = `${target} exists and ${whose}: rename one of them`;
  return { target, why, waits: false, ...(owner !== undefined && { owner: `stack/${owner}` }) };
}
