import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import {
  agentCaps,
  neededCommands,
  neededOfManager,
} from '../../agent/providers/ceph/agent-caps.ts';
import { examineClusters } from '../../agent/providers/ceph/doctor/examine.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import { excessIn } from '../../agent/providers/ceph/doctor/caps-excess.ts';
import {
  lackingOfManager,
  lackingOfMonitors,
  mayChangeFilesystems,
  reachOf,
} from '../../agent/providers/ceph/doctor/caps-given.ts';
import { type Ceph, openCeph } from '../../agent/providers/ceph/driver.ts';
import { grantsIn, readGrant } from '../../agent/providers/ceph/grants.ts';
import { childProcesses } from '../../agent/child-processes.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { CephPrograms } from '../../agent/rehearsal/ceph/programs.ts';
import { accessTo, cephPrograms, done, raised, removed, tried } from './ceph.ts';

/** What the doctor says of caps, against what a real cluster lets a key do that has them. */
const PATTERN = 'client.site-*';
const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const Signatures = z.record(
  z.string(),
  z.object({
    sig: z.array(z.union([z.string(), z.looseObject({})])),
    module: z.string(),
    perm: z.string(),
  }),
);

let programs: CephPrograms;
let cluster: Cluster;

beforeAll(async () => {
  programs = await cephPrograms();
  cluster = await raised(programs, { monitors: 1, filesystem: 'cephfs' });
});
afterAll(async () => {
  await removed(cluster);
});

async function signatures() {
  const all = Signatures.parse(await done(cluster, 'mon', 'get_command_descriptions'));
  return Object.values(all).map(({ sig, module, perm }) => ({
    prefix: sig.filter((word) => typeof word === 'string').join(' '),
    module,
    perm,
  }));
}

/** Of a client that was not there before. */
async function freshAccess(caps: readonly string[]): Promise<CephClusterSettings> {
  await done(cluster, 'mon', 'auth rm', { entity: 'client.understudy' });
  return await accessTo(programs, cluster, caps);
}

/** As a client with these caps. */
async function withCaps<Value>(
  caps: readonly string[],
  use: (ceph: Ceph) => Promise<Value>,
): Promise<Value> {
  const settings = await freshAccess(caps);
  const ceph = openCeph(settings, { clock: systemClock, processes: childProcesses });
  try {
    return await use(ceph);
  } finally {
    ceph.close();
  }
}

/** Names that nothing has, so that what is let through changes nothing that others need. */
const WORDS = { entity: 'client.site-none', key: 'understudy/none', pool: 'none', fs_name: 'none', name: 'none' } as const; // prettier-ignore

/** Of the commands those that a key with these caps is refused, for want of caps. */
async function refused(
  caps: readonly string[],
  to: 'mon' | 'mgr',
  commands: readonly string[],
): Promise<readonly string[]> {
  return await withCaps(caps, async (ceph) => {
    const found: string[] = [];
    for (const prefix of commands) {
      const answer = await ceph.call({ to, words: { prefix, ...WORDS } }, soon());
      if (answer.status === 'refused' && answer.errno === 13) found.push(prefix);
    }
    return found;
  });
}

describe('what the doctor knows of commands', { timeout: 120_000 }, () => {
  it('is by which right a monitor takes those that an agent needs', async () => {
    const all = await signatures();
    for (const { command } of neededCommands(PATTERN)) {
      const { service, letters } = reachOf(command);
      const found = all.find(({ prefix }) => prefix === command);
      expect({ command, service, letters }).toEqual({ command, service: found?.module, letters: found?.perm }); // prettier-ignore
    }
  });

  it('lets none pass that writes, or reads keys', async () => {
    const needed = new Set([...neededCommands(PATTERN).map(({ command }) => command), ...neededOfManager]); // prettier-ignore
    const grave = (await signatures()).filter(({ prefix, module, perm }) => !needed.has(prefix) && (/[wx]/.test(perm) || /^(?:auth|config-key)$/.test(module))); // prettier-ignore
    expect(grave.length).toBeGreaterThan(150);
    const passed = grave.filter(({ prefix, module }) => {
      const service = module === 'mgr' ? 'mgr' : 'mon';
      return excessIn(service, `allow command "${prefix}"`, PATTERN).length === 0;
    });
    // Monitors ask for every right, and then only show numbers.
    expect(passed.map(({ prefix }) => prefix)).toEqual(['connection scores dump']);
  });
});

