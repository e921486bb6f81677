import type { SshFiles } from './environment.ts';
import type { HttpsSettings } from './https.ts';

/** What to follow and within which bounds. Bytes and milliseconds. */
export interface GitSettings {
  readonly url: string;
  readonly branch: string;
  /** Folder inside the repository; `.` is all of it. */
  readonly path: string;
  /** Required for ssh. */
  readonly ssh?: SshFiles;
  /** Looked at for https. Absent: without a login, by the machine's authorities. */
  readonly https?: HttpsSettings;
  /** All files of a revision, unpacked; and any pack on disk. */
  readonly maxBytes: number;
  readonly maxFiles: number;
  /** Absolute. Holds the mirror, and nothing whose loss matters. */
  readonly stateDir: string;
  /** Whether a repository of this machine may be followed. */
  readonly local: boolean;
  /** How long one fetch may take; 120,000 unless given. */
  readonly fetchTimeoutMs?: number;
}
