import type { ServiceSpec } from './engine-api.ts';
import { DIGEST_LABEL } from './names.ts';
import { NAMESPACE } from './observed.ts';
import type { StackCall } from './swarm.ts';

/** Throws where a call must never leave this process: a bug above, not the repository's mistake. */
export function assertSendable(call: StackCall): void {
  if ('id' in call) {
    // Anything else is looked up by name, then by prefix, and may hit another service.
    if (!/^[a-z0-9]{25}$/.test(call.id)) throw new Error('bug: a change needs a full id');
  }
  if ('version' in call) {
    if (!Number.isSafeInteger(call.version)) throw new Error('bug: an update needs a version');
  }
  if (isRemoval(call)) assertRemovable(call);
  if (call.op === 'secret-prove') assertProof(call);
  if (call.op === 'service-update' || call.op === 'service-create') assertSpec(call.body);
}

/** Every delete. */
export type RemoveCall = Extract<StackCall, { readonly op: `${string}-remove` }>;

/** Pure. Whether the call deletes something. */
export function isRemoval(call: StackCall): call is RemoveCall {
  return call.op.endsWith('-remove');
}

type ProofCall = Extract<StackCall, { readonly op: 'secret-prove' }>;

/** The head is never ours to remove, and whatever belongs to nobody's stack or account is not either. */
function assertRemovable(call: RemoveCall): void {
  const stack = 'stack' in call ? call.stack : 'account' in call ? call.account : undefined;
  const ours = call.name.startsWith('understudy.');
  if (stack === undefined && !/^understudy\.[rb]\./.test(call.name)) {
    throw new Error(`bug: config ${call.name} is no blob of the record`);
  }
  if (stack !== undefined && (stack === '' || ours)) {
    throw new Error(`bug: ${call.op} of ${call.name}, which is no stack's`);
  }
}

/** Only a stack's own secret is compared, never without what notes it; an empty content the engine would not compare at all. */
function assertProof({ name, labels, data }: ProofCall): void {
  if (!labels[NAMESPACE] || !labels[DIGEST_LABEL]) {
    throw new Error(`bug: the content of secret ${name} is compared for no stack`);
  }
  if (data.reveal() === '') throw new Error(`bug: no content to compare with secret ${name}`);
}

function assertSpec(spec: ServiceSpec): void {
  const { Placement, ContainerSpec } = spec.TaskTemplate;
  // The type says that it is there; what arrives came through JSON. Its lack kills one leader after another.
  const placement: unknown = Placement;
  if (typeof placement !== 'object' || placement === null) {
    throw new Error(`bug: service ${spec.Name} without TaskTemplate.Placement`);
  }
  for (const { SecretName, SecretID } of ContainerSpec.Secrets ?? []) {
    if (!SecretID)
      throw new Error(`bug: service ${spec.Name} names secret ${SecretName} without id`);
  }
  for (const { ConfigName, ConfigID } of ContainerSpec.Configs ?? []) {
    if (!ConfigID)
      throw new Error(`bug: service ${spec.Name} names config ${ConfigName} without id`);
  }
}
