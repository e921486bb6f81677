import { readFile, stat } from 'node:fs/promises';
import { SourceError } from '../reconcile/ports.ts';
import { type SshFiles, sshPathProblem } from './environment.ts';
import { hasControl } from './grammar.ts';
import type { HttpsAccess } from './https.ts';

/** No token or password is longer; git takes 64 KiB, web servers less. */
const SECRET_BYTES_MAX = 8 * 1024;

/**
 * Throws `SourceError` where ssh could not or should not use these files. Nothing is copied and no mode is changed: a key is
 * never written anywhere by the agent, so a Docker secret, 0444 unless told otherwise, must be mounted with `mode: 0400`.
 */
export async function checkSshFiles(files: SshFiles, signal: AbortSignal): Promise<void> {
  for (const [setting, path] of Object.entries({
    'repository.ssh.keyFile': files.keyFile,
    'repository.ssh.knownHostsFile': files.knownHostsFile,
  })) {
    signal.throwIfAborted();
    const what = setting.endsWith('keyFile') ? 'key' : 'public';
    refuse(setting, sshPathProblem(path) ?? (await fileProblem(path, what)));
  }
}

/**
 * Throws `SourceError` where git could not or should not use these files. Looked at before each look at the server, because
 * a token is exchanged while the agent runs. What the secret says is read, judged and forgotten: git gets it elsewhere.
 */
export async function checkHttpsFiles(
  { login, caFile }: HttpsAccess,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (caFile !== undefined) {
    refuse('repository.https.caFile', pathProblem(caFile) ?? (await fileProblem(caFile, 'public')));
  }
  if (login === undefined) return;
  const { setting, secretFile } = login;
  refuse(setting, pathProblem(secretFile) ?? (await fileProblem(secretFile, 'secret')));
  refuse(setting, await contentProblem(secretFile, signal));
}

function refuse(setting: string, problem: string | undefined): void {
  if (problem !== undefined) throw new SourceError(`\`${setting}\` ${problem}`, { retry: 'never' });
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path';
  return hasControl(path) ? 'holds a control character' : undefined;
}

async function fileProblem(
  path: string,
  what: 'key' | 'secret' | 'public',
): Promise<string | undefined> {
  // Through links: Docker and Kubernetes both mount secrets as links.
  const seen = await stat(path).catch(() => undefined);
  if (seen === undefined) return `names ${path}, which is not there`;
  if (!seen.isFile()) return `names ${path}, which is not a file`;
  if (seen.size === 0) return `names ${path}, which is empty`;
  if (what === 'secret' && seen.size > SECRET_BYTES_MAX) {
    return `names ${path}, which is longer than ${SECRET_BYTES_MAX} bytes`;
  }
  const mode = (seen.mode & 0o7777).toString(8).padStart(4, '0');
  if (what !== 'public' && (seen.mode & 0o077) !== 0) {
    const why = what === 'key' ? '; ssh refuses such a key' : '';
    return (
      `names ${path}, which others may read (mode ${mode})${why}: ` +
      'mount the secret with `mode: 0400` and the agent as its `uid`'
    );
  }
  if ((seen.mode & 0o022) !== 0) return `names ${path}, which others may write (mode ${mode})`;
  return undefined;
}

/** One line, at most one line feed behind it, nothing that a request could not carry. */
async function contentProblem(path: string, signal: AbortSignal): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path, { signal });
  } catch {
    signal.throwIfAborted();
    return `names ${path}, which the agent cannot read`;
  }
  const line = bytes.toString('latin1').replace(/\n$/u, '');
  if (line.trim() === '') return `names ${path}, which holds an empty line`;
  if (line.includes('\n')) return `names ${path}, which holds more than one line`;
  if (line.endsWith('\r')) return `names ${path}, whose line ends as Windows ends lines: take the carriage return away`; // prettier-ignore
  if (line !== line.trim()) return `names ${path}, which begins or ends with a space`;
  // Bytes, not characters: a password may be UTF-8.
  // oxlint-disable-next-line no-control-regex -- finding them is the point
  if (/[\u0000-\u001f\u007f]/u.test(line)) return `names ${path}, which holds a control character`;
  return undefined;
}
