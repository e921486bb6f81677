import { SourceError } from '../reconcile/ports.ts';
import { type Bench, GitFailure, runGit } from './command.ts';
import { isMade, measurePacks, removeMirror, sweep } from './folders.ts';
import { printable } from './intake.ts';

/** One branch of one repository, kept on disk. */
export interface MirrorSettings {
  readonly url: string;
  readonly branch: string;
  /** The mirror's own folder. */
  readonly folder: string;
  readonly fetchTimeoutMs: number;
  /** All packs together may grow to twice this before the mirror is made anew. */
  readonly packBytesMax: number;
  readonly overHttps: boolean;
}

export const OBJECT_ID = /^[0-9a-f]{40}$/u;
/** Asking for one ref; also whatever stays on this machine. */
const SHORT_TIMEOUT_MS = 30_000;
/** Every fetch leaves a pack; more than this slow down every look-up. */
const PACKS_MAX = 50;
const BRANCHES_SHOWN = 5;
/** Git's own number for a history without an end. */
const DEPTH_OF_ALL = 2 ** 31 - 1;

/**
 * A bare mirror of one branch with all of its history and no tags: 2,000 commits of 650 stacks take 4 MB and half a second.
 * Whole, because later questions (is the settled revision an ancestor, what does a merge give) have no answer in a cut
 * history, and not filtered, because git would then fetch missing files one by one while they are read.
 * Methods throw `GitFailure` as it comes; git.ts judges it.
 */
export class Mirror {
  readonly #settings: MirrorSettings;
  readonly #bench: Bench;
  readonly #ref: string;
  /** Over https: whether this server was found to be a real one, see `fetch`. */
  #isSmart = false;

  constructor(settings: MirrorSettings, bench: Bench) {
    this.#settings = settings;
    this.#bench = bench;
    this.#ref = `refs/heads/${settings.branch}`;
  }

