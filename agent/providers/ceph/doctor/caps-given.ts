import { grantsIn, type Grant, type Limit, readGrant } from '../grants.ts';
import { type NeededCommand, neededCommands, neededOfManager } from '../agent-caps.ts';

/** As a command is asked for: a monitor's service, and the letters that reach it there. Compared with Ceph's own list in a test. */
interface Reach {
  readonly service: string;
  readonly letters: string;
}

/** What a key may do by rights of whole services, beside single commands. Services to letters. */
const PROFILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mon: { mon: 'rwx', log: 'rwx' },
  osd: { osd: 'rwx', mon: 'r', pg: 'rw', log: 'w' },
  mds: { mds: 'rwx', mon: 'r', osd: 'r', log: 'w' },
  mgr: {
    mgr: 'rwx',
    log: 'rw',
    mon: 'rw',
    mds: 'rw',
    fs: 'rw',
    osd: 'rw',
    auth: 'rwx',
    'config-key': 'rw',
    config: 'rw',
  },
  'role-definer': { mon: 'r', auth: 'rwx' },
};
/** The same of everything. */
const WIDE: Readonly<Record<string, string>> = { 'read-only': 'r', 'read-write': 'rw' };

/** Pure. By which right a monitor takes a command that an agent needs (16.2.15). */
export function reachOf(command: string): Reach {
  const [service = ''] = command.split(' ');
  if (service === 'auth') {
    return { service, letters: /^auth (?:ls|get)$/.test(command) ? 'rx' : 'rwx' };
  }
  if (command === 'config-key dump') return { service, letters: 'r' };
  if (service === 'fs') return { service: command === 'fs new' ? 'fs' : 'mds', letters: 'rw' };
  return { service, letters: 'rw' };
}

/** Pure. Commands that an agent needs and that these caps of monitors do not give. What is not known for sure counts as given. */
export function lackingOfMonitors(caps: string, pattern: string): readonly string[] {
  const grants = readGrants(caps);
  if (isEverything(grants)) return [];
  return neededCommands(pattern)
    .filter((one) => !isGiven(grants, one))
    .map(({ command }) => command);
}

/** Pure. Without a right to write to something Ceph changes no file system, whatever commands are given; of profiles those count that are about them. */
export function mayChangeFilesystems(caps: string): boolean {
  return readGrants(caps).some((one) => {
    if (one.what === 'letters' || one.what === 'service') return /[w*]/.test(one.may);
    return one.what === 'profile' && PROFILES[one.name]?.['mds']?.includes('w') === true;
  });
}

/** Pure. The same of the manager daemon. */
export function lackingOfManager(caps: string): readonly string[] {
  const grants = readGrants(caps);
  if (isEverything(grants)) return [];
  return neededOfManager.filter((command) => {
    if (grants.some((one) => one.what === 'command' && one.name === command)) return false;
    const letters = grants.map((one) => {
      if (one.what === 'letters') return one.may;
      if (one.what === 'profile') return WIDE[one.name] ?? '';
      return one.what === 'module' && one.name === 'volumes' ? one.may : '';
    });
    return !holds(letters.join(''), / (?:ls|info)$/.test(command) ? 'r' : 'rw');
  });
}

function readGrants(caps: string): readonly Grant[] {
  return grantsIn(caps).flatMap((one) => readGrant(one) ?? []);
}

function isEverything(grants: readonly Grant[]): boolean {
  return grants.some((one) => one.what === 'letters' && one.may === '*');
}

function holds(has: string, wanted: string): boolean {
  return has.includes('*') || [...new Set(wanted)].every((letter) => has.includes(letter));
}

/** Letters of several grants add up. */
function isGiven(grants: readonly Grant[], needed: NeededCommand): boolean {
  if (grants.some((one) => givesCommand(one, needed))) return true;
  const { service, letters } = reachOf(needed.command);
  return holds(grants.map((one) => lettersFor(one, service)).join(''), letters);
}

function lettersFor(grant: Grant, service: string): string {
  if (grant.what === 'service') return grant.name === service ? grant.may : '';
  // What is stored there is reached by name or with `*` alone.
  const isWide = service !== 'config-key';
  if (grant.what === 'letters') return isWide ? grant.may : '';
  if (grant.what !== 'profile') return '';
  const wide = isWide ? (WIDE[grant.name] ?? '') : '';
  return wide + (PROFILES[grant.name]?.[service] ?? '');
}

function givesCommand(grant: Grant, { command, limit }: NeededCommand): boolean {
  if (grant.what !== 'command' || grant.name !== command) return false;
  return grant.limits.every(({ of, how, value }) => {
    if (of !== limit?.of) return isOfCaps(of);
    if (how === 'regex') return true;
    return how === 'prefix' ? limit.prefix.startsWith(value) : limit.prefix === value;
  });
}

/** Which caps it may give is a limit that somebody chose: whether it is too narrow depends on the documents. */
function isOfCaps(of: string): boolean {
  return of.startsWith('caps_');
}

/** Pure. Whether a limit keeps a command to what an agent needs of it. Undefined: a pattern says it, which is not read. */
export function isWithin(limits: readonly Limit[], { limit }: NeededCommand): boolean | undefined {
  if (limit === undefined) return true;
  const about = limits.filter(({ of }) => of === limit.of);
  if (about.some(({ how }) => how === 'regex')) return undefined;
  // Of two about the same Ceph heeds one.
  return about.length > 0 && about.every(({ value }) => value.startsWith(limit.prefix));
}
