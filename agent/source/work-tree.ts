import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { type Clock, SourceError } from '../reconcile/ports.ts';
import { GitFailure } from './command.ts';
import { workTreeEnvironment } from './environment.ts';
import { printable, RECORD_BYTES_MAX } from './intake.ts';
import { streamGit } from './stream.ts';

const TIMEOUT_MS = 60_000;

/** A path that Git would put into the next commit, below the folder that was asked for. */
export interface Listed {
  /** Bytes: a name need not be text. */
  readonly path: Buffer;
  /** Git has it as a repository of its own. */
  readonly submodule: boolean;
}

/** The top of the work tree that a folder is in; undefined where it is in none. The folder is an absolute path. */
export async function workTreeOf(folder: string, signal: AbortSignal): Promise<string | undefined> {
  for (let top = folder; ; top = dirname(top)) {
    signal.throwIfAborted();
    const git = join(top, '.git');
    const seen = await lstat(git).catch(() => undefined);
    // A file names the repository of a linked work tree or of a submodule.
    if (seen?.isFile() === true) return top;
    if (seen?.isDirectory() === true && (await lstat(join(git, 'HEAD')).catch(() => undefined))) {
      return top;
    }
    if (top === dirname(top)) return undefined;
  }
}

/**
 * What `git add` and a commit would take of a folder: tracked files, and others that are not ignored. Undefined where
 * Git leaves the folder out as a whole. Throws `SourceError`.
 */
export async function listWorkTree(
  where: { readonly top: string; readonly folder: string; readonly filesMax: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Listed[] | undefined> {
  const { top, folder, filesMax } = where;
  const bench = { environment: workTreeEnvironment(top), clock };
  const kinds = ['--cached', '--others', '--exclude-standard'];
  const args = ['-C', folder, 'ls-files', '-z', '-t', '--stage', ...kinds];
  const listing = new WorkTreeListing(filesMax);
  try {
    const command = { args, timeoutMs: TIMEOUT_MS };
    await streamGit(bench, command, (piece) => listing.push(piece), signal);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    const why = printable(error.stderr.trim().split('\n').at(-1) ?? error.reason);
    const message = `git cannot list the files of ${folder}: ${why}`;
    throw new SourceError(message, { retry: 'soon', cause: error });
  }
  const listed = listing.finish();
  return listed.length === 0 && folder !== top ? undefined : listed;
}

// H 100644 2f7a… 0<TAB>stacks/web/compose.yaml, or: ? stacks/new/compose.yaml
const RECORD = /^([A-Z?]) (?:([0-7]{6}) [0-9a-f]{40,64} [0-3]\t)?/u;

/** Reads the output of `git ls-files -z -t --stage`, piece by piece. Pure but for its own state. */
class WorkTreeListing {
  readonly #filesMax: number;
  readonly #listed = new Map<string, Listed>();
  #rest: Buffer = Buffer.alloc(0);

  constructor(filesMax: number) {
    this.#filesMax = filesMax;
  }

  /** Takes the next piece. `enough`: more files than anybody will look at. */
  push(piece: Buffer): 'more' | 'enough' {
    let buffer = Buffer.concat([this.#rest, piece]);
    for (let end = buffer.indexOf(0); end !== -1; end = buffer.indexOf(0)) {
      this.#record(buffer.subarray(0, end));
      buffer = buffer.subarray(end + 1);
    }
    this.#rest = Buffer.from(buffer);
    return this.#listed.size > this.#filesMax || this.#rest.length > RECORD_BYTES_MAX
      ? 'enough'
      : 'more';
  }

  finish(): readonly Listed[] {
    return [...this.#listed.values()];
  }

  #record(bytes: Buffer): void {
    const [head = '', , mode] = RECORD.exec(bytes.toString('latin1')) ?? [];
    const named = bytes.subarray(head.length);
    // A repository of its own that nobody added yet: `git add` would make a submodule of it.
    const nested = named.at(-1) === 0x2f;
    const path = Buffer.from(nested ? named.subarray(0, -1) : named);
    // A file in conflict is listed three times.
    this.#listed.set(path.toString('latin1'), { path, submodule: nested || mode === '160000' });
  }
}
