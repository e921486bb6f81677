import type { Finding } from '../../../core/finding.ts';
import { agentCaps } from '../agent-caps.ts';
import { type Excess, excessIn } from './caps-excess.ts';
import { lackingOfManager, lackingOfMonitors, mayChangeFilesystems } from './caps-given.ts';

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

/** Pure. What the key lacks, what it has and should not, and what of it is not understood. */
export function judgeKey(key: OwnKey): readonly Finding[] {
  const found = [...key.caps].flatMap(([service, text]) =>
    excessIn(service, text, key.pattern).map((one) => ({ ...one, service })),
  );
  return [
    ...missing(key),
    ...tooMany(
      key,
      found.filter(({ lets }) => lets !== undefined),
    ),
    ...unclear(
      key,
      found.filter(({ lets }) => lets === undefined),
    ),
  ];
}

function missing(key: OwnKey): readonly Finding[] {
  const mon = key.caps.get('mon') ?? '';
  const lacks = [
    ...lackingOfMonitors(mon, key.pattern),
    ...lackingOfManager(key.caps.get('mgr') ?? ''),
  ].map((command) => `\`${command}\``);
  const names = mayChangeFilesystems(mon)
    ? lacks
    : [...lacks, 'change a file system (`allow service log rw`)'];
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

type Found = Excess & { readonly service: string };

/** No agent does these things; whoever takes its key may. */
function tooMany(key: OwnKey, found: readonly Found[]): readonly Finding[] {
  if (found.length === 0) return [];
  const said = found.map(({ service, grant, lets }) => `${service} \`${grant}\` (${lets ?? ''})`);
  return [
    {
      severity: 'warning',
      code: 'ceph-rights-too-many',
      where: key.where,
      what: `the agent's key has more than an agent needs: ${said.join(', ')}`,
      why: 'the agent does none of that; who takes its key may',
      advice: 'take it away',
      command: capsCommand(key),
    },
  ];
}

function unclear(key: OwnKey, found: readonly Found[]): readonly Finding[] {
  if (found.length === 0) return [];
  const said = found.map(({ service, grant }) => `${service} \`${grant}\``);
  return [
    {
      severity: 'warning',
      code: 'ceph-rights-unclear',
      where: key.where,
      what: `caps of the agent's key are not understood: ${said.join(', ')}`,
      why: 'whether they are too much is not known',
      advice: 'see what they are for; the agent needs none of them',
      command: capsCommand(key),
    },
  ];
}

/** Pure. What gives a client that is there all that an agent needs, and no more. For a shell. */
export function capsCommand(key: Pick<OwnKey, 'client' | 'pattern'>): string {
  return `ceph auth caps ${withCaps(key)}`;
}

/** Pure. The same of a client that is not there, which this makes; prints its key. */
export function createCommand(key: Pick<OwnKey, 'client' | 'pattern'>): string {
  return `ceph auth get-or-create ${withCaps(key)}`;
}

/** Pure. The same where nobody knows whether it is there: with other caps than these Ceph refuses to make one that is. */
export function anywayCommand(key: Pick<OwnKey, 'client' | 'pattern'>): string {
  return `ceph auth get-or-create ${key.client} && ${capsCommand(key)}`;
}

function withCaps({ client, pattern }: Pick<OwnKey, 'client' | 'pattern'>): string {
  const [mon, grants = '', mgr, volumes = ''] = agentCaps(pattern);
  return `${client} ${mon ?? ''} '${grants}' ${mgr ?? ''} '${volumes}'`;
}
