import type { Snapshot } from '../core/snapshot.ts';
import { type Source, SourceError } from '../reconcile/ports.ts';
import { BatchError } from './batch.ts';
import { type Bench, GitFailure } from './command.ts';
import { explain, type Subject } from './explain.ts';
import { checkHttpsFiles } from './files.ts';
import type { GitSettings } from './git-settings.ts';
import type { HttpsAccess } from './https.ts';
import { FILE_BYTES_MAX } from './intake.ts';
import { Mirror, OBJECT_ID } from './mirror.ts';
import { findFolder, listTree, readBlobs, readSubject } from './revision.ts';
import { Turns } from './turns.ts';

const FETCH_TIMEOUT_MS = 120_000;
/** A pass waits for it. */
const DESCENDS_TIMEOUT_MS = 5_000;

/** What a source works with, as git.ts makes it. */
export interface Workshop {
  readonly bench: Bench;
  /** Of the mirror. */
  readonly folder: string;
  readonly closing: AbortController;
  /** Over https. */
  readonly access?: HttpsAccess;
}

/** One branch of one repository, as git.ts opens it. */
export class GitSource implements Source {
  readonly #settings: GitSettings;
  readonly #bench: Bench;
  readonly #mirror: Mirror;
  readonly #access: HttpsAccess | undefined;
  readonly #turns: Turns;
  readonly #closers: (() => Promise<void>)[] = [];
  #prepared = false;
  #damaged = false;
  #current: Snapshot | undefined;
  /** A commit that cannot be delivered, with the reason: the same commit fails the same way. */
  #refused: { readonly commit: string; readonly error: SourceError } | undefined;

