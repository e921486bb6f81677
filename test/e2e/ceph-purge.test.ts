import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { CephPrograms } from '../../agent/rehearsal/ceph/programs.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import type { Contents } from '../fakes/repository.ts';
import { ceph, render } from '../providers/ceph/rendering.ts';
import { accessTo, cephPrograms, done, raised, removed, tried } from './ceph.ts';
import { agentOnCluster, type DocumentAgent } from './document-agent.ts';
import { type PurgeRun, runPurge } from './purge-run.ts';

let programs: CephPrograms;
let cluster: Cluster;
let settings: CephClusterSettings;
let agent: DocumentAgent;
let revisions = 0;

beforeAll(async () => {
  programs = await cephPrograms();
  cluster = await raised(programs, { monitors: 1, filesystem: 'first' });
  settings = await accessTo(programs, cluster, ['mon', 'allow *', 'mgr', 'allow *']);
  agent = agentOnCluster({ settings, calmMs: 0 });
  writeFileSync(settingsFile(), JSON.stringify({ environment: 'test', ceph: { main: settings } }));
  // The file system of the documents takes its daemon.
  await done(cluster, 'mon', 'fs fail', { fs_name: 'first' });
  await done(cluster, 'mon', 'fs rm', { fs_name: 'first', yes_i_really_mean_it: true });
  await letPoolsGo(false);
  await have(...everything);
  execFileSync(programs.python, ['-c', SCRIPT, cluster.plan.confFile]);
});
afterAll(async () => {
  agent.close();
  await removed(cluster);
});

const settingsFile = (): string => join(dirname(cluster.plan.folder), 'agent.yaml');

const pool = (name: string, application = 'cephfs'): string =>
  `kind: CephPool\nname: ${name}\napplication: ${application}\nreplicated: {size: 2, minSize: 1}\n`;
const filesystem = 'kind: CephFilesystem\nname: files\nmetadataPool: meta\ndataPools: [data]\n';
const group = 'kind: CephSubvolumeGroup\nname: sites\nfilesystem: files\n';
const subvolume = 'kind: CephSubvolume\nname: blog\nfilesystem: files\ngroup: sites\n';
const client =
  'kind: CephClient\nname: site-blog\nsecret: blog_ceph\nsubvolumes: [{id: ceph-subvolume/files/sites/blog}]\n';
const pools = [pool('meta'), pool('data'), pool('disks', 'rbd')];
const everything = [...pools, filesystem, group, subvolume, client];

const stack: Contents = {
  'stacks/blog/compose.yaml': 'services: {web: {image: "site:1", deploy: {replicas: 0}}}\n',
};

/** The repository has these documents, and the agent has seen it to the end. */
async function have(...documents: readonly string[]): Promise<void> {
  revisions += 1;
  const revision = `c0ffee${String(revisions)}`;
  await agent.have(revision, render({ ...(documents.length > 0 && ceph(...documents)), ...stack }));
  await agent.healthy();
}

async function letPoolsGo(value: boolean): Promise<void> {
  const option = { who: 'mon', name: 'mon_allow_pool_delete', value: String(value) };
  await done(cluster, 'mon', 'config set', option);
}

interface Weather {
  readonly types?: readonly string[];
  readonly between?: () => Promise<unknown>;
}

async function purge(
  id: string,
  more: readonly string[],
  { types, between }: Weather = {},
): Promise<PurgeRun> {
  const args = [id, '--settings', settingsFile(), ...more];
  return await runPurge(args, { engine: agent.engine, types, between });
}
const asBoss = (...more: readonly string[]): readonly string[] => [
  '--user',
  'client.admin',
  '--keyring',
  cluster.plan.adminKeyring,
  ...more,
];
const yes = (name: string): readonly string[] => asBoss('--yes-delete', name);

const SCRIPT = `
import rados, sys
cluster = rados.Rados(conffile=sys.argv[1], name="client.admin")
cluster.connect()
cluster.open_ioctx("disks").write_full("a disk", b"x" * 4096)
`;

const marks = async (): Promise<Readonly<Record<string, unknown>>> =>
  Object(await done(cluster, 'mon', 'config-key dump', { key: 'understudy/' }));
