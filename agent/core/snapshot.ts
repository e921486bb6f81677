import type { Diagnostic } from './diagnostic.ts';

/** One file of a revision. `blob` names its content: equal blobs are equal bytes, in every revision. */
export interface SnapshotEntry {
  /** Relative to the followed folder, with `/`, never absolute, never with `.` or `..` parts. */
  readonly path: string;
  readonly blob: string;
  readonly sizeBytes: number;
}

/** All files of one revision. Content is read by blob, so what is known already is not read again. */
export interface Snapshot {
  /** The full commit id, or `folder` for a plain folder. */
  readonly revision: string;
  /** First line of the commit's message, for people. */
  readonly subject: string;
  /** Whether the revision seen before is an ancestor of this one; absent where none was seen. False after a force-push. */
  readonly fastForward?: boolean;
  /** Sorted by path, bytewise. */
  readonly entries: readonly SnapshotEntry[];
  /** What the tree itself gets wrong: symbolic links, submodules, too many or too large files. */
  readonly diagnostics: readonly Diagnostic[];
  /** The bytes of these blobs, all of them, or an error. */
  read(blobs: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Uint8Array>>;
}
