import { lookup as lookupName } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';

import { addressRules } from './address.ts';
import { codeOf, orLate, outcome, type Outcome } from './outcome.ts';

/** All addresses of a name, in the order in which to try them. Rejects as `dns.lookup` does. */
export type Lookup = (name: string) => Promise<readonly LookupAddress[]>;

/** Where a question may go: addresses that were checked, or what the asking came to. */
export type Passed =
  | { readonly status: 'passed'; readonly addresses: readonly LookupAddress[] }
  | { readonly status: 'held'; readonly outcome: Outcome };

/** Nothing is connected to without it. */
export interface Gate {
  /** `host`: a name or an address without brackets. Settles as soon as the signal is aborted. */
  pass(host: string, nodes: readonly string[], signal: AbortSignal): Promise<Passed>;
}

/** Most addresses of a name that are tried. */
const ADDRESSES_MAX = 8;
/** How long one of several addresses is tried at least; what Node takes by itself. */
const ATTEMPT_MS_MIN = 250;

const systemLookup: Lookup = (name) => lookupName(name, { all: true });

type Found =
  | { readonly status: 'found'; readonly addresses: readonly LookupAddress[] }
  | { readonly status: 'failed'; readonly code: string };

/**
 * Looks names up and lets only addresses through that may be reached. A lookup cannot be stopped, so a name that is
 * being looked up is not looked up a second time: the lookups under way are never more than the names.
 */
export function openGate(allow: readonly string[], lookup: Lookup = systemLookup): Gate {
  const rules = addressRules(allow);
  const underWay = new Map<string, Promise<Found>>();

  async function find(name: string): Promise<Found> {
    const running = underWay.get(name);
    if (running !== undefined) return running;
    const begun = addressesOf(name, lookup).finally(() => underWay.delete(name));
    underWay.set(name, begun);
    return begun;
  }

  return {
    async pass(host, nodes, signal) {
      const family = isIP(host);
      const found: Found =
        family === 0
          ? await orLate(find(host), () => ({ status: 'failed', code: 'LATE' }), signal)
          : { status: 'found', addresses: [{ address: host, family }] };
      if (found.status === 'failed') return held(lookupFailure(host, found.code));
      const { addresses } = found;
      const allowed = addresses.filter(({ address }) => rules.isAllowed(address, nodes));
      if (allowed.length > 0) {
        return { status: 'passed', addresses: allowed.slice(0, ADDRESSES_MAX) };
      }
      const [refused] = addresses;
      if (refused === undefined) return held(lookupFailure(host, 'ENOTFOUND'));
      const what = family === 0 ? `${host} is ${refused.address}, which` : refused.address;
      return held(
        outcome('bad', `${what} is not allowed: \`network.allow\` of the agent's settings decides`),
      );
    },
  };
}

async function addressesOf(name: string, lookup: Lookup): Promise<Found> {
  try {
    return { status: 'found', addresses: await lookup(name) };
  } catch (error) {
    return { status: 'failed', code: error instanceof Error ? codeOf(error) : '' };
  }
}

/** A name server that does not answer says nothing about what is asked. */
function lookupFailure(host: string, code: string): Outcome {
  if (code === 'LATE' || code === 'EAI_AGAIN') {
    return outcome('open', `the name server does not say where ${host} is`);
  }
  return outcome('bad', `there is no host ${host}`);
}

function held(what: Outcome): Passed {
  return { status: 'held', outcome: what };
}

/** Options of `net.connect` that go to these addresses and to nothing else, one after another. */
export function connectOptions(addresses: readonly LookupAddress[], timeoutMs: number) {
  const lookup: LookupFunction = (_name, { all }, callback) => {
    const [first] = addresses;
    if (first === undefined) callback(new Error('bug: no address'), '');
    else if (all === true) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
  const shareMs = Math.floor(timeoutMs / Math.max(1, addresses.length));
  return {
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(ATTEMPT_MS_MIN, shareMs),
  };
}
