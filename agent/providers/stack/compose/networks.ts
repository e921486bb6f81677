import type { Network } from '../../../../schemas/compose.ts';
import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { NetworkAttachment, NetworkCreate } from '../engine-api.ts';
import type { Context } from './context.ts';
import { isExternal, swarmName } from './context.ts';
import { checkExternal } from './external.ts';
import { NAMESPACE_LABEL, convertLabels, noteDuplicates } from './labels.ts';
import { bytewise, dnsNameProblem, nearest } from './names.ts';
import { present } from './present.ts';

/** Networks that every engine has; no task gets an alias in them. */
const predefined = new Set(['host', 'bridge', 'none', 'default']);

/** Those of them that no service can join: seen on 20.10, 26.1 and 28.5. */
const notOfSwarm = new Set(['none', 'default']);

/** How a service joins its networks, and which entries of the top level it uses. */
export interface Attached {
  readonly attachments: NetworkAttachment[];
  readonly used: readonly string[];
}

/** `networks` of a service, or `default` where it names none; sorted by name. */
export function convertAttachments(
  name: string,
  service: Service,
  path: Path,
  context: Context,
): Attached {
  const { networks } = service;
  noteDuplicates(networks, [...path, 'networks'], context.notes);
  const written = Array.isArray(networks)
    ? networks.map((key, index): [string, string | number] => [key, index])
    : Object.keys(networks ?? {}).map((key): [string, string | number] => [key, key]);
  const wanted: readonly [string, string | number][] =
    written.length === 0 ? [['default', 'default']] : written;
  const options = Array.isArray(networks) ? undefined : new Map(Object.entries(networks ?? {}));
  const attachments: NetworkAttachment[] = [];
  for (const [key, at] of wanted) {
    const where = [...path, 'networks', at];
    if (key !== 'default' && !context.notes.isFull && !context.networks.has(key))
      noteUndefined(key, where, context);
    const entry = options?.get(key);
    noteDuplicates(entry?.aliases, [...where, 'aliases'], context.notes);
    const target = swarmName(key, context.networks.entries.get(key), context.stack);
    if (target.toLowerCase() === 'host' && !context.allow.hostNetwork) {
      context.notes.error(
        'not-allowed',
        where,
        'the policy does not allow the network of the nodes',
        'set `policy.allow.hostNetwork: true` in the environment if it must be',
      );
    }
    if (target.toLowerCase() === 'ingress') {
      context.notes.error(
        'wrong-value',
        where,
        '`ingress` carries the published ports of the whole Swarm: no service can join it',
        'write `ports` to publish some, or use another network',
      );
    }
    if (notOfSwarm.has(target)) {
      context.notes.error(
        'wrong-value',
        where,
        `\`${target}\` is a network of a single container: the engine has none of this name for services`,
        'use a network with `internal: true`, or leave it out',
      );
    }
    attachments.push({
      Target: target,
      ...(predefined.has(target) || target.startsWith('container:')
        ? {}
        : { Aliases: [...(entry?.aliases ?? []), name] }),
      ...present({ DriverOpts: optionsOrAbsent(entry?.driver_opts) }),
    });
  }
  return {
    attachments: attachments.toSorted((a, b) => bytewise(a.Target, b.Target)),
    used: wanted.map(([key]) => key),
  };
}

function optionsOrAbsent(options: Readonly<Record<string, string>> | undefined) {
  return options === undefined || Object.keys(options).length === 0 ? undefined : { ...options };
}

function noteUndefined(key: string, path: Path, { networks, notes }: Context): void {
  const near = nearest(key, networks.entries.keys());
  notes.error(
    'undefined-network',
    path,
    `the network \`${key}\` is not declared`,
    near === undefined
      ? `add \`${key}:\` to \`networks\` at the top level`
      : `did you mean \`${near}\`?`,
  );
}