const poolNames = async (): Promise<unknown> => await done(cluster, 'mon', 'osd pool ls');
const subvolumes = async (): Promise<unknown> =>
  await done(cluster, 'mgr', 'fs subvolume ls', { vol_name: 'files', group_name: 'sites' });
const isGuarded = async (name: string): Promise<unknown> =>
  Object(await done(cluster, 'mon', 'osd pool get', { pool: name, var: 'nodelete' })).nodelete;

const PURGE = 'understudy purge of test';

describe('a subvolume', { timeout: 60_000 }, () => {
  const id = 'ceph-subvolume/files/sites/blog';

  it('stays while its document is in the repository, or the one of who uses it', async () => {
    const told = await purge(id, yes('files/sites/blog'));
    expect([told.code, told.err]).toEqual([1, expect.stringContaining(`repository, or about to leave it (\`${id}\`): take it out first`)]); // prettier-ignore
    await have(...pools, filesystem, group, client.replace(/subvolumes.*/, 'caps: {mon: allow r, mds: "allow rw path=/volumes/sites/blog"}')); // prettier-ignore
    const used = await purge(id, yes('files/sites/blog'));
    expect([used.code, used.err]).toEqual([
      1,
      expect.stringContaining('`ceph-client/site-blog` has rights on it'),
    ]);
    expect(await subvolumes()).toEqual([{ name: 'blog' }]);
  });

  it('stays with a snapshot, and one that another environment noted', async () => {
    await have(...pools, filesystem, group);
    const one = { vol_name: 'files', group_name: 'sites', sub_name: 'blog', snap_name: 'monday' };
    await done(cluster, 'mgr', 'fs subvolume snapshot create', one);
    const kept = await purge(id, asBoss('--dry-run'));
    expect([kept.code, kept.err]).toEqual([
      1,
      expect.stringContaining('there are snapshots in it: `monday`'),
    ]);
    await done(cluster, 'mgr', 'fs subvolume snapshot rm', one);
    const key = `understudy/${id}`;
    const { [key]: mark } = await marks();
    await done(cluster, 'mon', 'config-key set', {
      key,
      val: '{"owner":"staging","policy":"Orphan"}',
    });
    const foreign = await purge(id, yes('files/sites/blog'));
    expect([foreign.code, foreign.err]).toEqual([
      1,
      expect.stringContaining('belongs to `staging`'),
    ]);
    await done(cluster, 'mon', 'config-key set', { key, val: mark });
    expect(await subvolumes()).toEqual([{ name: 'blog' }]);
  });

  it('is shown, and goes when its name is typed', async () => {
    const dry = await purge(id, asBoss('--dry-run', '--json'));
    expect(JSON.parse(dry.out)).toMatchObject({
      id,
      what: 'subvolume files/sites/blog in cluster main',
      status: 'shown',
      isThere: true,
      facts: { bytes: 0, path: expect.stringMatching(/^\/volumes\/sites\/blog\//) },
      refusals: [],
    });
    const types = ['client.admin', cluster.plan.adminKeyring, 'files/sites/blog'];
    const told = await purge(id, [], { types });
    expect([told.err, told.code]).toEqual(['', 0]);
    expect(told.asked).toEqual([
      'client of Ceph, such as client.admin: ',
      'keyring of client.admin (/etc/ceph/ceph.client.admin.keyring): ',
      'type `files/sites/blog` to delete it for good: ',
    ]);
    expect(told.out).toContain('rights on it stay');
    expect(told.out).toContain('subvolume files/sites/blog in cluster main is gone');
    expect(await subvolumes()).toEqual([]);
    expect(await marks()).not.toHaveProperty([`understudy/${id}`]);
  });

  it('is none of ours any more, and is made anew by its document', async () => {
    const told = await purge(id, yes('files/sites/blog'));
    expect([told.code, told.err]).toEqual([1, expect.stringContaining('neither made it nor took it over')]); // prettier-ignore
    await have(...pools, filesystem, group, subvolume);
    expect(await subvolumes()).toEqual([{ name: 'blog' }]);
    await have(...pools, filesystem, group);
  });
});

describe('a group and a file system', { timeout: 60_000 }, () => {
  it('stay while something is in them', async () => {
    await have(...pools);
    const ofGroup = await purge('ceph-subvolume-group/files/sites', yes('files/sites'));
    expect([ofGroup.code, ofGroup.err]).toEqual([1, expect.stringContaining('there are subvolumes in it: `blog`')]); // prettier-ignore
    const ofSystem = await purge('ceph-filesystem/files', yes('files'));
    expect([ofSystem.code, ofSystem.err]).toEqual([1, expect.stringContaining('there are groups in it: `sites`')]); // prettier-ignore
    const loose = { vol_name: 'files', sub_name: 'loose' };
    expect((await purge('ceph-subvolume/files/sites/blog', yes('files/sites/blog'))).code).toBe(0);
    expect((await purge('ceph-subvolume-group/files/sites', yes('files/sites'))).code).toBe(0);
    await done(cluster, 'mgr', 'fs subvolume create', loose);
    const again = await purge('ceph-filesystem/files', yes('files'));
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('there are subvolumes in it: `loose`')]); // prettier-ignore
    await done(cluster, 'mgr', 'fs subvolume rm', loose);
  });

  it('a file system goes, and its pools stay', async () => {
    const told = await purge('ceph-filesystem/files', yes('files'));
    expect([told.err, told.code]).toEqual(['', 0]);
    expect(told.out).toContain('its pools stay, with what is in them: pool meta, pool data');
    expect(await done(cluster, 'mon', 'fs ls')).toEqual([]);
    expect(await poolNames()).toEqual(expect.arrayContaining(['meta', 'data', 'disks']));
    const left = Object.keys(await marks()).filter((key) => !/ceph-(pool|client)/.test(key));
    expect(left).toEqual([]);
  });

  it('one that an earlier purge took down, and died, goes as well', async () => {
    const more = [...pools, pool('meta2'), pool('data2')];
    await have(...more, filesystem.replaceAll(/(meta|data)(?=\n|])/g, '$12'));
    await have(...more);
    const key = 'understudy/ceph-filesystem/files';
    await done(cluster, 'mon', 'fs fail', { fs_name: 'files' });
    const other = await purge('ceph-filesystem/files', yes('files'));
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('what is in it is not known')]); // prettier-ignore
    // A purge that died before it took it down had looked, and somebody may have written since.
    const begun = JSON.stringify({ owner: PURGE, policy: 'Orphan' });
    await done(cluster, 'mon', 'config-key set', { key, val: begun });
    expect((await purge('ceph-filesystem/files', yes('files'))).code).toBe(1);
    const val = JSON.stringify({ owner: `${PURGE}, taken down`, policy: 'Orphan' });
    await done(cluster, 'mon', 'config-key set', { key, val });
    const told = await purge('ceph-filesystem/files', yes('files'));
    expect([told.err, told.code]).toEqual(['', 0]);
    expect(await done(cluster, 'mon', 'fs ls')).toEqual([]);
  });
});

