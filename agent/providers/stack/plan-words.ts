import type { FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import type { PlannedOperation, PlanWords } from '../../core/plan.ts';
import { fieldDiffs } from './fields.ts';
import { isVersionOf } from './names.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

/** The Engine API's names of what people write in a Compose file; the longest that fits counts. */
const COMPOSE: readonly (readonly [engine: string, compose: string])[] = [
  ['TaskTemplate.ContainerSpec.Image', 'image'],
  ['TaskTemplate.ContainerSpec.Env', 'environment'],
  ['TaskTemplate.ContainerSpec.Command', 'entrypoint'],
  ['TaskTemplate.ContainerSpec.Args', 'command'],
  ['TaskTemplate.ContainerSpec.Labels', 'labels'],
  ['TaskTemplate.ContainerSpec.Mounts', 'volumes'],
  ['TaskTemplate.ContainerSpec.Configs', 'configs'],
  ['TaskTemplate.ContainerSpec.Secrets', 'secrets'],
  ['TaskTemplate.ContainerSpec.Healthcheck', 'healthcheck'],
  ['TaskTemplate.ContainerSpec.StopGracePeriod', 'stop_grace_period'],
  ['TaskTemplate.ContainerSpec.StopSignal', 'stop_signal'],
  ['TaskTemplate.ContainerSpec.Hostname', 'hostname'],
  ['TaskTemplate.ContainerSpec.Dir', 'working_dir'],
  ['TaskTemplate.ContainerSpec.User', 'user'],
  ['TaskTemplate.ContainerSpec.Init', 'init'],
  ['TaskTemplate.ContainerSpec.TTY', 'tty'],
  ['TaskTemplate.ContainerSpec.OpenStdin', 'stdin_open'],
  ['TaskTemplate.ContainerSpec.ReadOnly', 'read_only'],
  ['TaskTemplate.ContainerSpec.Isolation', 'isolation'],
  ['TaskTemplate.ContainerSpec.Hosts', 'extra_hosts'],
  ['TaskTemplate.ContainerSpec.DNSConfig.Nameservers', 'dns'],
  ['TaskTemplate.ContainerSpec.DNSConfig.Search', 'dns_search'],
  ['TaskTemplate.ContainerSpec.DNSConfig', 'dns'],
  ['TaskTemplate.ContainerSpec.Sysctls', 'sysctls'],
  ['TaskTemplate.ContainerSpec.CapabilityAdd', 'cap_add'],
  ['TaskTemplate.ContainerSpec.CapabilityDrop', 'cap_drop'],
  ['TaskTemplate.ContainerSpec.Ulimits', 'ulimits'],
  ['TaskTemplate.ContainerSpec.Privileges.CredentialSpec', 'credential_spec'],
  ['TaskTemplate.ContainerSpec', ''],
  ['TaskTemplate.Networks', 'networks'],
  ['TaskTemplate.Resources', 'deploy.resources'],
  ['TaskTemplate.RestartPolicy', 'deploy.restart_policy'],
  ['TaskTemplate.Placement', 'deploy.placement'],
  ['TaskTemplate.LogDriver', 'logging'],
  ['TaskTemplate', ''],
  ['Mode.Replicated.Replicas', 'deploy.replicas'],
  ['Mode', 'deploy.mode'],
  ['Labels', 'deploy.labels'],
  ['UpdateConfig', 'deploy.update_config'],
  ['RollbackConfig', 'deploy.rollback_config'],
  ['EndpointSpec.Ports', 'ports'],
  ['EndpointSpec.Mode', 'deploy.endpoint_mode'],
];

/** It follows the image, and says nothing beside it. */
const IMAGE_LABEL = 'Labels.com.docker.stack.image';

/** How the plan of stacks reads. */
export const stackWords: PlanWords<StackSpec, StackCall> = {
  beside: (before, after) => fieldDiffs('stack', besideObjects(before), besideObjects(after)),
  operation: plannedOperation,
};

/** What `stack.yaml` says of a stack. Times in milliseconds. */
function besideObjects({ spec, dependsOn, suspended }: Rendered<StackSpec>) {
  const { health, rollback, removal, prune, ignore } = spec;
  return { health, rollback, removal, prune, ignore, suspended, dependsOn };
}

/**
 * Content of a config or a secret goes under a name with digits of its digest. Those are left out: they say nothing to
 * people, and of a secret nobody should see any that he could compare with.
 */
function plannedOperation(
  { target, verb, effect, fields, call }: Operation<StackCall>,
  unit: Rendered<StackSpec> | undefined,
): PlannedOperation {
  if (call.op === 'config-create' || call.op === 'secret-create') {
    const plain = plainName(call.op === 'config-create' ? 'configs' : 'secrets', call.name, unit);
    if (plain === call.name) return { target, verb, effect, fields };
    const noun = call.op === 'config-create' ? 'config' : 'secret';
    return {
      target: `${noun} ${plain}`,
      verb: 'update',
      effect,
      fields: [{ path: 'content', observed: '[not shown]', desired: '[not shown]' }],
    };
  }
  return { target, verb, effect, fields: readable(fields, unit) };
}

type Files = 'configs' | 'secrets';

function plainName(of: Files, name: string, unit: Rendered<StackSpec> | undefined): string {
  const files: readonly { readonly name: string }[] = Object.values(unit?.spec[of] ?? {});
  const plain = files.map((one) => one.name);
  return plain.find((one) => one === name) ?? plain.find((one) => isVersionOf(name, one)) ?? name;
}

function readable(
  fields: readonly FieldDiff[],
  unit: Rendered<StackSpec> | undefined,
): readonly FieldDiff[] {
  const hasImage = fields.some(({ path }) => path.endsWith('.TaskTemplate.ContainerSpec.Image'));
  return fields.flatMap((field): FieldDiff[] => {
    if (hasImage && field.path.endsWith(`.${IMAGE_LABEL}`)) return [];
    const path = composePath(field.path);
    const of = path.endsWith('.credential_spec.Config')
      ? 'configs'
      : /^services\.[^.]+\.(configs|secrets)\./.exec(path)?.[1];
    return of === 'configs' || of === 'secrets'
      ? [{ ...field, path, ...contents(of, field, unit) }]
      : [{ ...field, path }];
  });
}

/** Which content a service gets, without the digits. */
function contents(
  of: Files,
  { observed, desired }: FieldDiff,
  unit: Rendered<StackSpec> | undefined,
): Pick<FieldDiff, 'observed' | 'desired'> {
  const before = observed === undefined ? undefined : plainName(of, observed, unit);
  const after = desired === undefined ? undefined : plainName(of, desired, unit);
  const isChanged = before === after && before !== undefined;
  return {
    ...(before !== undefined && { observed: before }),
    ...(after !== undefined && { desired: isChanged ? `${after} (changed)` : after }),
  };
}

/** Pure. `services.web.TaskTemplate.ContainerSpec.Env.A` as `services.web.environment.A`. */
export function composePath(path: string): string {
  const [, service, rest] = /^(services\.[^.]+)\.(.+)$/.exec(path) ?? [];
  if (service === undefined || rest === undefined) return path;
  const known = COMPOSE.find(([engine]) => rest === engine || rest.startsWith(`${engine}.`));
  if (known === undefined) return path;
  const [engine, compose] = known;
  const more = rest.slice(engine.length + 1);
  return [service, compose, more].filter((part) => part !== '').join('.');
}
