import { grantsIn, type Grant, readGrant } from '../grants.ts';
import { neededCommands, neededOfManager } from '../agent-caps.ts';
import { isWithin } from './caps-given.ts';

/** A grant that is more than an agent needs. `lets`: what it lets whoever has the key do; absent: it is not understood. */
export interface Excess {
  readonly grant: string;
  readonly lets?: string;
}

const EVERYTHING = 'do everything';
const KEYS = 'write keys and caps';
const READ_KEYS = 'read the keys of all';
const LOSE = 'delete what holds data';
const SETTINGS = 'change settings';
const STORED = 'reach what others store beside the settings, also their secrets';
const MORE = 'do what no agent does';

/** What a monitor's services let somebody do who may write there. */
const WRITING: Readonly<Record<string, string>> = {
  osd: LOSE,
  fs: LOSE,
  mds: LOSE,
  pg: MORE,
  mon: SETTINGS,
  mgr: SETTINGS,
  config: SETTINGS,
  'config-key': STORED,
  auth: KEYS,
  service: MORE,
};

/** Of a monitor, and of a manager daemon: they read, and no keys. */
const READING_PROFILES: Readonly<Record<string, ReadonlySet<string>>> = {
  mon: new Set(['read-only', 'rbd-read-only', 'simple-rados-client', 'fs-client', 'crash']),
  mgr: new Set(['read-only', 'rbd-read-only', 'osd', 'mds']),
};
const PROFILES: ReadonlyMap<string, string> = new Map([
  ['read-write', LOSE],
  ['role-definer', KEYS],
  ['mgr', `${KEYS}, ${LOSE}, ${SETTINGS}`],
  ['osd', LOSE],
  ['mds', LOSE],
  ['mon', SETTINGS],
  ['rbd', MORE],
  ['rbd-mirror', STORED],
  ['rbd-mirror-peer', STORED],
  ['cephfs-mirror', MORE],
  ['simple-rados-client-with-blocklist', MORE],
  ['crash', MORE],
  ...['mds', 'mgr', 'osd', 'rgw', 'rbd', 'rbd-mirror'].map((one): [string, string] => [
    `bootstrap-${one}`,
    'make keys of daemons',
  ]),
]);

/** How commands end that read, keys and what is stored aside. Compared with Ceph's own list in a test. */
const READS = /(?:^| )(?:df|dump|get|info|list|ls|metadata|show|stat|tree|versions?)$/;
const STATUS = /^(?:(?:fs|osd|mgr|balancer) )?status$/;
const LOSES = /^osd (?:pool )?(?:delete|destroy|destroy-actual|lost|new|purge|purge-actual|purge-new|rm|rmsnap)$|^fs (?:rm|rm_data_pool|reset|volume rm)$|^fs subvolume(?:group)? (?:snapshot )?rm$|^mds (?:newfs|rm)/; // prettier-ignore

/** Pure. Of `mon`, `mgr`, `osd`, `mds`, and of whatever else caps name. `pattern`: of the agent's clients. */
export function excessIn(service: string, caps: string, pattern: string): readonly Excess[] {
  return grantsIn(caps).flatMap((grant) => {
    const lets = letsOf(service, grant, pattern);
    if (lets === NOTHING) return [];
    return [lets === UNKNOWN ? { grant } : { grant, lets }];
  });
}

/** What it lets somebody do, or one of these. */
type Lets = string;
const NOTHING = 'nothing';
const UNKNOWN = 'unknown';

function letsOf(service: string, grant: string, pattern: string): Lets {
  if (service === 'osd' || service === 'mds') return dataLets(grant);
  if (service !== 'mon' && service !== 'mgr') return UNKNOWN;
  const read = readGrant(grant);
  if (read === undefined) return UNKNOWN;
  return service === 'mon' ? monitorLets(read, pattern) : managerLets(read);
}

