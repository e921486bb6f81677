import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { arch } from 'node:process';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { databaseFiles, databaseTag } from './mysql/image.ts';
import type { Client } from './mysql/client.ts';
import type { Tools } from './packages.ts';
import { StageError } from './run.ts';
import { tar, type TarEntry } from './tar.ts';

/** One variant of the demo image. */
export interface SiteImage {
  readonly tag: string;
  /** What its page says. */
  readonly page: string;
  /** It starts, and every path answers with an error: its healthcheck fails. */
  readonly broken: boolean;
}

/** The images that the stage's registry holds, all of the repository `site`. */
export const siteImages: readonly SiteImage[] = [
  { tag: '1', page: 'This is site 1.', broken: false },
  { tag: '2', page: 'This is site 2.', broken: false },
  { tag: 'broken', page: 'This is never shown.', broken: true },
];

const programs = [
  'sh',
  'wget',
  'httpd',
  'cat',
  'sleep',
  'ls',
  'ps',
  'id',
  'env',
  'hostname',
  'nslookup',
  'ping',
];
const packed = promisify(gzip);
const layerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const configType = 'application/vnd.docker.container.image.v1+json';
const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

/**
 * Builds the demo images and puts them into the registry, with a client also `site:db`. The same files give the same digests.
 * Throws `StageError` when the registry refuses.
 */
export async function publishSiteImages(
  registry: string,
  tools: Tools,
  client: Client | undefined,
  signal: AbortSignal,
): Promise<void> {
  const base = await layer(baseFiles(await readFile(tools.path('busybox')), await siteFiles()));
  for (const image of siteImages) {
    await publish({ registry, tag: image.tag }, [base, await layer(topFiles(image))], signal);
  }
  if (client === undefined) return;
  const { lower, upper } = await databaseFiles(client);
  const more = await Promise.all([lower, upper].map(layer));
  await publish({ registry, tag: databaseTag }, [base, ...more], signal);
}

async function publish(
  { registry, tag }: { readonly registry: string; readonly tag: string },
  layers: readonly Layer[],
  signal: AbortSignal,
): Promise<void> {
  const config = Buffer.from(JSON.stringify(imageConfig(layers.map(({ diffId }) => diffId))));
  for (const blob of [...layers.map(({ data }) => data), config])
    await putBlob(registry, blob, signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, size: config.length, digest: digestOf(config) },
    layers: layers.map(({ data }) => ({
      mediaType: layerType,
      size: data.length,
      digest: digestOf(data),
    })),
  };
  await put(
    `http://${registry}/v2/site/manifests/${tag}`,
    { type: manifestType, body: Buffer.from(JSON.stringify(manifest)) },
    signal,
  );
}

async function siteFiles(): Promise<ReadonlyMap<string, Buffer>> {
  return new Map(await Promise.all(['site', 'well', 'sick'].map(siteFile)));
}

async function siteFile(name: string): Promise<[string, Buffer]> {
  return [name, await readFile(new URL(`./site/${name}`, import.meta.url))];
}

function baseFiles(busybox: Buffer, files: ReadonlyMap<string, Buffer>): readonly TarEntry[] {
  const script = (path: string, name: string): TarEntry => ({
    type: 'file',
    path,
    data: files.get(name) ?? Buffer.alloc(0),
    mode: 0o755,
  });
  const folders = [
    'bin',
    'etc',
    'proc',
    'sys',
    'dev',
    'www',
    'www/cgi-bin',
    'sick',
    'sick/cgi-bin',
  ];
  return [
    ...folders.map((path): TarEntry => ({ type: 'folder', path })),
    { type: 'folder', path: 'tmp', mode: 0o1777 },
    { type: 'file', path: 'bin/busybox', data: busybox, mode: 0o755 },
    ...programs.map((name): TarEntry => ({ type: 'link', path: `bin/${name}`, target: 'busybox' })),
    {
      type: 'file',
      path: 'etc/passwd',
      data: Buffer.from('root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n'),
    },
    { type: 'file', path: 'etc/group', data: Buffer.from('root:x:0:\nnogroup:x:65534:\n') },
    script('bin/site', 'site'),
    script('www/cgi-bin/health', 'well'),
    // busybox runs index.cgi where a folder has no index.html.
    script('sick/cgi-bin/health', 'sick'),
    script('sick/cgi-bin/index.cgi', 'sick'),
  ];
}

function topFiles(image: SiteImage): readonly TarEntry[] {
  const page = `<!doctype html>\n<title>site ${image.tag}</title>\n<p>${image.page}</p>\n`;
  return [
    { type: 'file', path: 'etc/site-version', data: Buffer.from(`${image.tag}\n`) },
    ...(image.broken
      ? [{ type: 'file', path: 'etc/site-broken', data: Buffer.alloc(0) } as const]
      : []),
    { type: 'file', path: 'www/index.html', data: Buffer.from(page) },
  ];
}

function imageConfig(diffIds: readonly string[]) {
  return {
    architecture: arch === 'x64' ? 'amd64' : arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Env: ['PATH=/bin'],
      Cmd: ['/bin/site'],
      WorkingDir: '/',
      ExposedPorts: { '8080/tcp': {} },
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({
      created: '1970-01-01T00:00:00Z',
      created_by: 'understudy rehearse',
    })),
  };
}

interface Layer {
  readonly data: Buffer;
  readonly diffId: string;
}

/** Packed by a thread of its own: the stage goes on rising meanwhile. */
async function layer(entries: readonly TarEntry[]): Promise<Layer> {
  const archive = tar(entries);
  return { data: await packed(archive, { level: 1 }), diffId: digestOf(archive) };
}

function digestOf(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

async function putBlob(registry: string, data: Buffer, signal: AbortSignal): Promise<void> {
  const digest = digestOf(data);
  const there = await ask(`http://${registry}/v2/site/blobs/${digest}`, { method: 'HEAD' }, signal);
  if (there.ok) return;
  const upload = await ask(`http://${registry}/v2/site/blobs/uploads/`, { method: 'POST' }, signal);
  const location = upload.headers.get('location');
  if (location === null) throw new StageError(`the registry began no upload (${upload.status})`);
  const target = new URL(location, `http://${registry}`);
  target.searchParams.set('digest', digest);
  await put(target.href, { type: 'application/octet-stream', body: data }, signal);
}

async function put(
  url: string,
  content: { type: string; body: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const answer = await ask(
    url,
    {
      method: 'PUT',
      headers: { 'content-type': content.type },
      body: new Uint8Array(content.body),
    },
    signal,
  );
  if (!answer.ok)
    throw new StageError(`the registry refused ${url}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function ask(url: string, options: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, {
      ...options,
      signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new StageError(`the registry does not answer at ${url}`, { cause });
  }
}
