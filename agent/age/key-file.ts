import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import type { Secret } from '../core/secret.ts';
import { readIdentities } from '../core/sops/identities.ts';

/** The identities that are there now, or why they cannot be had. */
export type KeysRead =
  | {
      readonly status: 'ok';
      readonly identities: readonly Secret[];
      /** Another one whenever the identities are others. Says nothing of them. */
      readonly name: string;
    }
  | { readonly status: 'unreadable'; readonly why: string };

/** Where identities come from. */
export interface KeySource {
  read(): Promise<KeysRead>;
}

const BYTES_MAX = 64 * 2 ** 10;

/** A file of identities, read again when it changes. */
export function keyFile(path: string): KeySource {
  let known: { readonly seen: string; readonly text: string; readonly read: KeysRead } | undefined;
  let changes = 0;
  return {
    read: async () => {
      let text: string;
      let seen: string;
      try {
        const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
        try {
          const stat = await file.stat();
          const { mtimeMs, ctimeMs, size, ino } = stat;
          if (!stat.isFile()) return unreadable(path, 'it is no file');
          seen = [mtimeMs, ctimeMs, size, ino].join(' ');
          if (known?.seen === seen) return known.read;
          if (size > BYTES_MAX) return unreadable(path, 'it is larger than 64 KiB');
          text = await file.readFile('utf8');
        } finally {
          await file.close();
        }
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
        return unreadable(path, code);
      }
      if (known?.text === text) {
        known = { ...known, seen };
        return known.read;
      }
      changes += 1;
      const found = readIdentities(text);
      const read: KeysRead =
        found.status === 'ok' ? { ...found, name: String(changes) } : unreadable(path, found.why);
      known = { seen, text, read };
      return read;
    },
  };
}

function unreadable(path: string, why: string): KeysRead {
  return { status: 'unreadable', why: `the key file ${path} cannot be used: ${why}` };
}
