import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openCephDoctor } from '../../agent/ceph-doctor.ts';
import { systemClock } from '../../agent/clock.ts';
import { agentPlaces } from '../../agent/rehearsal/agent-process.ts';
import { traces } from '../../agent/rehearsal/lower.ts';
import { type ProcessId, readPidFile, waitGone } from '../../agent/rehearsal/processes.ts';
import { attachStage } from '../../agent/rehearsal/stage.ts';
import { quickLease, Scene } from './scene.ts';

/**
 * A site with a subvolume and a key: real engines, a real cluster of Ceph as `./rehearse --ceph` has it, and an agent with the key that
 * it is given there. One story, told in order.
 */
const never = new AbortController().signal;
const options = { name: 'usw', subnet: '10.213.88.0/24', managers: 1, workers: 0 };
let scene: Scene;

async function processOf(file: string): Promise<ProcessId> {
  const one = await readPidFile(file);
  if (one === undefined) throw new Error(`${file} names no process`);
  return one;
}

/** A command as people give it on the stage. */
function ceph(...words: readonly string[]): unknown {
  const text = execFileSync(join(scene.stage.folder, 'ceph'), words, { encoding: 'utf8' });
  return text.trim() === '' ? undefined : JSON.parse(text);
}

/** What follows the first words of a line for a shell, which has to begin with them. */
function wordsOf(line: string, first: string): readonly string[] {
  expect(line.startsWith(`${first} `)).toBe(true);
  const shown = `printf '%s\\n' ''${line.slice(first.length)}`;
  return execFileSync('sh', ['-c', shown], { encoding: 'utf8' }).trimEnd().split('\n');
}

const storage = (size: string) => ({
  'ceph/blog.yaml': `
kind: CephSubvolumeGroup
name: sites
filesystem: cephfs
---
kind: CephSubvolume
name: blog
filesystem: cephfs
group: sites
size: ${size}
output: BLOG_PATH
---
kind: CephClient
name: site-blog
secret: blog_ceph
subvolumes: [{id: ceph-subvolume/cephfs/sites/blog}]
`,
});

const site = {
  'stacks/blog/stack.yaml':
    'kind: Stack\ndependsOn: [ceph-subvolume/cephfs/sites/blog]\nhealth: {stableFor: 2s, timeout: 60s}\n',
  'stacks/blog/compose.yaml': `
services:
  web:
    image: '\${REGISTRY}/site:1'
    environment: {CONTENT: "\${BLOG_PATH}"}
    secrets: [blog_ceph]
    stop_grace_period: 1s
    deploy: {endpoint_mode: dnsrr}
secrets: {blog_ceph: {external: true}}
`,
};

