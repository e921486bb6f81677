import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { TarEntry } from '../tar.ts';
import type { Client } from './client.ts';

/** The tag of the site that logs in to a database. */
export const databaseTag = 'db';

/** Where the client lies in the image, with its own loader and libraries. */
const home = 'opt/mariadb';

/** A program or a library, from where it lies. */
async function program(path: string, from: string | URL): Promise<TarEntry> {
  return { type: 'file', path, data: await readFile(from), mode: 0o755 };
}

async function script(path: string, name: string): Promise<TarEntry> {
  return await program(path, new URL(`../site/${name}`, import.meta.url));
}

/** What comes on top of the site's own files: the client below, and above it what logs in and shows it. */
export async function databaseFiles(
  client: Client,
): Promise<{ readonly lower: readonly TarEntry[]; readonly upper: readonly TarEntry[] }> {
  const start = [
    '#!/bin/sh',
    // The file with the login must be named first.
    `exec /${home}/${basename(client.loader)} --library-path /${home} /${home}/${basename(client.program)} "$@" --plugin-dir=/${home}/plugin`,
    '',
  ];
  return {
    lower: [
      ...['opt', home, `${home}/plugin`].map((path): TarEntry => ({ type: 'folder', path })),
      ...(await Promise.all(
        [client.program, client.loader, ...client.libraries].map(
          async (path) => await program(`${home}/${basename(path)}`, path),
        ),
      )),
      await program(`${home}/plugin/${basename(client.plugin)}`, client.plugin),
      { type: 'file', path: 'bin/mariadb', data: Buffer.from(start.join('\n')), mode: 0o755 },
    ],
    upper: [
      { type: 'file', path: 'etc/site-version', data: Buffer.from(`${databaseTag}\n`) },
      await script('bin/login', 'login'),
      // busybox runs it where the folder has no index.html.
      await script('www/cgi-bin/index.cgi', 'database'),
    ],
  };
}
