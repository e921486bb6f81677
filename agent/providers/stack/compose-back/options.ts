import type { ContainerSpec, ServiceSpec } from '../engine-api.ts';
import { credentialByName } from '../credential-config.ts';
import type { Writing } from './context.ts';
import { configKey } from './files.ts';
import { fields, orAbsent, pairsOf, textMap, type Tree } from './tree.ts';

/** What a container is given beside its image, its command, its files and its networks. The reverse of `convertOptions`. */
export function optionsOf(
  { TaskTemplate: task }: ServiceSpec,
  writing: Writing,
): Readonly<Record<string, Tree | undefined>> {
  const { ContainerSpec: container } = task;
  return {
    hostname: text(container.Hostname),
    user: text(container.User),
    working_dir: text(container.Dir),
    init: container.Init,
    tty: flag(container.TTY),
    stdin_open: flag(container.OpenStdin),
    read_only: flag(container.ReadOnly),
    stop_signal: text(container.StopSignal),
    isolation: container.Isolation === 'default' ? undefined : text(container.Isolation),
    cap_add: capabilitiesOf(container.CapabilityAdd),
    cap_drop: capabilitiesOf(container.CapabilityDrop),
    sysctls: pairsOf(textMap(container.Sysctls)),
    ulimits: ulimitsOf(container.Ulimits),
    ...dnsOf(container.DNSConfig),
    extra_hosts: orAbsent((container.Hosts ?? []).flatMap(hostOf)),
    logging: loggingOf(task.LogDriver),
    credential_spec: credentialOf(container, writing),
  };
}

function text(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function flag(value: boolean | undefined): true | undefined {
  return value === true ? true : undefined;
}

/** Without the prefix that the conversion gives them. */
function capabilitiesOf(names: readonly string[] | undefined): Tree | undefined {
  return orAbsent((names ?? []).map((name) => name.replace(/^CAP_/, '')));
}

function ulimitsOf(ulimits: ContainerSpec['Ulimits']): Tree | undefined {
  return orAbsent(
    new Map(
      (ulimits ?? []).map(({ Name, Soft: soft, Hard: hard }): [string, Tree] => [
        Name,
        soft === hard ? soft : fields({ soft, hard }),
      ]),
    ),
  );
}

/** A DNS configuration that is there and holds nothing is there in the file, too. */
function dnsOf(config: ContainerSpec['DNSConfig']): Readonly<Record<string, Tree | undefined>> {
  if (config === undefined) return {};
  const search = orAbsent(config.Search ?? []);
  const servers = orAbsent(config.Nameservers ?? []);
  return { dns: search === undefined ? (servers ?? []) : servers, dns_search: search };
}

/** `1.2.3.4 host` as `host=1.2.3.4`; what is no such pair cannot be said. */
function hostOf(host: string): readonly string[] {
  const [, address, name] = /^(\S+) ([^:=]+)$/.exec(host) ?? [];
  return address === undefined || name === undefined ? [] : [`${name}=${address}`];
}

function loggingOf(driver: ServiceSpec['TaskTemplate']['LogDriver']): Tree | undefined {
  return driver && fields({ driver: driver.Name, options: orAbsent(textMap(driver.Options)) });
}

function credentialOf(container: ContainerSpec, writing: Writing): Tree | undefined {
  const { Privileges: privileges } = container;
  const spec = (credentialByName(container).Privileges ?? privileges)?.CredentialSpec;
  const { Config: config = '', File: file, Registry: registry } = spec ?? {};
  return orAbsent(
    fields({
      config: config === '' ? undefined : configKey(config, writing),
      file: text(file),
      registry: text(registry),
    }),
  );
}