beforeAll(async () => {
  scene = await Scene.raise({ ...options, ceph: true }, quickLease);
  await scene.push('a site with its storage', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables: {REGISTRY: "${scene.stage.registry}"}\n`,
    ...storage('1Gi'),
    ...site,
  });
  await scene.startAgent();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});
afterAll(async () => {
  await scene.lower();
});

const PLACE = ['vol_name=cephfs', 'group_name=sites', 'sub_name=blog'];

describe('a site on a stage with Ceph', { timeout: 240_000 }, () => {
  it('has the path and the key that the cluster made for it', async () => {
    expect(await scene.log.until('revision healthy')).toMatchObject({ units: 4 });
    const id = (await scene.docker('ps', '--quiet', '--filter=name=blog_web')).trim();
    const { path } = Object(ceph('fs', 'subvolume', 'info', ...PLACE));
    const environment = await scene.docker('inspect', id, '--format={{.Config.Env}}');
    expect(environment).toContain(`CONTENT=${path}`);
    const [{ key }] = Object(ceph('auth', 'get', 'entity=client.site-blog'));
    expect(await scene.docker('exec', id, 'cat', '/run/secrets/blog_ceph')).toBe(key);
    expect(scene.evidence()).not.toContain(key);
  });

  it('is left alone after that', async () => {
    expect(await scene.quietPasses(3)).toEqual([]);
  });

  it('gets more room when its document says so', async () => {
    await scene.push('more room', storage('2Gi'));
    await scene.log.until('change applied', (line) => line['id'] === 'ceph-subvolume/cephfs/sites/blog'); // prettier-ignore
    await scene.log.until('revision healthy');
    expect(ceph('fs', 'subvolume', 'info', ...PLACE)).toMatchObject({ bytes_quota: 2 ** 31 });
  });

  it('is shown with all its parts', async () => {
    const shown = await scene.understudy(['get']);
    for (const one of ['ceph-client/site-blog', 'ceph-subvolume/cephfs/sites/blog', 'stack/blog']) {
      expect(shown).toContain(one);
    }
  });

  const findings = async () => {
    const { settingsFile } = agentPlaces(scene.stage.plan, 'm1');
    const seen = await openCephDoctor(settingsFile, systemClock).examine(never);
    if (seen.status !== 'ok') throw new Error(seen.why);
    return seen.findings;
  };
  const codes = async () => (await findings()).map(({ code }) => code);

  it('is looked at by the doctor, which finds what a person left open', async () => {
    // A stage is for trying things.
    expect(await codes()).toEqual(['ceph-pool-deletion-open']);
    ceph('config', 'set', 'who=mon', 'name=mon_allow_pool_delete', 'value=false');
    expect(await codes()).toEqual([]);
  });

  it('gets a key with gaps and with too much mended by what the doctor prints', async () => {
    const reads = 'allow r, allow command "auth ls", allow command "config-key dump" with key prefix understudy/'; // prettier-ignore
    const more = 'allow command "config set", allow command "auth import", profile nobody';
    ceph('auth', 'caps', 'entity=client.understudy', 'caps=mon', `caps=${reads}, ${more}`, 'caps=mgr', 'caps=allow module volumes rw', 'caps=osd', 'caps=allow *'); // prettier-ignore
    const found = await findings();
    expect(found.map(({ code }) => code)).toEqual(['ceph-right-missing', 'ceph-rights-too-many', 'ceph-rights-unclear']); // prettier-ignore
    expect(found[0]?.what).toContain('`osd pool create`');
    expect(found[0]?.what).not.toContain('`fs subvolume create`');
    expect(found[1]?.what).toContain('mon `allow command "config set"` (change settings), mon `allow command "auth import"` (write keys and caps), osd `allow *` (do everything)'); // prettier-ignore
    expect(found[2]?.what).toContain('mon `profile nobody`');
    const [command = '', ...others] = new Set(found.map((one) => one.command));
    expect(others).toEqual([]);
    // As a shell reads it, in the words of the stage's own command.
    const [, entity = '', ...caps] = wordsOf(command, 'ceph auth caps');
    ceph('auth', 'caps', `entity=${entity}`, ...caps.map((one) => `caps=${one}`));
    expect(await codes()).toEqual([]);
  });

  it('is on a stage that is found again, with a keyring that is nobody else’s', async () => {
    const found = await attachStage(options, never);
    expect(found?.plan.ceph).toEqual(scene.stage.plan.ceph);
    const { folder = '' } = scene.stage.plan.ceph ?? {};
    expect(statSync(join(folder, 'understudy.keyring')).mode & 0o777).toBe(0o600);
  });

  it('gets back what of the cluster died when the command is given again', async () => {
    const { folder } = scene.stage;
    const names = ['ceph-osd.1', 'ceph-mon.c', 'ceph-mgr.x'];
    const before = await Promise.all(names.map((name) => processOf(join(folder, 'pids', name))));
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    await waitGone(before, 20_000);
    await attachStage(options, never);
    const after = await Promise.all(names.map((name) => processOf(join(folder, 'pids', name))));
    expect(after.map(({ pid }) => pid)).not.toEqual(before.map(({ pid }) => pid));
    const status = Object(ceph('status'));
    expect([status.quorum, status.osdmap.num_up_osds]).toEqual([[0, 1, 2], 3]);
    // Nothing to do: nothing is started.
    await attachStage(options, never);
    expect(await Promise.all(names.map((name) => processOf(join(folder, 'pids', name))))).toEqual(after); // prettier-ignore
  });

  it('leaves nothing behind', async () => {
    const { plan } = scene.stage;
    await scene.lower();
    expect(await traces(plan)).toEqual([]);
  });
});