describe('what the doctor understands', { timeout: 120_000 }, () => {
  const taken = async (service: 'mon' | 'mgr', text: string) => {
    const caps = service === 'mon' ? ['mon', text] : ['mon', 'allow r', 'mgr', text];
    return (await tried(cluster, 'mon', 'auth caps', { entity: 'client.words', caps })).code === 0;
  };
  beforeAll(async () => {
    await done(cluster, 'mon', 'auth get-or-create', { entity: 'client.words', caps: ['mon', 'allow r'] }); // prettier-ignore
  });

  it.each([
    ['mon', 'allow r'],
    ['mon', 'allow all'],
    ['mon', 'allow wx'],
    ['mon', 'allow xr'],
    ['mon', 'allow wr'],
    ['mon', 'allow rw fsname=cephfs'],
    ['mon', 'allow rw network 10.0.0.0/8'],
    ['mon', 'allow rw nowhere'],
    ['mon', 'allow'],
    ['mon', 'alow r'],
    ['mon', 'allow service osd r'],
    ['mon', 'allow service="osd" *'],
    ['mon', 'allow service osd'],
    ['mon', 'allow service osd rq'],
    ['mon', 'allow command "osd pool set"'],
    ['mon', "allow command='osd pool set' with pool=x size prefix 3"],
    ['mon', 'allow command osd pool set'],
    ['mon', 'allow command "osd pool set" with pool'],
    ['mon', 'allow command "auth caps" with entity regex "client.*" network 10.0.0.0/8'],
    ['mon', 'profile fs-client'],
    ['mon', 'allow profile=fs-client network 10.0.0.0/8'],
    ['mon', 'profile fs-client of somebody'],
    ['mon', 'profile'],
    ['mgr', 'allow module volumes rw'],
    ['mgr', 'allow module=volumes with x=y r'],
    ['mgr', 'allow module volumes'],
    ['mgr', 'allow service osd rw'],
    ['mgr', 'profile rbd pool=p namespace=n'],
    ['mgr', 'profile rbd of somebody'],
    ['mgr', 'allow command "fs subvolume ls" with vol_name=cephfs'],
  ] as const)('is what Ceph takes: %s %s', async (service, text) => {
    expect(readGrant(text) !== undefined).toBe(await taken(service, text));
  });

  it('is all of several grants, however they are separated', async () => {
    const text = "allow r;allow command 'a, b'  ,\nprofile rbd";
    expect(await taken('mon', text)).toBe(true);
    expect(grantsIn(text)).toEqual(['allow r', "allow command 'a, b'", 'profile rbd']);
  });
});