/** Networks to create, and external ones to wait for, of those that services use. */
export function convertNetworks(
  used: ReadonlySet<string>,
  context: Context,
): { readonly networks: Record<string, NetworkCreate>; readonly needs: readonly string[] } {
  const networks: [string, NetworkCreate][] = [];
  const needs: string[] = [];
  for (const key of used) {
    const entry = context.networks.entries.get(key);
    if (entry === undefined && key !== 'default') continue;
    const name = swarmName(key, entry, context.stack);
    if (isExternal(entry?.external)) {
      if (!predefined.has(name)) needs.push(`network:${name}`);
    } else networks.push([key, networkBody(name, entry ?? {}, context)]);
  }
  return { networks: Object.fromEntries(networks), needs };
}

function networkBody(name: string, network: Network, { stack }: Context): NetworkCreate {
  const { ipam, driver, driver_opts: options } = network;
  const config = (ipam?.config ?? []).map(({ subnet }) => present({ Subnet: subnet }));
  const hasIpam = (ipam?.driver ?? '') !== '' || config.length > 0;
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: driver === undefined || driver === '' ? 'overlay' : driver,
    Scope: '',
    IPAM: hasIpam
      ? { Driver: ipam?.driver ?? '', Options: null, Config: config.length === 0 ? null : config }
      : null,
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    Ingress: false,
    ConfigOnly: false,
    ConfigFrom: null,
    Options: options === undefined ? null : { ...options },
    Labels: convertLabels(network.labels, { [NAMESPACE_LABEL]: stack }),
  };
}

/** What engines look for as a plugin in vain. */
const notIpam = new Set(['overlay', 'bridge', 'host', 'none', 'macvlan', 'ipvlan']);
const localDrivers = new Set(['bridge', 'host', 'null', 'none', 'macvlan', 'ipvlan']);

/** Checks the networks of the top level, used or not. */
export function checkNetworks(used: ReadonlySet<string>, context: Context): void {
  const { notes, allow, stack } = context;
  for (const [key, entry] of context.networks.entries) {
    const path = ['networks', key];
    const network = entry ?? {};
    checkExternal(
      network,
      ['driver', 'driver_opts', 'ipam', 'internal', 'attachable', 'labels'],
      path,
      notes,
    );
    if (isExternal(network.external)) continue;
    const name = swarmName(key, network, stack);
    noteIpam(network.ipam?.driver ?? '', [...path, 'ipam', 'driver'], used.has(key), context);
    const problem = used.has(key) ? dnsNameProblem(name) : undefined;
    if (problem !== undefined)
      notes.errorAtKey(
        'wrong-name',
        network.name === undefined ? path : [...path, 'name'],
        problem,
      );
    if (predefined.has(name))
      notes.error(
        'name-conflict',
        [...path, 'name'],
        `\`${name}\` is a network of the engine itself`,
        'add `external: true`',
      );
    const { driver = '' } = network;
    if (localDrivers.has(driver) && used.has(key)) {
      notes.error(
        'wrong-value',
        [...path, 'driver'],
        `a \`${driver}\` network belongs to one node, services need one of the Swarm`,
        'use `overlay`',
      );
    } else if (!['', 'overlay'].includes(driver) && !localDrivers.has(driver) && !allow.plugins) {
      notes.error(
        'not-allowed',
        [...path, 'driver'],
        `the policy does not allow the network driver \`${driver}\``,
        'set `policy.allow.plugins: true` in the environment, or use `overlay`',
      );
    }
  }
}

function noteIpam(driver: string, path: Path, isUsed: boolean, { notes, allow }: Context): void {
  if (isUsed && notIpam.has(driver)) {
    notes.error(
      'wrong-value',
      path,
      `\`${driver}\` gives no addresses: it is a driver of networks`,
      'leave it out, or write `default`',
    );
  } else if (!['', 'default'].includes(driver) && !notIpam.has(driver) && !allow.plugins) {
    notes.error(
      'not-allowed',
      path,
      `the policy does not allow the IPAM driver \`${driver}\`: a plugin gives the addresses`,
      'set `policy.allow.plugins: true` in the environment, or leave it out',
    );
  }
}
