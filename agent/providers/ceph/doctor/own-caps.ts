import type { Finding } from '../../../core/finding.ts';
import { agentCaps, neededCommands, type NeededCommand, neededOfManager } from '../agent-caps.ts';

/** The key of an agent, as one looks at it. */
export interface OwnKey {
  /** `cluster main` */
  readonly where: string;
  /** `client.understudy` */
  readonly client: string;
  /** `client.site-*` */
  readonly pattern: string;
  readonly caps: ReadonlyMap<string, string>;
}

/** One of the grants of a service. What stands in quotes may hold a comma. */
const GRANT = /(?:"[^"]*"|'[^']*'|[^,;])+/g;
const COMMAND = /^allow command[ =]["']([^"']+)["'](?: with (.*))?$/;
const ALL = /^allow (?:\*|all|rwx)(?= |$)/;
const WRITES = /^allow rw(?= |$)/;
/** All commands of the manager daemon that are about parts of file systems. */
const MODULE = /^allow (?:\*$|all$|rwx?$|module volumes rw)/;

function grantsIn(caps: string): readonly string[] {
  return [...caps.matchAll(GRANT)].map(([grant]) => grant.trim().replaceAll(/\s+/g, ' '));
}

/** Pure. What the key lacks, and what it has and should not. */
export function judgeKey(key: OwnKey): readonly Finding[] {
  const mon = grantsIn(key.caps.get('mon') ?? '');
  const mgr = grantsIn(key.caps.get('mgr') ?? '');
  return [...missing(key, mon, mgr), ...deleting(key, mon, mgr)];
}

function missing(key: OwnKey, mon: readonly string[], mgr: readonly string[]): readonly Finding[] {
  const lacks = neededCommands(key.pattern).filter(
    (one) => !mon.some((grant) => gives(grant, one)),
  );
  const ofManager = neededOfManager.filter(
    (command) => !mgr.some((grant) => MODULE.test(grant) || COMMAND.exec(grant)?.[1] === command),
  );
  const names = [...lacks.map(({ command }) => command), ...ofManager].map((one) => `\`${one}\``);
  if (names.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'ceph-right-missing',
      where: key.where,
      what: `the agent's key may not ${names.join(', ')}`,
      why: 'documents that need it are held; what none of them needs can be left out',
      advice: 'give it what it needs',
      command: capsCommand(key),
    },
  ];
}

/** `rw` of everything reaches all but keys. */
function gives(grant: string, { command, limit }: NeededCommand): boolean {
  if (ALL.test(grant)) return true;
  if (WRITES.test(grant)) return !command.startsWith('auth ');
  const [, given, limits] = COMMAND.exec(grant) ?? [];
  if (given !== command) return false;
  if (limits === undefined) return true;
  const prefix = limit && new RegExp(`^${limit.of} prefix (\\S+)$`).exec(limits)?.[1];
  return limit !== undefined && prefix !== undefined && limit.prefix.startsWith(prefix);
}

const DELETES = ['osd pool delete', 'osd pool rm', 'fs rm', 'fs volume rm'];

/** No agent sends these; whoever takes its key may. */
function deleting(key: OwnKey, mon: readonly string[], mgr: readonly string[]): readonly Finding[] {
  const grant = mon.find(
    (one) => ALL.test(one) || WRITES.test(one) || DELETES.includes(COMMAND.exec(one)?.[1] ?? ''),
  );
  const ofManager = mgr.find((one) => MODULE.test(one));
  const grants = [grant, ofManager].filter((one) => one !== undefined);
  if (grants.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'ceph-rights-too-many',
      where: key.where,
      what: `the agent's key may delete what holds data: \`${grants.join('`, `')}\``,
      why: 'the agent has no command for that; who takes its key has',
      advice: 'take it away',
      command: capsCommand(key),
    },
  ];
}

/** Pure. What gives the key all that an agent needs, and no more. For a shell. */
export function capsCommand({ client, pattern }: Pick<OwnKey, 'client' | 'pattern'>): string {
  const [mon, grants = '', mgr, volumes = ''] = agentCaps(pattern);
  return `ceph auth caps ${client} ${mon ?? ''} '${grants}' ${mgr ?? ''} '${volumes}'`;
}