function monitorLets(grant: Grant, pattern: string): Lets {
  switch (grant.what) {
    case 'letters':
      return lettersLet(grant.may);
    case 'service':
      return serviceLets(grant.name, grant.may);
    case 'module':
      return UNKNOWN;
    case 'profile':
      return profileLets('mon', grant.name);
    case 'command':
      return commandLets(grant, pattern);
  }
}

function lettersLet(may: string): Lets {
  if (may === '*') return EVERYTHING;
  if (may === 'rwx') return `${KEYS}, ${LOSE}, ${SETTINGS}`;
  if (may.includes('w')) return `${LOSE}, ${SETTINGS}`;
  // With `r` of another grant as well.
  return may.includes('x') ? READ_KEYS : NOTHING;
}

function serviceLets(name: string, may: string): Lets {
  if (name === 'log') return NOTHING;
  const lets = WRITING[name];
  if (lets === undefined) return UNKNOWN;
  if (/[w*]/.test(may)) return lets;
  if (name === 'config-key') return STORED;
  if (!may.includes('x')) return NOTHING;
  return name === 'auth' ? READ_KEYS : MORE;
}

function profileLets(service: 'mon' | 'mgr', name: string): Lets {
  if (READING_PROFILES[service]?.has(name) === true) return NOTHING;
  return PROFILES.get(name) ?? UNKNOWN;
}

function commandLets({ name, limits }: Extract<Grant, { what: 'command' }>, pattern: string): Lets {
  const needed = neededCommands(pattern).find(({ command }) => command === name);
  const isFine = needed && isWithin(limits, needed);
  if (isFine === true) return NOTHING;
  // Within some pattern.
  if (needed !== undefined && isFine === undefined) return UNKNOWN;
  if (name === 'fs authorize' || name.startsWith('auth ')) {
    return /^auth (?:export|get|get-key|list|ls|print[-_]key)$/.test(name) ? READ_KEYS : KEYS;
  }
  if (name.startsWith('config-key ')) return STORED;
  if (READS.test(name) || STATUS.test(name)) return NOTHING;
  if (LOSES.test(name)) return LOSE;
  return name.startsWith('config ') ? SETTINGS : MORE;
}

function managerLets(grant: Grant): Lets {
  switch (grant.what) {
    case 'letters':
      if (grant.may === '*') return EVERYTHING;
      return grant.may === 'r' ? NOTHING : LOSE;
    case 'service':
    case 'module':
      if (grant.may === 'r') return NOTHING;
      return /^(?:volumes|rbd_support|osd)$/.test(grant.name) ? LOSE : MORE;
    case 'profile':
      return grant.name.startsWith('rbd') && grant.name !== 'rbd-read-only'
        ? LOSE
        : profileLets('mgr', grant.name);
    case 'command': {
      const { name } = grant;
      const isFine = neededOfManager.includes(name) || READS.test(name) || STATUS.test(name);
      if (isFine) return NOTHING;
      return LOSES.test(name) ? LOSE : MORE;
    }
  }
}

const VALUE = String.raw`(?:"[^"]*"|'[^']*'|\S+)`;
const WHERE = String.raw`(?:(?:pool|namespace|object_prefix|network|fsname|path|uid|gids)[ =]${VALUE}|tag \S+ \S+|root_squash)`;
const READS_DATA = new RegExp(
  `^(?:allow (?:r|class-read|r class-read)|(?:allow )?profile[ =]["']?(?:rbd-)?read-only["']?)(?: ${WHERE})*$`,
);
const CHANGES_DATA =
  /^(?:allow (?:r?wx?[fps]*|r?x|r[fps]+|(?:r )?(?:class-read )?class(?:-write)?)|(?:allow )?profile[ =]["']?[a-z-]+["']?)(?= |$)/;

/** An agent needs nothing of those who keep data. */
function dataLets(grant: string): Lets {
  if (/^allow (?:\*|all)(?= |$)/.test(grant)) return EVERYTHING;
  if (READS_DATA.test(grant)) return NOTHING;
  return CHANGES_DATA.test(grant) ? 'read and change data' : UNKNOWN;
}