describe('a pool', { timeout: 60_000 }, () => {
  const id = 'ceph-pool/disks';
  const others = [pool('meta'), pool('data')];

  it('stays while monitors let none go, and says how that is changed', async () => {
    await have(...others);
    const told = await purge(id, yes('disks'));
    expect([told.code, told.err]).toEqual([
      1,
      expect.stringContaining('`ceph config set mon mon_allow_pool_delete true`'),
    ]);
    expect(await isGuarded('disks')).toBe(true);
    await letPoolsGo(true);
  });

  it('stays where its key may not, with the guard and the mark as they were', async () => {
    const before = await marks();
    const entity = 'client.little';
    const caps = ['mon', 'allow r, allow command "auth ls", allow command "config-key dump", allow command "config-key set", allow command "config-key rm", allow command "osd pool set"', 'mgr', 'allow r']; // prettier-ignore
    const [first] = [await done(cluster, 'mon', 'auth get-or-create', { entity, caps })].flat();
    const keyring = join(dirname(cluster.plan.folder), 'little');
    const { key } = Object(first);
    writeFileSync(keyring, `[${entity}]\n\tkey = ${key}\n`, { mode: 0o600 });
    const told = await purge(id, ['--user', entity, '--keyring', keyring, '--yes-delete', 'disks']);
    expect([told.code, told.err]).toEqual([
      1,
      expect.stringContaining('it is there still: the key lacks caps for it'),
    ]);
    expect(`${told.out}${told.err}`).not.toContain(key);
    expect(await marks()).toEqual(before);
    expect(await isGuarded('disks')).toBe(true);
  });

  it('stays where the name of another is typed, and where its document comes back meanwhile', async () => {
    const typed = await purge(id, asBoss(), { types: ['disk'] });
    expect([typed.code, typed.err]).toEqual([1, expect.stringContaining('was not typed')]);
    const between = async (): Promise<void> => await have(...others, pool('disks', 'rbd'));
    const back = await purge(id, asBoss(), { types: ['disks'], between });
    expect([back.code, back.err]).toEqual([1, expect.stringContaining('take it out first')]);
    expect(await poolNames()).toEqual(expect.arrayContaining(['disks']));
    await have(...others);
  });

  it('goes with what is in it, also where an earlier purge had begun', async () => {
    const val = JSON.stringify({ owner: PURGE, policy: 'Orphan', minSize: 1 });
    await done(cluster, 'mon', 'config-key set', { key: `understudy/${id}`, val });
    // Its document comes back in this moment: nobody takes up what goes.
    const documents = { ...ceph(...others, pool('disks', 'rbd')), ...stack };
    await agent.have('back', render(documents));
    await agent.until((told) => told.event === 'unit held' && told.why.includes(PURGE));
    await have(...others);
    expect(Object.values(await marks())).toContain(val);
    // Daemons report how much they hold every few seconds.
    await expect
      .poll(async () => (await purge(id, asBoss('--dry-run'))).out, {
        timeout: 30_000,
        interval: 500,
      })
      .toMatch(/size +4.1 kB/);
    const told = await purge(id, yes('disks'));
    expect([told.err, told.code]).toEqual(['', 0]);
    expect(await poolNames()).not.toEqual(expect.arrayContaining(['disks']));
    expect(await marks()).not.toHaveProperty([`understudy/${id}`]);
  });

  it('that somebody deleted by hand leaves a mark, which goes', async () => {
    const all = { pool: 'data', pool2: 'data', yes_i_really_really_mean_it: true };
    await have(pool('meta'));
    await done(cluster, 'mon', 'osd pool set', { pool: 'data', var: 'nodelete', val: 'false' });
    await done(cluster, 'mon', 'osd pool delete', all);
    const told = await purge('ceph-pool/data', asBoss(), { types: [] });
    expect([told.err, told.code]).toEqual(['', 0]);
    expect(told.out).toContain('it is gone already, and a note of it is left');
    expect(await marks()).not.toHaveProperty(['understudy/ceph-pool/data']);
  });
});