describe('what the doctor says is missing', { timeout: 240_000 }, () => {
  const commands = neededCommands(PATTERN).map(({ command }) => command);

  it.each([
    'allow r',
    'allow rw',
    'allow rwx',
    'allow rw fsname=cephfs',
    'allow *',
    'allow r, allow service osd rw',
    'allow r, allow service=osd w, allow service fs w',
    'allow r, allow service mds rw, allow service auth rx',
    'allow r, allow service auth rwx',
    'allow r, allow service config-key rw',
    'allow rx',
    'allow r, allow x',
    'profile read-only',
    'profile read-write',
    'profile mgr',
    'profile osd',
    'profile mds',
    'profile mon, allow r',
    'allow r, allow profile role-definer',
    'allow r, allow command "osd pool set", allow command=df, allow command \'fs set\'',
    'allow r, allow command "auth rm" with entity prefix client., allow command "config-key rm" with key prefix other/',
  ])('of monitors is what they refuse: %s', async (caps) => {
    expect(lackingOfMonitors(caps, PATTERN)).toEqual(await refused(['mon', caps], 'mon', commands));
  });

  it.each([
    'allow r',
    'allow rw',
    'allow *',
    'allow module volumes r',
    'allow module volumes rw',
    'allow service mgr rw',
    'profile read-only',
    'profile read-write',
    'profile rbd',
    'allow command "fs subvolume ls", allow command "fs subvolume resize"',
  ])('of the manager daemon is what it refuses: %s', async (caps) => {
    const all = ['mon', 'allow r', 'mgr', caps];
    expect(lackingOfManager(caps)).toEqual(await refused(all, 'mgr', neededOfManager));
  });

  it.each([
    'allow r',
    'allow r, allow service log rw',
    'allow r, allow service log w network 127.0.0.0/8',
    'allow rw',
    'profile read-only',
    'profile read-write',
    'profile mgr',
    'profile mds',
    'profile osd',
    'profile mon',
    'profile role-definer',
    'profile rbd',
  ])('of a change of file systems is what they refuse: %s', async (some) => {
    const caps = `${some}, allow command "fs set"`;
    const words = { prefix: 'fs set', fs_name: 'cephfs', var: 'max_mds', val: '1' };
    const answer = await withCaps(['mon', caps], async (ceph) => await ceph.call({ to: 'mon', words }, soon())); // prettier-ignore
    expect(answer.status === 'ok').toBe(mayChangeFilesystems(caps));
  });
});

describe('what the doctor prints', { timeout: 120_000 }, () => {
  const ports = { clock: systemClock, processes: childProcesses, owner: 'test' };
  const examined = async (settings: CephClusterSettings) =>
    await examineClusters({ main: settings }, ports, soon());

  /** Each `ceph` of a line for a shell, as a shell reads it: its words, tabs between. */
  const commandsIn = (line: string): readonly (readonly string[])[] => {
    const shown = `ceph() { for one; do printf '%s\\t' "$one"; done; echo; }\n${line}`;
    const lines = execFileSync('sh', ['-c', shown], { encoding: 'utf8' }).trim().split('\n');
    return lines.map((one) => one.trim().split('\t'));
  };
  /** As an administrator types it. */
  const carryOut = async (line: string | undefined) => {
    for (const [family = '', verb = '', entity, ...caps] of commandsIn(line ?? '')) {
      const words = { entity, ...(caps.length > 0 && { caps }) };
      await done(cluster, 'mon', `${family} ${verb}`, words);
    }
  };

  it('makes the client where there is none, and mends it where there is one', async () => {
    const settings = await freshAccess(['mon', 'allow r']);
    await done(cluster, 'mon', 'auth rm', { entity: settings.client });
    const [unreached, ...others] = await examined(settings);
    expect(unreached).toMatchObject({ code: 'ceph-unreached' });
    expect(others).toEqual([]);
    await carryOut(unreached?.command);
    // Its key is another one than before.
    const made = await accessTo(programs, cluster, []);
    const codes = async () => (await examined(made)).map(({ code }) => code);
    expect(await codes()).toEqual(['ceph-pool-deletion-open']);
    await done(cluster, 'mon', 'auth caps', { entity: settings.client, caps: ['mon', 'allow r'] });
    expect(await codes()).toContain('ceph-unreached');
    await carryOut(unreached?.command);
    expect(await codes()).toEqual(['ceph-pool-deletion-open']);
  });

  it('mends a key that may not list clients', async () => {
    const [, mon = '', ...rest] = agentCaps(PATTERN);
    const less = mon.replace(', allow command "auth ls"', '');
    const settings = await freshAccess(['mon', less, ...rest]);
    const [unknown] = await examined(settings);
    expect(unknown).toMatchObject({ code: 'ceph-rights-unknown' });
    await carryOut(unknown?.command);
    expect((await examined(settings)).map(({ code }) => code)).toEqual(['ceph-pool-deletion-open']);
  });
});
