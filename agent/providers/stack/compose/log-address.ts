import { isIP } from 'node:net';

import type { AllowRules } from '../../../core/surroundings.ts';
import type { Refusal } from './binds.ts';
import { judgeBind } from './binds.ts';

/** Pure. The socket of the node that an option of a logging driver names, as it is written; undefined: it names none. */
export function socketOf(value: string): string | undefined {
  const rest = /^\s*unix(?:gram)?:(.*)$/is.exec(value)?.[1];
  return rest?.replace(/^\/*/, '/');
}

/**
 * Pure. Some drivers cut `?` and `#` off and decode `%`: the path that they open is not the one that is written, and no
 * policy lets it in.
 */
export function isUnclear(socket: string): boolean {
  return /[%?#]/.test(socket);
}

/**
 * Pure. Judges an option of a logging driver, whatever its key. The engine of the node connects to the address, so it is a
 * door of the node under another name: a socket is a bind, a loopback address the network of the node.
 */
export function judgeLogOption(value: string, allow: AllowRules): Refusal | undefined {
  const socket = socketOf(value);
  if (socket !== undefined) {
    if (!isUnclear(socket)) return judgeBind(socket, allow);
    return {
      message: 'the path of a socket with `%`, `?` or `#` could become another one',
      hint: 'write the path itself, such as `unix:///run/log.sock`',
    };
  }
  if (allow.hostNetwork || !isLoopback(value)) return undefined;
  return {
    message:
      'the policy does not allow the network of the nodes, from which logging drivers connect',
    hint: 'set `policy.allow.hostNetwork: true` in the environment if it must be',
  };
}

const localNames = /^(?:(?:.+\.)?localhost(?:\.localdomain)?|ip6-localhost|ip6-loopback)\.?$/;

/** Whether the host of `scheme://user@host:port/path`, of `//host` or of a plain `host:port` is the node itself. */
function isLoopback(value: string): boolean {
  const [, scheme, rest = ''] = /^\s*((?:[a-z][a-z0-9+.-]*:)?\/\/)?(.*)$/is.exec(value) ?? [];
  const authority = (/^[^/?#\\\s]*/.exec(rest)?.[0] ?? '').replace(/^.*@/, '');
  // Without a host it is the driver's own default, or this machine.
  if (authority.startsWith(':') && isIP(authority) === 0) return true;
  if (authority === '') return scheme !== undefined;
  if (scheme === undefined && /^\d+$/.test(authority)) return false; // a count, not 0.0.0.3
  const address = isIP(authority) === 6 ? `[${authority}]` : authority;
  // It knows every way to write an address: `127.1`, `0x7f000001`, `[0:0:0:0:0:0:0:1]`.
  const host = URL.parse(`http://${address.replace(/%[^\]]*(?=\])/, '')}`)?.hostname ?? '';
  if (isIP(host) === 4) return /^(?:127|0)\./.test(host);
  // The last two are IPv4 within IPv6.
  return (
    localNames.test(host) || /^\[::(?:1|(?:ffff:)?(?:7f|0)[0-9a-f]{0,2}:[0-9a-f]+)?\]$/.test(host)
  );
}
