import type { AllowRules } from '../../../core/surroundings.ts';
import { denied } from '../../../core/surroundings.ts';
import { judgeBind, judgeVolumeOptions } from '../compose/binds.ts';
import { cleanPath } from '../compose/names.ts';
import type { Mount, ServiceSpec } from '../engine-api.ts';
import type { ObservedNetwork } from '../swarm.ts';

/** Pure. The least that `policy.allow` must say for services that run already. */
export function neededPolicy(
  services: readonly ServiceSpec[],
  networks: readonly ObservedNetwork[],
  usesHost: boolean,
): AllowRules {
  const mounts = services.flatMap(({ TaskTemplate: task }) => task.ContainerSpec.Mounts ?? []);
  const isDocker = mounts.some((mount) => !isAllowed(mount, { ...denied, binds: ['/'] }));
  const withSocket = { ...denied, dockerSocket: isDocker };
  const binds = mounts
    .filter((mount) => !isAllowed(mount, withSocket))
    .map((mount) => prefixOf(mount, withSocket));
  return {
    ...withSocket,
    binds: [...new Set(binds)].toSorted(),
    hostNetwork: usesHost,
    plugins:
      mounts.some(isPlugin) || networks.some(({ driver }) => !['', 'overlay'].includes(driver)),
    undefinedVariables: services.some(({ TaskTemplate: task }) =>
      (task.ContainerSpec.Env ?? []).some((variable) => !variable.includes('=')),
    ),
  };
}

/** What of it is more than nothing, as it is written in an Environment. */
export function policyLines(allow: AllowRules): readonly string[] {
  const needed = Object.entries(allow).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value === true,
  );
  if (needed.length === 0) return [];
  const lines = needed.map(
    ([key, value]) => `    ${key}: ${Array.isArray(value) ? JSON.stringify(value) : 'true'}`,
  );
  return ['policy:', '  allow:', ...lines];
}

function isAllowed({ Type, Source, VolumeOptions }: Mount, allow: AllowRules): boolean {
  if (Type === 'bind') return judgeBind(Source ?? '', allow) === undefined;
  const { Name: driver = '', Options: options = {} } = VolumeOptions?.DriverConfig ?? {};
  if (!['', 'local'].includes(driver)) return true;
  return judgeVolumeOptions(options, allow) === undefined;
}

/** The path itself; all of the node where options of a volume could mean any path. */
function prefixOf(mount: Mount, allow: AllowRules): string {
  const options = mount.VolumeOptions?.DriverConfig?.Options ?? {};
  const device = Object.entries(options).find(([key]) => key.toLowerCase() === 'device')?.[1];
  const path = cleanPath((mount.Type === 'bind' ? mount.Source : device) ?? '/');
  return isAllowed(mount, { ...allow, binds: [path] }) ? path : '/';
}

function isPlugin({ VolumeOptions: options }: Mount): boolean {
  return !['', 'local'].includes(options?.DriverConfig?.Name ?? '');
}
