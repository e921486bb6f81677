import { createHash } from 'node:crypto';

import type { Files, RepositoryFile } from '../../agent/core/folder-kind.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';

/** Files of a repository by path. */
export type Contents = Readonly<Record<string, string | Uint8Array>>;

/** The smallest repository that is valid: one environment `production`, one stack `blog`. */
export const small: Contents = {
  'understudy.yaml': 'version: 1\n',
  'environments/production.yaml': 'kind: Environment\nname: production\n',
  'stacks/blog/compose.yaml': 'services:\n  web:\n    image: nginx:1.29\n',
};

/** As Git names content. */
export function blobOf(content: string | Uint8Array): string {
  const bytes = Buffer.from(content);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Files as rendering sees them; content that `absent` names is not here yet. */
export function filesOf(contents: Contents, absent: ReadonlySet<string> = new Set()): Files {
  const files = Object.entries(contents).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    files.map(([path, content]): [string, RepositoryFile] => [
      path,
      {
        blob: blobOf(content),
        sizeBytes: Buffer.byteLength(content),
        bytes: () => (absent.has(blobOf(content)) ? undefined : Buffer.from(content)),
      },
    ]),
  );
}

/** A snapshot that keeps count of the blobs that were read. */
export function snapshotOf(
  contents: Contents,
  revision = 'a'.repeat(40),
): Snapshot & { readonly reads: string[] } {
  const reads: string[] = [];
  const blobs = new Map(
    Object.values(contents).map((content) => [blobOf(content), Buffer.from(content)]),
  );
  return {
    revision,
    subject: 'test',
    entries: [...filesOf(contents)].map(([path, { blob, sizeBytes }]) => ({
      path,
      blob,
      sizeBytes,
    })),
    diagnostics: [],
    reads,
    read: async (wanted, signal) => {
      signal.throwIfAborted();
      reads.push(...wanted);
      return Promise.resolve(
        new Map(wanted.map((blob) => [blob, blobs.get(blob) ?? new Uint8Array()])),
      );
    },
  };
}
