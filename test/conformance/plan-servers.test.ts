import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { planCommand } from '../../agent/cli/plan.ts';
import type { SightWanted } from '../../agent/cli/plan-ports.ts';
import { validateCommand } from '../../agent/cli/validate.ts';
import { systemClock } from '../../agent/clock.ts';
import { lookAtServers } from '../../agent/planning-servers.ts';
import { planIo, sightOn } from '../../agent/planning.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';
import { Repository } from './git-support.ts';

/** Databases and accounts in what the commands say of a repository, with servers that nobody reaches. */
const signal = AbortSignal.timeout(600_000);
let top: string;
let folder: string;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-plan-'));
  folder = join(top, 'repository');
  await cp('repo-template', folder, { recursive: true });
  const work = new Repository(folder);
  work.commit('first');
  work.write(
    'mysql/blog.yaml',
    'kind: MySQLDatabase\nname: blog\n---\nkind: MySQLUser\nname: blog\npassword: {generate: true, secret: blog_db}\nprivileges: [{privileges: [SELECT], database: blog}]\n',
  );
});
afterAll(async () => rm(top, { recursive: true, force: true }));

function printing() {
  const text = { out: '', err: '' };
  return {
    text,
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: false,
  };
}

async function plan(
  args: readonly string[],
  open?: (of: SightWanted) => ReturnType<typeof sightOn>,
) {
  const { text, ...output } = printing();
  const real = planIo(output, {}, false);
  const io = open === undefined ? real : { ...real, openSight: open };
  const watch = async (): Promise<number> => Promise.reject(new Error('nobody watches'));
  const code = await planCommand(
    [folder, '--environment', 'production', ...args],
    { ...io, load: async () => Promise.resolve({ io, watch }) },
    signal,
  );
  return { code, ...text };
}

describe('databases and accounts', { timeout: 120_000 }, () => {
  it('are counted by validate', async () => {
    const { text, ...output } = printing();
    const io = { ...output, clock: systemClock, environment: {} };
    expect(await validateCommand([folder, '--environment', 'production'], io, signal)).toBe(0);
    expect(text.out).toBe(
      'valid: 1 stack, 1 service, 1 database, 1 user, environment production\n',
    );
  });

  it('are told with their texts where two revisions are compared', async () => {
    const { code, out, err } = await plan(['--offline', '--from', 'HEAD']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/\+ mysql-database\/blog\n {6}\+ database blog\n/);
    expect(out).toContain('+ privileges.blog.*: SELECT');
    expect(out).toContain('generated, 32 characters, in the secret blog_db');
  });

  it.each([
    ['is not there', undefined, /none\.yaml cannot be read: it is not there; `--settings FILE`/],
    ['names no server', '', /held: database blog: .*`mysql` is not in them/],
    [
      'names one that nobody reaches',
      'mysql: {main: {hosts: ["127.0.0.1:9"], user: a, passwordFile: /none, tls: {mode: off}}}\n',
      /held: database blog: the password cannot be read: \/none/,
    ],
  ])('are compared by the settings of the agent, which %s', async (_how, more, told) => {
    const swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
    const settings = join(top, more === undefined ? 'none.yaml' : 'agent.yaml');
    const text = `environment: production\nrepository: {url: /srv/x}\n${more ?? ''}`;
    if (more !== undefined) await writeFile(settings, text);
    const { code, out, err } = await plan([], () =>
      sightOn(openSwarm({ socket: swarm.socket }, systemClock), systemClock, () =>
        lookAtServers(undefined, systemClock, signal, settings),
      ),
    );
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(told);
    expect(swarm.writes()).toEqual([]);
    await swarm.close();
  });

  it('are held where what is saved is applied, and no server was named for that', async () => {
    const swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
    const { text: _text, ...output } = printing();
    const { code, out } = await plan([], (of) =>
      planIo(output, {}, false).openSight({ ...of, socket: swarm.socket, apply: true }),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/held: database blog: .*`mysql` is not in them/);
    await swarm.close();
  });

  it('are refused with settings that are named and cannot be read', async () => {
    const swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
    const { code, err } = await plan(['--settings', join(top, 'none'), '--socket', swarm.socket]);
    expect(code).toBe(1);
    expect(err).toMatch(/the agent's settings .*none cannot be read: it is not there/);
    await swarm.close();
  });
});