describe('what is asked for wrongly', () => {
  beforeAll(async () => {
    await have();
  });
  const lost = (name: string): readonly string[] => ['--user', 'client.admin', '--keyring', '/nowhere', '--yes-delete', name]; // prettier-ignore

  it.each<[string, readonly string[], number, string]>([
    ['ceph-client/site-blog', [], 2, 'nothing of the kind `ceph-client`'],
    ['ceph-subvolume/files/blog', lost('x'), 2, 'is `ceph-subvolume/FILESYSTEM/GROUP/NAME`'],
    ['ceph-pool/meta', ['--server', 'main', ...lost('meta')], 2, '`--server` is for databases'],
    ['ceph-pool/other/meta', lost('meta'), 2, 'no cluster `other`: main'],
    ['ceph-pool/meta', lost('data'), 2, '`--yes-delete` names `data`'],
    ['ceph-pool/meta', ['--user', 'admin', '--yes-delete', 'meta'], 2, 'is no client of Ceph'],
    ['ceph-pool/meta', ['--user', 'client.admin', '--yes-delete', 'meta'], 2, '`--keyring`'],
    [
      'ceph-pool/meta',
      ['--password-file', '/x', '--yes-delete', 'meta'],
      2,
      'is not for pool meta',
    ],
    ['ceph-pool/meta', ['--user', 'client.x', '--keyring', '/nowhere', '--yes-delete', 'meta'], 1, '`/nowhere`, is not there'], // prettier-ignore
  ])('%s %j', async (id, args, code, why) => {
    const told = await purge(id, args);
    expect([told.code, told.err]).toEqual([code, expect.stringContaining(why)]);
    expect((await tried(cluster, 'mon', 'osd pool get', { pool: 'meta', var: 'size' })).code).toBe(0); // prettier-ignore
  });
});