  /** Makes the folder ready for git, be it new, whole, or left by a killed process. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { folder } = this.#settings;
    if (!(await isMade(folder, signal))) {
      await removeMirror(folder, signal);
      await this.#run(['init', '--quiet', '--bare', folder], SHORT_TIMEOUT_MS, signal);
    }
    await sweep(folder, signal);
  }

  /** Throws the mirror away and begins with an empty one. */
  async renew(signal: AbortSignal): Promise<void> {
    await removeMirror(this.#settings.folder, signal);
    await this.prepare(signal);
  }

  /** The commit that the branch has at the server: one round trip. Throws `SourceError` where there is none. */
  async remoteTip(signal: AbortSignal): Promise<string> {
    const { url } = this.#settings;
    const timeoutMs = Math.min(SHORT_TIMEOUT_MS, this.#settings.fetchTimeoutMs);
    const listed = await this.#run(['ls-remote', '--', url, this.#ref], timeoutMs, signal);
    // The server matches the end of names too: `x/refs/heads/main`.
    for (const line of listed.split('\n')) {
      const [id = '', name] = line.split('\t');
      if (name === this.#ref && OBJECT_ID.test(id)) return id;
    }
    throw await this.#noBranch(timeoutMs, signal);
  }

  /** The commit that the mirror has; absent before the first fetch. */
  async tip(signal: AbortSignal): Promise<string | undefined> {
    const args = ['rev-parse', '--quiet', '--verify', `${this.#ref}^{commit}`];
    try {
      const id = (await this.#run(args, SHORT_TIMEOUT_MS, signal)).trim();
      return OBJECT_ID.test(id) ? id : undefined;
    } catch (error) {
      // 1: no such ref. Everything else is damage.
      if (error instanceof GitFailure && error.exitCode === 1) return undefined;
      throw error;
    }
  }

  /** Brings the mirror to where the branch is, forced updates included. */
  async fetch(signal: AbortSignal): Promise<void> {
    const { folder, url, fetchTimeoutMs, packBytesMax, overHttps } = this.#settings;
    const before = await measurePacks(folder, signal);
    if (before.bytes > 2 * packBytesMax) await this.renew(signal);
    else await sweep(folder, signal);
    const args = [
      'fetch',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-show-forced-updates',
      // A repository of this machine may itself be cut off.
      '--update-shallow',
      // All of it. A web server that only shows a repository's files cannot be asked that, and git refuses it: what comes
      // from there is not checked. Once is enough, because each time git reads all of its history for it.
      ...(overHttps && !this.#isSmart ? [`--depth=${DEPTH_OF_ALL}`] : []),
      '--',
      url,
      `+${this.#ref}:${this.#ref}`,
    ];
    try {
      await this.#run(args, fetchTimeoutMs, signal);
    } catch (error) {
      throw (await this.#overLimit(signal)) ?? error;
    }
    this.#isSmart = true;
    if (before.packs >= PACKS_MAX) await this.#gather(signal);
  }

  /** Whether `earlier` is an ancestor of `later`. A commit that the mirror does not have is none. */
  async isAncestor(
    earlier: string,
    later: string,
    signal: AbortSignal,
    timeoutMs = SHORT_TIMEOUT_MS,
  ): Promise<boolean> {
    try {
      const base = await this.#run(['merge-base', earlier, later], timeoutMs, signal);
      return base.trim() === earlier;
    } catch (error) {
      // 1: nothing in common. 128: not there.
      if (error instanceof GitFailure && error.reason === 'exit') return false;
      throw error;
    }
  }

  /** Whether every commit and every folder of the branch is there and can be read. Takes long for a long history. */
  async isSound(signal: AbortSignal): Promise<boolean> {
    const args = ['fsck', '--connectivity-only', '--no-dangling', '--no-progress'];
    try {
      await this.#run(args, this.#settings.fetchTimeoutMs, signal);
      return true;
    } catch (error) {
      if (error instanceof GitFailure && error.reason === 'exit') return false;
      throw error;
    }
  }

  /** Git says nothing when the system ends its writer for a file too large, but the file is still there. */
  async #overLimit(signal: AbortSignal): Promise<SourceError | undefined> {
    const { folder, url, packBytesMax } = this.#settings;
    const { unfinishedBytes } = await measurePacks(folder, signal);
    if (unfinishedBytes < packBytesMax) return undefined;
    const message = `the history of ${url} is larger than \`repository.maxBytes\` (${packBytesMax} bytes)`;
    return new SourceError(message, { retry: 'never' });
  }

  /** Puts all packs into one. Nothing is dropped: an older snapshot may still be read. */
  async #gather(signal: AbortSignal): Promise<void> {
    const args = ['repack', '-a', '-d', '-k', '-q'];
    try {
      await this.#run(args, this.#settings.fetchTimeoutMs, signal);
    } catch (error) {
      // Housekeeping: the fetch itself succeeded, and the next one tries again.
      if (!(error instanceof GitFailure)) throw error;
    }
  }

  async #noBranch(timeoutMs: number, signal: AbortSignal): Promise<SourceError> {
    const { url, branch, overHttps } = this.#settings;
    const none = new SourceError(`${url} has no branch \`${branch}\``, { retry: 'never' });
    let listed: string;
    try {
      listed = await this.#run(['ls-remote', '--heads', '--', url], timeoutMs, signal);
    } catch (error) {
      // More branches than are ever shown.
      if (error instanceof GitFailure && error.reason === 'output') return none;
      throw error;
    }
    const names = [...listed.matchAll(/\trefs\/heads\/(.+)$/gmu)].map((found) => found[1] ?? '');
    if (names.length === 0) {
      // Git takes some web pages for a repository in which there is nothing.
      const doubt = overHttps ? ', or what answers there is no Git server' : '';
      return new SourceError(`${url} has no commits yet${doubt}`, { retry: 'never' });
    }
    const shown = names.slice(0, BRANCHES_SHOWN).map((name) => `\`${printable(name)}\``);
    const more = names.length > BRANCHES_SHOWN ? ` and ${names.length - BRANCHES_SHOWN} more` : '';
    const message = `${none.message}; it has ${shown.join(', ')}${more}`;
    return new SourceError(message, { retry: 'never' });
  }

  async #run(args: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string> {
    return runGit(this.#bench, { args, timeoutMs }, signal);
  }
}
