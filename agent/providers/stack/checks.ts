import type { Check } from '../../../schemas/stack.ts';
import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import type { Path } from '../../core/path.ts';
import { suggest } from '../../core/suggest.ts';
import type { PortConfig, ServiceSpec } from './engine-api.ts';
import type { CheckSpec, Published } from './spec.ts';

const INTERVAL_MS = 5_000;
const TIMEOUT_MS = 3_000;
const FAILURES = 3;
const PATH = '/';
const STATUS = [{ from: 200, to: 399 }];
/** Most names or ports that a message lists. */
const LISTED_MAX = 8;

/** The checks of a stack, and where a mistake in one of them is shown. */
export interface WrittenChecks {
  readonly checks: readonly Check[];
  /** `path` begins at the list of checks. */
  readonly place: (path: Path) => Place;
  /** Said after a message where the list does not stand in the stack's own folder. */
  readonly origin?: string;
}

/** Pure. What is asked, with everything filled in; a service or port that is not there is an error. */
export function convertChecks(
  { checks, place, origin = '' }: WrittenChecks,
  services: Readonly<Record<string, ServiceSpec>>,
): { readonly checks: readonly CheckSpec[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics = checks.flatMap((check, index): readonly Diagnostic[] => {
    const found = mistakeOf(check, services);
    if (found === undefined) return [];
    const { key, code, message, hint } = found;
    const protocol = check.tcp === undefined ? 'http' : 'tcp';
    const shown: Diagnostic = {
      severity: 'error',
      code,
      message: `${message}${origin}`,
      place: place([index, protocol, key]),
      ...(hint !== undefined && { hint }),
    };
    return [shown];
  });
  return { checks: checks.flatMap((check) => convertCheck(check) ?? []), diagnostics };
}

/** Undefined only for what the schema refuses. */
function convertCheck(check: Check): CheckSpec | undefined {
  const target = targetOf(check);
  if (target === undefined) return undefined;
  return {
    name: check.name,
    target,
    intervalMs: check.interval ?? INTERVAL_MS,
    timeoutMs: check.timeout ?? TIMEOUT_MS,
    failures: check.failures ?? FAILURES,
  };
}

function targetOf(check: Check): CheckSpec['target'] | undefined {
  const at = publishedBy(check);
  const { http } = check;
  if (http === undefined) return at && { protocol: 'tcp', at };
  const { url, host, contains } = http;
  const expected = {
    ...(host !== undefined && { host }),
    status: http.status ?? STATUS,
    ...(contains !== undefined && { contains }),
  };
  if (url !== undefined) return { protocol: 'http', url, ...expected };
  return at && { protocol: 'http', at, path: http.path ?? PATH, ...expected };
}

function publishedBy({ http, tcp }: Check): Published | undefined {
  const { service, port } = tcp ?? http ?? {};
  return service === undefined || port === undefined ? undefined : { service, port };
}

interface Mistake {
  readonly key: 'service' | 'port';
  readonly code: Diagnostic['code'];
  readonly message: string;
  readonly hint?: string;
}

function mistakeOf(
  check: Check,
  services: Readonly<Record<string, ServiceSpec>>,
): Mistake | undefined {
  const at = publishedBy(check);
  if (at === undefined) return undefined;
  const service = new Map(Object.entries(services)).get(at.service);
  if (service !== undefined) return portMistake(at, service.EndpointSpec?.Ports ?? []);
  const names = Object.keys(services);
  const meant = suggest(at.service, names);
  const hint = meant === undefined ? `it has ${listed(names)}` : `did you mean \`${meant}\`?`;
  return {
    key: 'service',
    code: 'undefined-service',
    message: `the stack has no service \`${shortened(at.service)}\``,
    ...(names.length > 0 && { hint }),
  };
}

/** A port whose number the engine chooses is not one that can be asked. */
function portMistake(
  { service, port }: Published,
  ports: readonly PortConfig[],
): Mistake | undefined {
  const reachable = ports.filter(({ Protocol = 'tcp' }) => Protocol === 'tcp');
  const published = reachable.flatMap(({ PublishedPort }) => PublishedPort ?? []);
  if (published.includes(port)) return undefined;
  const has = published.length === 0 ? 'none' : listed(published.map(String));
  const hint = portHint(port, reachable);
  return {
    key: 'port',
    code: 'wrong-value',
    message: `\`${service}\` does not publish the TCP port ${String(port)}; it publishes ${has}`,
    ...(hint !== undefined && { hint }),
  };
}

function portHint(port: number, ports: readonly PortConfig[]): string | undefined {
  const inside = ports.filter(({ TargetPort }) => TargetPort === port);
  const [first] = inside.flatMap(({ PublishedPort }) => PublishedPort ?? []);
  if (first !== undefined) {
    return `${String(port)} is the port inside the container, it is published at ${String(first)}`;
  }
  if (inside.length === 0) return undefined;
  return `the published port changes with every start: write \`published\` in the Compose file`;
}

function listed(words: readonly string[]): string {
  const shown = words.slice(0, LISTED_MAX).map((word) => `\`${shortened(word)}\``);
  const more = words.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${String(more)} more`}`;
}

function shortened(word: string): string {
  return word.length > 60 ? `${word.slice(0, 60)}…` : word;
}
