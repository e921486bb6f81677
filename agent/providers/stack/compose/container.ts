import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { ContainerSpec } from '../engine-api.ts';
import { convertCapabilities } from './capabilities.ts';
import type { Context } from './context.ts';
import { convertHosts, listedHost } from './hosts.ts';
import { noteDuplicates } from './labels.ts';
import { bytewise } from './names.ts';
import type { Notes } from './notes.ts';
import { nonEmpty, present } from './present.ts';
import { convertSysctls } from './sysctls.ts';

/** What a container is given beside its image, its command, its files and its networks. */
export function convertOptions(
  service: Service,
  path: Path,
  context: Context,
): Partial<ContainerSpec> {
  const { notes } = context;
  if (context.resolved !== true) {
    noteOptionDuplicates(service, path, notes);
    noteHosts(service, path, notes);
  }
  noteWithoutEffect(service, path, notes);
  return {
    ...present({
      Hostname: nonEmpty(service.hostname),
      Dir: nonEmpty(service.working_dir),
      User: nonEmpty(service.user),
      Init: service.init,
      TTY: flag(service.tty),
      OpenStdin: flag(service.stdin_open),
      ReadOnly: flag(service.read_only),
      StopSignal: nonEmpty(service.stop_signal),
      Isolation: nonEmpty(service.isolation),
      Hosts: convertHosts(service.extra_hosts, context.resolved === true),
      DNSConfig: convertDns(service),
      Sysctls: convertSysctls(service.sysctls, [...path, 'sysctls'], context),
      Ulimits: convertUlimits(service.ulimits),
    }),
    ...convertCapabilities(service, path, context),
  };
}

/** Lists in which Compose takes nothing twice. Of several files each by itself: what is in two of them is no mistake. */
export function noteOptionDuplicates(service: Service, path: Path, notes: Notes): void {
  const lists = ['cap_add', 'cap_drop', 'sysctls', 'dns', 'dns_search', 'extra_hosts'] as const;
  for (const key of lists) noteDuplicates(service[key], [...path, key], notes);
}

function noteWithoutEffect(service: Service, path: Path, notes: Notes): void {
  const { oom_score_adj: score, isolation = '' } = service;
  if (score !== undefined) {
    const message = 'the Docker CLI drops `oom_score_adj`: it has no effect';
    notes.warn('ignored-key', [...path, 'oom_score_adj'], message);
  }
  if (!['', 'default', 'process', 'hyperv'].includes(isolation.toLowerCase())) {
    const message = `the engine knows no isolation \`${isolation}\` and takes its default`;
    notes.warn('ignored-key', [...path, 'isolation'], message);
  }
}

/** Items of `extra_hosts` that say nothing. Of several files each by itself. */
export function noteHosts({ extra_hosts: hosts }: Service, path: Path, notes: Notes): void {
  for (const [index, item] of Array.isArray(hosts) ? hosts.entries() : []) {
    if (listedHost(item) !== undefined) continue;
    const message = 'a host without an address has no effect';
    notes.warn('ignored-key', [...path, 'extra_hosts', index], message, 'write `host=1.2.3.4`');
  }
}

/** False is what the engine's API leaves out. */
function flag(written: boolean | undefined): true | undefined {
  return written === true ? true : undefined;
}

/** There if either key is there, even with nothing in it. */
function convertDns({ dns, dns_search: search }: Service): ContainerSpec['DNSConfig'] {
  if (dns === undefined && search === undefined) return undefined;
  return present({ Nameservers: listOf(dns), Search: listOf(search) });
}

/** One text is a list of one. */
function listOf(written: Service['dns']): string[] | undefined {
  if (written === undefined) return undefined;
  const list = typeof written === 'string' ? [written] : written;
  return list.length === 0 ? undefined : [...list];
}

function convertUlimits(written: Service['ulimits']): ContainerSpec['Ulimits'] {
  const ulimits = Object.entries(written ?? {})
    .toSorted(([one], [other]) => bytewise(one, other))
    .map(([name, limit]) =>
      typeof limit === 'number'
        ? { Name: name, Soft: limit, Hard: limit }
        : { Name: name, Soft: limit.soft, Hard: limit.hard },
    );
  return ulimits.length === 0 ? undefined : ulimits;
}