  constructor(settings: GitSettings, { bench, folder, closing, access }: Workshop) {
    this.#settings = settings;
    this.#bench = bench;
    this.#access = access;
    this.#turns = new Turns(closing);
    this.#mirror = new Mirror(
      {
        url: settings.url,
        branch: settings.branch,
        folder,
        fetchTimeoutMs: settings.fetchTimeoutMs ?? FETCH_TIMEOUT_MS,
        packBytesMax: settings.maxBytes,
        overHttps: access !== undefined,
      },
      bench,
    );
  }

  onClose(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  async newest(signal: AbortSignal): Promise<Snapshot> {
    return this.#turns.inTurn((both) => this.#look(both), signal);
  }

  async at(revision: string, signal: AbortSignal): Promise<Snapshot | undefined> {
    if (!OBJECT_ID.test(revision)) return undefined;
    return this.#turns.inTurn((both) => this.#remember(revision, both), signal);
  }

  /** Beside a fetch that may be under way: what is asked for was fetched before. */
  async descends(earlier: string, later: string, signal: AbortSignal): Promise<boolean> {
    if (!OBJECT_ID.test(earlier) || !OBJECT_ID.test(later)) return false;
    const both = this.#turns.either(signal);
    const work = this.#mirror.isAncestor(earlier, later, both, DESCENDS_TIMEOUT_MS);
    try {
      return await this.#turns.beside(work);
    } catch (error) {
      if (error instanceof GitFailure) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#turns.close();
    await Promise.allSettled(this.#closers.map((closer) => closer()));
  }

  /** Looks, and where the mirror is to blame looks once more with a new one. */
  async #look(signal: AbortSignal): Promise<Snapshot> {
    try {
      if (!this.#damaged) {
        try {
          return await this.#bring(signal);
        } catch (error) {
          if (!(await this.#blamesMirror(error, signal))) throw error;
          // Kept until the new mirror is whole: a fetch that fails leaves an empty one.
          this.#damaged = true;
        }
      }
      await this.#mirror.renew(signal);
      const snapshot = await this.#bring(signal);
      this.#damaged = false;
      return snapshot;
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  /** What the mirror still holds. A damaged one holds nothing: the next look that reaches the server makes it anew. */
  async #remember(revision: string, signal: AbortSignal): Promise<Snapshot | undefined> {
    if (this.#damaged) return undefined;
    try {
      await this.#mirror.prepare(signal);
      return await this.#snapshot(revision, undefined, signal);
    } catch (error) {
      const known = this.#inWords(error);
      if (known instanceof SourceError) return undefined;
      throw known;
    }
  }

  async #bring(signal: AbortSignal): Promise<Snapshot> {
    if (!this.#prepared) {
      await this.#mirror.prepare(signal);
      this.#prepared = true;
    }
    if (this.#access !== undefined) await checkHttpsFiles(this.#access, signal);
    const remote = await this.#mirror.remoteTip(signal);
    if (!this.#damaged) {
      if (this.#current?.revision === remote) return this.#current;
      if (this.#refused?.commit === remote) throw this.#refused.error;
    }
    const before = await this.#mirror.tip(signal);
    if (before !== remote) await this.#mirror.fetch(signal);
    // The branch may have moved again since it was asked for: from here on this one commit counts.
    const commit = (await this.#mirror.tip(signal)) ?? remote;
    if (this.#current?.revision === commit) return this.#current;
    this.#current = await this.#snapshot(commit, this.#current?.revision ?? before, signal);
    return this.#current;
  }

  async #snapshot(
    commit: string,
    previous: string | undefined,
    signal: AbortSignal,
  ): Promise<Snapshot> {
    const { path, maxBytes, maxFiles } = this.#settings;
    const tree = await findFolder(this.#bench, { commit, path }, signal);
    if (tree === undefined) {
      // Git says the same where a folder's object was lost.
      if (!(await this.#mirror.isSound(signal))) throw new BatchError('the mirror has holes');
      const message = `\`repository.path\` ${path} is not a folder in revision ${commit}`;
      const error = new SourceError(message, { retry: 'never' });
      this.#refused = { commit, error };
      throw error;
    }
    const limits = { filesMax: maxFiles, bytesMax: maxBytes, fileBytesMax: FILE_BYTES_MAX };
    const { entries, diagnostics } = await listTree(this.#bench, tree, limits, signal);
    const sizes = new Map(entries.map(({ blob, sizeBytes }) => [blob, sizeBytes]));
    return {
      revision: commit,
      subject: await readSubject(this.#bench, commit, signal),
      entries,
      diagnostics,
      ...(previous === undefined || previous === commit
        ? {}
        : { fastForward: await this.#mirror.isAncestor(previous, commit, signal) }),
      read: async (blobs, signal) => this.#turns.beside(this.#read(sizes, blobs, signal)),
    };
  }

  async #read(
    sizes: ReadonlyMap<string, number>,
    blobs: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const both = this.#turns.either(signal);
    const wanted = new Map<string, number>();
    for (const blob of blobs) {
      const sizeBytes = sizes.get(blob);
      if (sizeBytes === undefined) {
        throw new SourceError(`${blob} is not a file of this revision`, { retry: 'never' });
      }
      wanted.set(blob, sizeBytes);
    }
    try {
      return await readBlobs(this.#bench, wanted, both);
    } catch (error) {
      // The next look makes the mirror anew; this pass has nothing to read.
      this.#damaged ||= await this.#blamesMirror(error, both);
      throw this.#inWords(error);
    }
  }

  /** Whether the mirror on disk is the cause, as far as can be known. */
  async #blamesMirror(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (error instanceof BatchError) return true;
    if (!(error instanceof GitFailure)) return false;
    if (!explain(error, this.#subject()).mirrorSuspect) return false;
    // What concerns the server may fail for reasons that nobody foresaw; then the mirror is asked.
    const asksServer = error.args[0] === 'fetch' || error.args[0] === 'ls-remote';
    return asksServer ? !(await this.#mirror.isSound(signal)) : true;
  }

  /** `SourceError` for what git said; reasons of a signal and bugs stay as they are. */
  #inWords(error: unknown): unknown {
    if (error instanceof GitFailure) return explain(error, this.#subject()).error;
    if (error instanceof BatchError) {
      const message = `the mirror in \`stateDir\` is damaged: ${error.message}`;
      return new SourceError(message, { retry: 'soon', cause: error });
    }
    return error;
  }

  #subject(): Subject {
    const { url, branch } = this.#settings;
    const login = this.#access?.login?.setting;
    return { url, branch, ...(login === undefined ? {} : { login }) };
  }
}
