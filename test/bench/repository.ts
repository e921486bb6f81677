import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { run } from '../../agent/rehearsal/run.ts';
import { openWorkingCopy, type WorkingCopy } from '../../agent/rehearsal/working-copy.ts';

/** By path inside the repository. */
export type Files = Readonly<Record<string, string>>;

/** The environment that the agent is set to. */
export const ENVIRONMENT = 'bench';

/** Pure. `site-007`. */
export function siteName(index: number): string {
  return `site-${String(index).padStart(4, '0')}`;
}

/**
 * Pure. What belongs to all stacks. The brake is off and `stableFor` short: what is measured is the agent and the engine,
 * not how long a careful rollout waits. Without an interval the usual minute holds.
 */
export function commonFiles(interval?: string): Files {
  const pace = interval === undefined ? '' : `interval: ${interval}\n`;
  return {
    'understudy.yaml': `version: 1\n${pace}rollout:\n  atOnce: 10000\ndefaults:\n  stack:\n    health:\n      stableFor: 1s\n`,
    [`environments/${ENVIRONMENT}.yaml`]: `kind: Environment\nname: ${ENVIRONMENT}\n`,
  };
}

/** Pure. One stack; what `docker stack deploy` takes as well. `edition` is in its environment. */
export function stackFiles(name: string, edition: number): Files {
  const folder = `stacks/${name}`;
  return {
    [`${folder}/compose.yaml`]: `version: '3.8'
services:
  web:
    image: ghost:5.130.0
    environment:
      url: https://${name}.example.org
      EDITION: '${String(edition)}'
    configs:
      - source: settings
        target: /etc/site.conf
    secrets: [key]
    networks: [net]
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, 'http://127.0.0.1:2368/']
      interval: 10s
    deploy:
      replicas: 0
      update_config:
        order: stop-first
      resources:
        limits:
          memory: 512M
networks:
  net: {}
configs:
  settings:
    file: settings.conf
secrets:
  key:
    file: key.txt
`,
    [`${folder}/settings.conf`]: `# settings of ${name}\n${`name = ${name}\n`.repeat(40)}`,
    [`${folder}/key.txt`]: `a key of ${name}\n`,
  };
}

/** Pure. A database, and its account with a password that is made for it. */
export function databaseFiles(index: number, edition: number): Files {
  const name = `blog_${String(index).padStart(4, '0')}`;
  return {
    [`mysql/${name}.yaml`]: `kind: MySQLDatabase
name: ${name}
---
kind: MySQLUser
name: ${name}
password: { generate: true, secret: ${name}_db }
privileges:
  - { privileges: [ALL], database: ${name} }
limits: { maxUserConnections: ${String(20 + edition)} }
`,
  };
}

/** Pure. A subvolume, and a client with its key. */
export function subvolumeFiles(index: number, edition: number): Files {
  const name = siteName(index);
  return {
    [`ceph/${name}.yaml`]: `kind: CephSubvolume
name: ${name}
filesystem: cephfs
group: sites
size: ${String(edition)}Gi
---
kind: CephClient
name: ${name}
secret: ${name}_ceph
subvolumes:
  - id: ceph-subvolume/cephfs/sites/${name}
`,
  };
}

/** A repository of this machine that the agent follows, and a work tree that pushes to it. */
export interface BenchRepository {
  readonly url: string;
  readonly copy: WorkingCopy;
}

/** Makes both, empty. */
export async function makeRepository(
  folder: string,
  signal: AbortSignal,
): Promise<BenchRepository> {
  const url = join(folder, 'infra.git');
  const copy = openWorkingCopy(join(folder, 'infra'));
  await mkdir(copy.folder, { recursive: true });
  const init = ['git', 'init', '--quiet', '--template=', '--initial-branch=main'];
  await run([...init, '--bare', url], {}, signal);
  await run([...init, copy.folder], {}, signal);
  const settings = {
    'user.name': 'Bench',
    'user.email': 'bench@stage.invalid',
    'remote.origin.url': url,
    'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*',
    'commit.gpgsign': 'false',
    'gc.auto': '0',
  };
  for (const [key, value] of Object.entries(settings)) {
    await copy.git(['config', key, value], signal);
  }
  return { url, copy };
}

/** Writes files below a folder. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
