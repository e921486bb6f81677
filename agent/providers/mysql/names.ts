import { isFrom, nameOf } from './server.ts';
import type { Server } from './server.ts';

// What a server takes as a name and keeps as it was written. Each answer is undefined, or a reason in words that stands
// alone: what a server would cut, trim, fold or misunderstand is refused, because it would differ for ever or open more.

const HOST_MAX = 255;
const OBJECT_MAX = 64;
const USER_MAX = { mysql: 32, mariadb: 128 } as const;
const BEYOND_BMP = /[\u{10000}-\u{10FFFF}]/u;

/** Accounts that a server has for itself, and the one that people come back in with. */
const SERVERS_OWN = /^(?:root|mysql|mariadb\.sys|mysql\..*)$/i;
/** Words that stand for something else where a role is written. */
const NO_ROLES = new Set(['none', 'public', 'default', 'all', 'current_user', 'current_role']);
const SYSTEM = new Set(['mysql', 'sys', 'performance_schema', 'information_schema']);

/** Pure. Why this cannot be the name of an account. */
export function userProblem(name: string, server: Server): string | undefined {
  if (name === '') return 'an account without a name would let anybody in';
  if (SERVERS_OWN.test(name)) return `the account \`${name}\` belongs to the server`;
  return commonProblem(name) ?? lengthProblem(name, server);
}

/** Pure. Why this cannot be the name of a role. */
export function roleProblem(name: string, server: Server): string | undefined {
  if (NO_ROLES.has(name.toLowerCase())) return `\`${name}\` stands for something else in a grant`;
  return name === '' ? 'a role needs a name' : userProblem(name, server);
}

function lengthProblem(name: string, server: Server): string | undefined {
  const max = USER_MAX[server.flavor];
  if (name.length <= max) return undefined;
  return `a name has at most ${String(max)} characters on ${nameOf(server)}`;
}

/** Pure. Why a server does not keep this text as it is. */
export function textProblem(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'it holds a control character';
  const isKept = text.isWellFormed() && !BEYOND_BMP.test(text);
  return isKept ? undefined : 'it holds a character beyond U+FFFF, such as emoji';
}

function commonProblem(name: string): string | undefined {
  if (/\p{Cc}/u.test(name)) return 'a name holds no control characters';
  if (BEYOND_BMP.test(name) || !name.isWellFormed()) {
    return 'a name holds no characters beyond U+FFFF, such as emoji: the server would keep `?`';
  }
  if (name.trim() !== name) return 'a name neither begins nor ends with a blank';
  return undefined;
}

/** Pure. Why this cannot be the name of a database, a table, a column or a routine. */
export function objectProblem(name: string): string | undefined {
  if (name === '') return 'a name is empty';
  if (name.length > OBJECT_MAX) return `a name has at most ${String(OBJECT_MAX)} characters`;
  return commonProblem(name);
}

/** Pure. Why this cannot be a database of the repository: `grants` may name what the server has for itself. */
export function databaseProblem(name: string): string | undefined {
  if (SYSTEM.has(name.toLowerCase())) return `the database \`${name}\` belongs to the server`;
  return objectProblem(name);
}

/** Pure. A host as servers keep and compare it. */
export function keptHost(host: string): string {
  return host.toLowerCase();
}

/** Pure. Why this cannot be the host of an account. */
export function hostProblem(host: string, server: Server): string | undefined {
  if (host === '')
    return 'an empty host means anywhere on one server and nowhere on another: write `%`';
  if (host.length > HOST_MAX) return `a host has at most ${String(HOST_MAX)} characters`;
  if (!/^[A-Za-z0-9._%:/-]+$/.test(host)) {
    return 'a host is a name, an address, or one of these with `%` or `_`';
  }
  return host.includes('/') ? networkProblem(host, server) : undefined;
}

/** `10.0.0.0/8` or `10.0.0.0/255.0.0.0`. MariaDB takes the short form, and then nobody matches it. */
function networkProblem(host: string, server: Server): string | undefined {
  const [, from = '', size = ''] = /^([\d.]+)\/([\d.]+)$/.exec(host) ?? [];
  const address = addressOf(from);
  if (address === undefined) return 'a network is written as `10.0.0.0/255.0.0.0`';
  const mask = maskOf(size);
  if (mask === undefined) return 'the mask of a network is ones and then zeros: `255.255.0.0`';
  if ((address & ~mask) !== 0) return 'the address of a network has no bits beyond its mask';
  if (size.includes('.') || isFrom(server, 'mysql', 8, 0, 23)) return undefined;
  return `${nameOf(server)} does not understand \`/${size}\`: write \`${from}/${written(mask)}\``;
}

function addressOf(text: string): number | undefined {
  const parts = text
    .split('.')
    .map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((address, part) => (address << 8) | part, 0);
}

function maskOf(text: string): number | undefined {
  if (/^(?:[0-9]|[12]\d|3[0-2])$/.test(text))
    return Number(text) === 0 ? 0 : -1 << (32 - Number(text));
  const mask = addressOf(text);
  // Zeros at the end alone: what is not set is one less than a power of two.
  return mask !== undefined && (~mask & (~mask + 1)) === 0 ? mask : undefined;
}

function written(address: number): string {
  return [24, 16, 8, 0].map((shift) => String((address >>> shift) & 255)).join('.');
}
