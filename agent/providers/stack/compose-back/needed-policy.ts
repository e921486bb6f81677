import type { AllowRules } from '../../../core/surroundings.ts';
import { denied } from '../../../core/surroundings.ts';
import { judgeBind, judgeVolumeOptions } from '../compose/binds.ts';
import { isUnclear, judgeLogOption, socketOf } from '../compose/log-address.ts';
import { ENGINE_DRIVERS } from '../compose/logging.ts';
import { cleanPath } from '../compose/names.ts';
import type { Mount, ServiceSpec, TaskTemplate } from '../engine-api.ts';
import type { ObservedNetwork } from '../swarm.ts';

/** Pure. The least that `policy.allow` must say for services that run already. `networks`: those of the stack itself. */
export function neededPolicy(
  services: readonly ServiceSpec[],
  networks: readonly ObservedNetwork[],
  usesHost: boolean,
): AllowRules {
  const tasks = services.map(({ TaskTemplate: task }) => task);
  const containers = tasks.map(({ ContainerSpec: container }) => container);
  const mounts = containers.flatMap(({ Mounts }) => Mounts ?? []);
  // What no policy lets in is a mistake of the file, and asks for nothing that could not help.
  const doors = [...mounts, ...tasks.flatMap(socketsOf)].filter((mount) =>
    isAllowed(mount, { ...denied, binds: ['/'], dockerSocket: true }),
  );
  const dockerSocket =
    mounts.some(({ Type }) => Type === 'npipe') ||
    doors.some((mount) => !isAllowed(mount, { ...denied, binds: ['/'] }));
  const withSocket = { ...denied, dockerSocket };
  const binds = doors
    .filter((mount) => !isAllowed(mount, withSocket))
    .map((mount) => prefixOf(mount, withSocket));
  return {
    ...withSocket,
    binds: unique(binds),
    hostNetwork: usesHost || tasks.some(logsToNode),
    capabilities: unique(
      containers.flatMap((one) => one.CapabilityAdd ?? []).map((one) => one.replace(/^CAP_/, '')),
    ),
    sysctls: unique(containers.flatMap(({ Sysctls }) => Object.keys(Sysctls ?? {}))),
    plugins:
      mounts.some(isPlugin) ||
      tasks.some(hasPlugin) ||
      networks.some(
        ({ driver, ipamDriver }) =>
          !['', 'overlay'].includes(driver) || !['', 'default'].includes(ipamDriver),
      ),
    subpath: mounts.some(({ VolumeOptions: options }) => (options?.Subpath ?? '') !== ''),
    undefinedVariables: containers.some(({ Env }) =>
      (Env ?? []).some((variable) => !variable.includes('=')),
    ),
  };
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted();
}

/** A log driver's socket of the node is a bind under another name. */
function socketsOf({ LogDriver: driver }: TaskTemplate): readonly Mount[] {
  return Object.values(driver?.Options ?? {}).flatMap((value): Mount[] => {
    const Source = socketOf(value);
    return Source === undefined || isUnclear(Source) ? [] : [{ Type: 'bind', Source }];
  });
}

/** Whether a log driver connects to an address that only the node itself has. */
function logsToNode({ LogDriver: driver }: TaskTemplate): boolean {
  return Object.values(driver?.Options ?? {}).some(
    (value) => socketOf(value) === undefined && judgeLogOption(value, denied) !== undefined,
  );
}

function hasPlugin({ ContainerSpec: container, LogDriver: driver }: TaskTemplate): boolean {
  const { Config, File, Registry } = container.Privileges?.CredentialSpec ?? {};
  const isCredential = [Config, File, Registry].some((part) => (part ?? '') !== '');
  return isCredential || !ENGINE_DRIVERS.has(driver?.Name ?? '');
}

/** What of it is more than nothing, as it is written in an Environment. */
export function policyLines(allow: AllowRules): readonly string[] {
  const needed = Object.entries(allow).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value,
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

function isPlugin({ Type: type, VolumeOptions: options }: Mount): boolean {
  return type === 'cluster' || !['', 'local'].includes(options?.DriverConfig?.Name ?? '');
}
