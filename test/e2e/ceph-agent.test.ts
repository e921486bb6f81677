import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import { HeadDesk } from '../fakes/head-desk.ts';
import { ceph, render } from '../providers/ceph/rendering.ts';
import { accessTo, cephPrograms, done, raised, removed } from './ceph.ts';
import { agentOnCluster, type DocumentAgent } from './document-agent.ts';

let cluster: Cluster;
let settings: CephClusterSettings;

beforeAll(async () => {
  const programs = await cephPrograms();
  cluster = await raised(programs, { monitors: 1, filesystem: 'cephfs' });
  settings = await accessTo(programs, cluster, ['mon', 'allow *', 'mgr', 'allow *']);
});
afterAll(async () => {
  await removed(cluster);
});

const agentOn = (after?: DocumentAgent): DocumentAgent => agentOnCluster({ settings }, after);

const group = 'kind: CephSubvolumeGroup\nname: sites\nfilesystem: cephfs\n';
const SUBVOLUME = 'ceph-subvolume/cephfs/sites/blog';
const subvolume = (more = ''): string =>
  `kind: CephSubvolume\nname: blog\nfilesystem: cephfs\ngroup: sites\noutput: BLOG_PATH\n${more}`;
const client = (more = ''): string =>
  `kind: CephClient\nname: site-blog\nsecret: blog_ceph\nsubvolumes: [{id: ${SUBVOLUME}}]\n${more}`;

/** A site whose stack is told its path and gets its key. */
const stack = {
  'stacks/blog/stack.yaml': `kind: Stack\ndependsOn: [${SUBVOLUME}]\n`,
  'stacks/blog/compose.yaml': `
services:
  web:
    image: site:1
    deploy: {replicas: 0}
    environment: {CONTENT: "\${BLOG_PATH}"}
    secrets: [blog_ceph]
secrets:
  blog_ceph: {external: true}
`,
};

interface Site {
  readonly subvolume?: string;
  readonly client?: string;
}

const site = (parts: Site = {}) =>
  render({ ...ceph(group, subvolume(parts.subvolume), client(parts.client)), ...stack });

async function keyOf(entity: string): Promise<string> {
  const answer = await done(cluster, 'mon', 'auth get', { entity });
  return String(Object(answer)[0].key);
}

/** What the tasks of its stack are given. */
function given(agent: DocumentAgent) {
  const [found] = [...agent.engine.services.values()];
  const { Env: environment, Secrets = [] } = found?.spec.TaskTemplate.ContainerSpec ?? {};
  const names = new Map(
    [...agent.engine.secrets.values()].map(({ name, data }) => [
      name,
      Buffer.from(data ?? '', 'base64').toString('utf8'),
    ]),
  );
  return { environment, contents: Secrets.map(({ SecretName }) => names.get(SecretName)) };
}

async function info(): Promise<{ readonly path: string; readonly quota: unknown }> {
  const words = { vol_name: 'cephfs', group_name: 'sites', sub_name: 'blog' };
  const answer = Object(await done(cluster, 'mgr', 'fs subvolume info', words));
  return { path: String(answer.path), quota: answer.bytes_quota };
}

const changes = (agent: DocumentAgent): readonly string[] =>
  agent.events.flatMap((one) =>
    one.event === 'change applied' ? [`${one.id}: ${one.target}`] : [],
  );

