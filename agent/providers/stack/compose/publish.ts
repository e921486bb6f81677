import type { EndpointSpec } from '../engine-api.ts';
import type { Notes } from './notes.ts';
import type { PortEntry } from './ports.ts';
import type { Path } from '../../../core/parse.ts';
import { port as stored } from '../canonical.ts';
import { nonEmpty, present } from './present.ts';

/** `deploy.endpoint_mode` and the ports: how a service is reached. */
export function convertEndpoint(
  mode: string | undefined,
  ports: readonly PortEntry[],
  path: Path,
  notes: Notes,
): EndpointSpec {
  const shown = nonEmpty(mode?.toLowerCase());
  if (shown !== undefined && shown !== 'vip' && shown !== 'dnsrr') {
    notes.error(
      'wrong-value',
      path,
      'services have no such endpoint mode',
      'write `vip` or `dnsrr`',
    );
  }
  if (shown === 'dnsrr') {
    for (const { port, path: at } of ports) {
      if (isHostMode(stored(port))) continue;
      notes.error(
        'conflict',
        at,
        'a service with `endpoint_mode: dnsrr` cannot publish through the ingress network',
        'write the long form with `mode: host`, or use `vip`',
      );
    }
  }
  return present({
    Mode: shown,
    Ports: ports.length === 0 ? undefined : ports.map(({ port }) => port),
  });
}

/** Notes ports that two services publish, or one service twice: the engine refuses the second. */
export function notePortConflicts(
  services: readonly { readonly name: string; readonly ports: readonly PortEntry[] }[],
  notes: Notes,
): void {
  const published = new Map<string, string>();
  const ingress = new Map<string, string>();
  for (const { name, ports } of services) {
    const own = new Set<string>();
    for (const { port: sent, path } of ports) {
      const port = stored(sent);
      if (port.PublishedPort === undefined) continue;
      const key = `${String(port.PublishedPort)}/${port.Protocol ?? 'tcp'}`;
      // Two services may share a port of the nodes themselves: each runs where it is free.
      const other = ingress.get(key) ?? (isHostMode(port) ? undefined : published.get(key));
      if (own.has(key))
        notes.error('conflict', path, `this service publishes port \`${key}\` twice`);
      else if (other !== undefined && other !== name) {
        notes.error('conflict', path, `port \`${key}\` is published by \`${other}\` already`);
      }
      own.add(key);
      published.set(key, name);
      if (!isHostMode(port)) ingress.set(key, name);
    }
  }
}

function isHostMode(port: { readonly PublishMode?: string }): boolean {
  return port.PublishMode === 'host';
}
