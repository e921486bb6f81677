import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { registryOf } from '../../agent/providers/stack/registry-logins.ts';
import type { Swarm } from '../../agent/providers/stack/swarm.ts';
import { idleService } from '../contract/swarm.ts';

/** What an engine is sent, whatever it makes of it. */
const { signal } = new AbortController();
const canary = 'canary-77e1';
const id = 'a'.repeat(25);
const host = 'registry.example.org:5000';

let folder = '';
let engine: Server;
let swarm: Swarm & { close(): void };
let sent: { readonly request: string; readonly login: unknown }[];

const password = (): string => join(folder, 'password');
const settings = () => ({
  socket: join(folder, 'docker.sock'),
  registries: { [host]: { username: 'understudy', passwordFile: password() } },
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-login-'));
  await writeFile(password(), `${canary}\n`);
  sent = [];
  engine = createServer((request, response) => {
    const { [`x-registry-auth`]: header } = request.headers;
    const login: unknown =
      typeof header === 'string'
        ? JSON.parse(Buffer.from(header, 'base64url').toString())
        : undefined;
    sent.push({ request: `${request.method ?? ''} ${request.url ?? ''}`, login });
    request.resume();
    const body = (request.url ?? '').includes('/create')
      ? { ID: id }
      : (request.url ?? '').includes('/distribution/')
        ? { Descriptor: { digest: 'sha256:1' } }
        : { Warnings: null };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  engine.listen(settings().socket);
  await once(engine, 'listening');
  swarm = openSwarm(settings(), systemClock);
});
afterEach(async () => {
  swarm.close();
  engine.close();
  engine.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

const spec = (image: string) =>
  idleService('web', { TaskTemplate: { ContainerSpec: { Image: image }, Placement: {} } });
const create = (image: string) => swarm.call({ op: 'service-create', body: spec(image) }, signal);
const update = (image: string, otherRegistry?: true) =>
  swarm.call(
    {
      op: 'service-update',
      id,
      version: 1,
      body: spec(image),
      ...(otherRegistry && { otherRegistry }),
    },
    signal,
  );
const ours = { username: 'understudy', password: canary, serveraddress: host };

describe('the login of a registry', () => {
  it('goes with services and questions about its images', async () => {
    await create(`${host}/site:1`);
    await update(`${host}/site:2`);
    expect(await swarm.image(`${host}/site:2`, signal)).toMatchObject({ value: { login: true } });
    expect(sent.map(({ login }) => login)).toEqual([ours, ours, ours]);
    expect(sent.map(({ request }) => request).join()).not.toContain(canary);
  });

  it('goes with no other one', async () => {
    await create('registry.example.org/site:1');
    await update('site:1');
    await update(`${host.toUpperCase().replace('EXAMPLE', 'OTHER')}/site:1`);
    expect(await swarm.image('site:1', signal)).toEqual({
      status: 'ok',
      value: { found: 'there', why: '' },
    });
    await swarm.call({ op: 'config-create', name: 'c', labels: {}, data: '' }, signal);
    expect(sent.map(({ login }) => login)).toEqual([undefined, undefined, undefined, undefined, undefined]); // prettier-ignore
  });

  it('is taken away from a service whose image comes from elsewhere now', async () => {
    await update('site:1', true);
    await update(`${host}/site:1`, true);
    expect(sent.map(({ login }) => login)).toEqual([{}, ours]);
  });

  it('is that of the file as it is now', async () => {
    await create(`${host}/site:1`);
    await writeFile(password(), 'another\nwith two lines\r\n');
    await update(`${host}/site:1`);
    expect(sent[1]?.login).toEqual({ ...ours, password: 'another\nwith two lines' });
  });

  it.each([
    ['is not there', async () => rm(password()), 'ENOENT'],
    ['is empty', async () => writeFile(password(), '\n'), 'it is empty'],
    ['is too large', async () => writeFile(password(), 'x'.repeat(70_000)), 'it is too large'],
  ])('in a file that %s sends nothing', async (_, make, why) => {
    await make();
    const outcome = {
      status: 'unknown',
      why: expect.stringContaining(`password for the registry ${host} cannot be read`),
    };
    expect(await create(`${host}/site:1`)).toMatchObject(outcome);
    expect(await swarm.image(`${host}/site:1`, signal)).toMatchObject(outcome);
    expect(await update(`${host}/site:1`)).toMatchObject({ why: expect.stringContaining(why) });
    expect(sent).toEqual([]);
    expect(await create('site:1')).toMatchObject({ status: 'ok' });
  });

  it('comes out nowhere, whatever is asked to be printed', async () => {
    const client = new URL('../../agent/providers/stack/client.ts', import.meta.url).href;
    const clock = new URL('../../agent/clock.ts', import.meta.url).href;
    const program = `
      const { openSwarm } = await import(${JSON.stringify(client)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      const swarm = openSwarm(${JSON.stringify(settings())}, systemClock);
      const signal = new AbortController().signal;
      const call = { op: 'service-create', body: ${JSON.stringify(spec(`${host}/site:1`))} };
      console.log(await swarm.call(call, signal), await swarm.image('${host}/site:1', signal), swarm);
      swarm.close();`;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', program],
      { env: { DEBUG: '*', NODE_DEBUG: 'dockerode', HOME: '/nonexistent' } },
    );
    expect(sent).toHaveLength(2);
    expect(sent[0]?.login).toEqual(ours);
    const encoded = Buffer.from(JSON.stringify(ours)).toString('base64').slice(0, 40);
    for (const text of [canary, encoded]) expect(`${stdout}${stderr}`).not.toContain(text);
  });
});

describe('the registry of an image', () => {
  it.each([
    ['ghost:1', 'docker.io'],
    ['docker.io/library/ghost:1', 'docker.io'],
    ['Registry.Example.org:5000/site@sha256:' + '0'.repeat(64), 'registry.example.org:5000'],
    ['0'.repeat(64), undefined],
    ['NOT AN IMAGE', undefined],
  ])('%s', (image, registry) => expect(registryOf(image)).toBe(registry));
});
