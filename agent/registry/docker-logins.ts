import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { Secret } from '../core/secret.ts';
import type { LoginFound } from './registries.ts';

/** The logins of the Docker CLI, or why they cannot be read. */
export type DockerLogins =
  | {
      readonly status: 'ok';
      readonly login: (host: string, signal: AbortSignal) => Promise<LoginFound>;
    }
  | { readonly status: 'failed'; readonly why: string };

/** What a login is looked up in. */
export interface LoginPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The home folder of whoever runs this. */
  readonly home: string;
}

const FILE_BYTES_MAX = 1024 * 1024;
/** A helper may ask a keychain, and that one a person. */
const HELPER_MS = 30_000;
const HELPER_BYTES_MAX = 64 * 1024;
/** Under which `docker login` keeps the one of Docker Hub. */
const HUB_KEY = 'https://index.docker.io/v1/';

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const config = z.looseObject({
  auths: z.record(z.string(), entry).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
const fromHelper = z.looseObject({ Username: z.string(), Secret: z.string() });

/** Reads `config.json` of the Docker CLI, once. A login that it keeps in a helper is asked for when it is needed. */
export async function readDockerLogins(places: LoginPlaces): Promise<DockerLogins> {
  const { environment, home } = places;
  const file = join(environment['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
  const text = await textOf(file);
  if (text === undefined) return { status: 'ok', login: async () => undefined };
  if (typeof text !== 'string') return { status: 'failed', why: `${file}: ${text.why}` };
  const parsed = config.safeParse(jsonIn(text));
  if (!parsed.success) {
    return { status: 'failed', why: `${file} is not what \`docker login\` writes` };
  }
  const { auths = {}, credHelpers = {}, credsStore } = parsed.data;
  return {
    status: 'ok',
    login: async (host, signal) => {
      const keys = keysOf(host, [...Object.keys(auths), ...Object.keys(credHelpers)]);
      const helper = keys.map((key) => ownValue(credHelpers, key)).find(Boolean) ?? credsStore;
      if (helper !== undefined && helper !== '') {
        return helped(helper, keys[0] ?? host, environment, signal);
      }
      const kept = keys.map((key) => ownValue(auths, key)).find((one) => one !== undefined);
      return kept === undefined ? undefined : loginIn(kept);
    },
  };
}

/** Pure. Under which keys a login for a host may be kept: as it is, or as an address of it, as old versions wrote. */
function keysOf(host: string, known: readonly string[]): readonly string[] {
  const usual = host === 'docker.io' ? HUB_KEY : host;
  if (host === 'docker.io') return [usual];
  const same = known.filter((key) => key.replace(/^https?:\/\//, '').split('/', 1)[0] === host);
  return [usual, ...same.filter((key) => key !== usual)];
}

function ownValue<Value>(of: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(of, key) ? of[key] : undefined;
}

function loginIn(kept: z.output<typeof entry>): LoginFound {
  if (kept.identitytoken !== undefined && kept.identitytoken !== '') return identityToken;
  const text = Buffer.from(kept.auth ?? '', 'base64')
    .toString('utf8')
    .replaceAll('\0', '');
  const at = text.indexOf(':');
  const username = at < 0 ? (kept.username ?? '') : text.slice(0, at);
  const password = at < 0 ? (kept.password ?? '') : text.slice(at + 1);
  // What `docker logout` leaves, and what a helper keeps, is an empty entry.
  if (username === '' && password === '') return undefined;
  return { username, password: new Secret(password) };
}

const identityToken = {
  why: 'it is an identity token, which is not supported: log in with a password or an access token',
};

/**
 * `docker-credential-NAME get`: the program that the person's own configuration names, with the registry on its input,
 * as the Docker CLI runs it. Nothing of a repository gets there but the name of the host.
 */
async function helped(
  name: string,
  key: string,
  environment: LoginPlaces['environment'],
  signal: AbortSignal,
): Promise<LoginFound> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return { why: 'its helper has a strange name' };
  const program = `docker-credential-${name}`;
  const ran = await run(program, key, environment, signal);
  if (ran.failed) {
    // The sentence that all of them have for it.
    if (/credentials not found/i.test(ran.output)) return undefined;
    return { why: `${program} failed${ran.code === undefined ? '' : ` (${ran.code})`}` };
  }
  const { data } = fromHelper.safeParse(jsonIn(ran.output));
  if (data === undefined) return { why: `${program} says something strange` };
  if (data.Username === '<token>') return identityToken;
  return { username: data.Username, password: new Secret(data.Secret) };
}

interface Ran {
  readonly failed: boolean;
  readonly code?: string;
  readonly output: string;
}

async function run(
  program: string,
  input: string,
  environment: LoginPlaces['environment'],
  signal: AbortSignal,
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: environment, timeout: HELPER_MS, maxBuffer: HELPER_BYTES_MAX, signal };
    const child = execFile(program, ['get'], options, (error, output) => {
      const code = error === null ? undefined : String(error.code ?? error.signal ?? '');
      resolve({ failed: error !== null, output, ...(code !== undefined && { code }) });
    });
    // One that ends without reading is told by how it ends.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${input}\n`);
  });
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function textOf(file: string): Promise<string | { readonly why: string } | undefined> {
  try {
    const handle = await open(file);
    try {
      const content = Buffer.alloc(FILE_BYTES_MAX + 1);
      let bytes = 0;
      for (let more = 1; more > 0 && bytes <= FILE_BYTES_MAX; bytes += more) {
        more = (await handle.read(content, bytes)).bytesRead;
      }
      return bytes > FILE_BYTES_MAX
        ? { why: 'it is too large' }
        : content.toString('utf8', 0, bytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { why: code };
  }
}
