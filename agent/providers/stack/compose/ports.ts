import { isIP } from 'node:net';

import type { LongPort, Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { PortConfig } from '../engine-api.ts';
import { noteDuplicates } from './labels.ts';
import { bytewise } from './names.ts';
import type { Notes } from './notes.ts';
import { nonEmpty, nonZero, present } from './present.ts';

/** Most ports of one service: a range is one line, and the engine takes some time for each port. */
const PORTS_MAX = 4096;
const PORT_MAX = 65_535;
const API_MAX = 0xffff_ffff;
const FORM =
  'write `CONTAINER`, `PUBLISHED:CONTAINER` or ranges of equal length, with `/udp` at the end if need be';

/** One published port and where the file asks for it. */
export interface PortEntry {
  readonly port: PortConfig;
  readonly path: Path;
}

/** `ports` of a service, sorted by published port; the order of the file decides between equals. */
export function convertPorts(ports: Service['ports'], path: Path, notes: Notes): PortEntry[] {
  noteDuplicates(ports, path, notes);
  const entries: PortEntry[] = [];
  for (const [index, written] of (ports ?? []).entries()) {
    if (written === undefined) continue;
    const at = [...path, index];
    const added =
      typeof written === 'object'
        ? longPort(written, at, notes)
        : shortPorts(String(written), at, notes);
    if (entries.length + added.length > PORTS_MAX) {
      notes.error('too-large', at, `a service can have ${String(PORTS_MAX)} ports, here are more`);
      break;
    }
    for (const port of added) entries.push({ port, path: at });
  }
  return entries.toSorted((a, b) => (a.port.PublishedPort ?? 0) - (b.port.PublishedPort ?? 0));
}

/** Nothing is filled in here: the engine does, and a spec that spells its defaults out would differ from the CLI's. */
function longPort(written: LongPort, path: Path, notes: Notes): PortConfig[] {
  const { target, published, protocol, mode } = written;
  if (target === undefined) {
    notes.unworkable(
      'missing-key',
      path,
      'the port has no `target`',
      'write the port of the container',
    );
  }
  for (const [key, port] of [
    ['target', target],
    ['published', published],
  ] as const) {
    if (port === undefined || (port >= (key === 'target' ? 1 : 0) && port <= PORT_MAX)) continue;
    const problem = `\`${String(port)}\` is not a port`;
    const hint = `write 1 to ${String(PORT_MAX)}`;
    // The API has no room for those: whatever the policy says, nobody can send them.
    if (port < 0 || port > API_MAX) notes.error('wrong-value', [...path, key], problem, hint);
    else notes.unworkable('wrong-value', [...path, key], problem, hint);
  }
  if (protocol !== undefined && !['', 'tcp', 'udp', 'sctp'].includes(protocol)) {
    notes.unworkable(
      'wrong-value',
      [...path, 'protocol'],
      'this is not a protocol',
      'write `tcp`, `udp` or `sctp`',
    );
  }
  if (mode !== undefined && !['', 'ingress', 'host'].includes(mode)) {
    notes.unworkable(
      'wrong-value',
      [...path, 'mode'],
      'ports have no such mode',
      'write `ingress` or `host`',
    );
  }
  return [
    present({
      Protocol: nonEmpty(protocol),
      TargetPort: nonZero(target),
      PublishedPort: nonZero(published),
      PublishMode: nonEmpty(mode),
    }),
  ];
}

/** What a short port asks for, none where it cannot be read, which is noted. */
export function shortPorts(written: string, path: Path, notes: Notes): PortConfig[] {
  const parsed = parsePort(written);
  if ('problem' in parsed) {
    notes.error('wrong-value', path, parsed.problem, FORM);
    return [];
  }
  if (parsed.ignoredAddress !== undefined) {
    notes.warn(
      'ignored-key',
      path,
      `Swarm ignores the address \`${parsed.ignoredAddress}\`: the port is published on all addresses of all nodes`,
    );
  }
  if (parsed.ports.some(({ TargetPort: target }) => target === undefined)) {
    notes.unworkable('wrong-value', path, 'a container has no port 0', FORM);
  }
  return [...parsed.ports];
}

/** What a short port says, or why it says nothing. */
export type ParsedPort =
  | { readonly ports: readonly PortConfig[]; readonly ignoredAddress?: string }
  | { readonly problem: string };

/** Pure. `[ip:][published[-published]:]container[-container][/protocol]`, in the CLI's order. */
export function parsePort(written: string): ParsedPort {
  const parts = written.split(':');
  const last = parts.at(-1) ?? '';
  const host = parts.length > 1 ? (parts.at(-2) ?? '') : '';
  const address = parts
    .slice(0, -2)
    .join(':')
    .replace(/^\[(.*)\]$/, '$1');
  if (address !== '' && (isIP(address) === 0 || address.includes('%'))) {
    return { problem: `\`${address}\` is not an IP address` };
  }
  const [range = '', protocol = 'tcp'] = last.split('/', 2);
  const container = parseRange(range);
  if (container === undefined) return { problem: `\`${range}\` is not a port` };
  const published = host === '' ? { from: 0, to: 0 } : parseRange(host);
  if (published === undefined) return { problem: `\`${host}\` is not a port` };
  const length = container.to - container.from;
  if (host !== '' && length !== 0 && length !== published.to - published.from) {
    return { problem: 'the two ranges differ in length' };
  }
  const shown = (protocol === '' ? 'tcp' : protocol).toLowerCase();
  if (!['tcp', 'udp', 'sctp'].includes(shown))
    return { problem: `\`${protocol}\` is not a protocol` };
  const ports = pairs(container, published, host !== '').map(([target, open]) =>
    present({
      Protocol: shown,
      TargetPort: nonZero(target),
      PublishedPort: nonZero(open),
      PublishMode: 'ingress',
    }),
  );
  return isUnspecified(address) ? { ports } : { ports, ignoredAddress: address };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function parseRange(text: string): Range | undefined {
  const [, first, second] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  const range = { from: Number(first), to: Number(second ?? first) };
  return range.from <= range.to && range.to <= PORT_MAX ? range : undefined;
}

/** Container port and published port. The CLI sorts the container ports of one line as text: 1000 before 998. */
function pairs(container: Range, published: Range, isPublished: boolean): [number, number][] {
  if (container.from === container.to) {
    return upTo(published).map((open): [number, number] => [container.from, open]);
  }
  return upTo(container)
    .map((target): [number, number] => [
      target,
      isPublished ? published.from + target - container.from : 0,
    ])
    .toSorted(([a], [b]) => bytewise(String(a), String(b)));
}

function upTo({ from, to }: Range): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function isUnspecified(address: string): boolean {
  return address === '' || /^[0:.]+$/.test(address) || /^::ffff:0\.0\.0\.0$/i.test(address);
}
