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
export const IMAGE_LABEL = 'Labels.com.docker.stack.image';

/** A path within a service, cut behind what has a name in a Compose file. */
interface Known {
  readonly service: string;
  readonly engine: string;
  readonly compose: string;
  /** What stands behind it: keys that people gave, or names of items. */
  readonly more: string;
}

function known(path: string): Known | undefined {
  const [, service, rest] = /^(services\.[^.]+)\.(.+)$/.exec(path) ?? [];
  if (service === undefined || rest === undefined) return undefined;
  const found = COMPOSE.find(([engine]) => rest === engine || rest.startsWith(`${engine}.`));
  if (found === undefined) return undefined;
  const [engine, compose] = found;
  return { service, engine, compose, more: rest.slice(engine.length + 1) };
}

/** Pure. `services.web.TaskTemplate.ContainerSpec.Env.A` as `services.web.environment.A`. */
export function composePath(path: string): string {
  const found = known(path);
  if (found === undefined) return path;
  const { service, compose, more } = found;
  return [service, compose, more].filter((part) => part !== '').join('.');
}

/**
 * Pure. A path of a difference without what could be a value: items of lists go by what they hold. Variables keep their
 * names.
 */
export function fieldOnly(path: string): string {
  const found = known(path);
  if (found === undefined)
    return /^services\.[^.]+|^stack\.[^.]+|^.*?\.Labels(?=\.|$)/.exec(path)?.[0] ?? '';
  const { service, engine } = found;
  const isNamed = engine.endsWith('.Env') || path.endsWith(`.${IMAGE_LABEL}`);
  return isNamed ? path : `${service}.${engine}`;
}