describe('a site on a cluster', { timeout: 120_000 }, () => {
  let agent: DocumentAgent;
  beforeAll(() => {
    agent = agentOn();
  });
  afterAll(() => {
    agent.close();
  });

  it('comes to be, each part after what it needs', async () => {
    await agent.have('v1', site());
    await agent.healthy();
    expect(changes(agent)).toEqual([
      'ceph-subvolume-group/cephfs/sites: group cephfs/sites',
      'ceph-subvolume/cephfs/sites/blog: subvolume cephfs/sites/blog',
      'ceph-client/site-blog: client client.site-blog',
      'ceph-client/site-blog: secret blog_ceph',
      'stack/blog: network blog_default',
      'stack/blog: service blog_web',
    ]);
    const { path } = await info();
    const key = await keyOf('client.site-blog');
    expect(given(agent)).toEqual({ environment: [`CONTENT=${path}`], contents: [key] });
    expect(JSON.stringify(agent.events)).not.toContain(key);
  });

  it('is at rest, also for another process of the agent', async () => {
    const before = [agent.events.length, await done(cluster, 'mon', 'config-key dump')];
    await agent.pass();
    await agent.pass();
    expect([agent.events.length, await done(cluster, 'mon', 'config-key dump')]).toEqual(before);
    agent.close();
    agent = agentOn(agent);
    await agent.have('v1', site());
    await agent.pass();
    await agent.pass();
    expect(changes(agent)).toEqual([]);
  });

  it('gets the limit that its document has by now', async () => {
    await agent.have('v2', site({ subvolume: 'size: 1Gi\n' }));
    await agent.healthy();
    expect(changes(agent)).toEqual([
      'ceph-subvolume/cephfs/sites/blog: subvolume cephfs/sites/blog',
    ]);
    expect((await info()).quota).toBe(2 ** 30);
  });

  it('gets the key in another format when its document says so', async () => {
    await agent.have('v3', site({ subvolume: 'size: 1Gi\n', client: 'format: keyring\n' }));
    await agent.healthy();
    const key = await keyOf('client.site-blog');
    expect(given(agent).contents).toEqual([`[client.site-blog]\n\tkey = ${key}\n`]);
  });

  it('gets another key when somebody made one', async () => {
    const { caps } = Object(
      await done(cluster, 'mon', 'auth get', { entity: 'client.site-blog' }),
    )[0];
    const before = await keyOf('client.site-blog');
    await done(cluster, 'mon', 'auth rm', { entity: 'client.site-blog' });
    const words = { entity: 'client.site-blog', caps: Object.entries(caps).flat() };
    await done(cluster, 'mon', 'auth get-or-create', words);
    const key = await keyOf('client.site-blog');
    expect(key).not.toBe(before);
    await agent.until((one) => one.event === 'change applied' && one.id === 'stack/blog');
    expect(given(agent).contents).toEqual([`[client.site-blog]\n\tkey = ${key}\n`]);
  });

  it('stays in the cluster when its documents go, and that is said', async () => {
    const { path } = await info();
    await agent.have('v4', render(ceph(group)));
    const told = await agent.until((one) =>
      JSON.stringify(one).includes('subvolume cephfs/sites/blog stays'),
    );
    expect(JSON.stringify(told)).toContain('subvolume cephfs/sites/blog stays');
    expect((await info()).path).toBe(path);
    expect(await keyOf('client.site-blog')).not.toBe('');
  });
});

describe('what would be given up for good', { timeout: 60_000 }, () => {
  const pool = (size: number, more = ''): string =>
    `kind: CephPool\nname: copies\napplication: rbd\nreplicated: {size: ${String(size)}}\n${more}`;
  const have = async (agent: DocumentAgent, ...documents: readonly string[]): Promise<void> => {
    asked += 1;
    await agent.have(`s${String(asked)}`, render({ ...ceph(...documents), ...alone }));
  };
  let asked = 0;
  const alone = {
    'stacks/blog/compose.yaml': 'services: {web: {image: "site:1", deploy: {replicas: 0}}}\n',
  };
  const numbers = async (): Promise<unknown> => {
    const all = Object(await done(cluster, 'mon', 'osd pool get', { pool: 'copies', var: 'all' }));
    return [all.size, all.min_size];
  };
  /** As `understudy approve` asks for it. */
  async function approve(agent: DocumentAgent, why: string): Promise<void> {
    const digest = /understudy approve ([0-9a-f]{12})/.exec(why)?.[1];
    asked += 1;
    const request = JSON.stringify({ verb: 'approve', digest, by: 'ana' });
    const label = `understudy.request.${String(asked).padStart(8, '0')}`;
    await new HeadDesk(agent.engine).label({ [label]: request });
  }
  const isHeld = (event: AgentEvent): boolean => event.event === 'unit held';

  it('is held until a person releases it, and then done', async () => {
    const agent = agentOnCluster({ settings, calmMs: 0 });
    await have(agent, pool(3));
    await agent.healthy();
    expect(await numbers()).toEqual([3, 2]);
    await have(agent, pool(2));
    const held = await agent.until(isHeld);
    expect(held).toMatchObject({
      id: 'ceph-pool/copies',
      why: expect.stringMatching(
        /^pool copies: size 3 -> 2 gives up copies; min_size 2 -> 1 lets it be written with fewer copies; approve with `understudy approve [0-9a-f]{12}`$/,
      ),
    });
    for (let passes = 0; passes < 5; passes += 1) await agent.pass();
    expect(await numbers()).toEqual([3, 2]);
    await approve(agent, 'why' in held ? held.why : '');
    await agent.healthy();
    expect(await numbers()).toEqual([2, 1]);
    agent.close();
  });

  it('is held where somebody added a copy by hand', async () => {
    const agent = agentOnCluster({ settings, calmMs: 0 });
    await have(agent, pool(2));
    await agent.healthy();
    await done(cluster, 'mon', 'osd pool set', { pool: 'copies', var: 'size', val: '3' });
    expect(await agent.until(isHeld)).toMatchObject({
      why: expect.stringContaining('size 3 -> 2 gives up copies'),
    });
    expect(await numbers()).toEqual([3, 2]);
    agent.close();
  });
});
