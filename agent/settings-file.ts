import { readFile } from 'node:fs/promises';

/** Where the agent's own settings lie. */
export const SETTINGS_FILE = '/etc/understudy/agent.yaml';

/** A settings file as it was found. */
export type SettingsFile =
  | { readonly status: 'read'; readonly path: string; readonly text: string }
  | { readonly status: 'missing' | 'unreadable'; readonly path: string; readonly why: string };

/** Throws the signal's reason. */
export async function readSettingsFile(path: string, signal: AbortSignal): Promise<SettingsFile> {
  try {
    return { status: 'read', path, text: await readFile(path, { encoding: 'utf8', signal }) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const status = error.code === 'ENOENT' ? 'missing' : 'unreadable';
    return { status, path, why: status === 'missing' ? 'it is not there' : String(error.code) };
  }
}
