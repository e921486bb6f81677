import type { DiagnosticCode } from '../core/codes.ts';
import { type Diagnostic, placeOfFile } from '../core/diagnostic.ts';
import type { SnapshotEntry } from '../core/snapshot.ts';
import { hasControl } from './grammar.ts';

/** What one revision may hold. */
export interface TreeLimits {
  readonly filesMax: number;
  /** All files together, unpacked. */
  readonly bytesMax: number;
  /** One file. */
  readonly fileBytesMax: number;
}

/** A Compose file, or a config that Swarm takes (1,000 KB at most): nothing larger is of use here. */
export const FILE_BYTES_MAX = 1024 * 1024;

/** The files of a revision and what is wrong with them. */
export interface Tree {
  readonly entries: readonly SnapshotEntry[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A name that needs more is refused; also bounds what is kept of an unfinished record. */
export const RECORD_BYTES_MAX = 8 * 1024;
const DIAGNOSTICS_MAX = 100;

/** One file as it was found; `mode` as Git writes it. */
export interface Found extends SnapshotEntry {
  readonly mode: string;
}

/**
 * The rules of names and sizes, the same for a revision and for a folder. Pure but for its own state. With an error
 * among the diagnostics nothing may be applied, so what was left out cannot be missed.
 */
export class Intake {
  readonly #limits: TreeLimits;
  readonly #entries: SnapshotEntry[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  /** folder and lower-cased name -> the name as written. */
  readonly #names = new Map<string, string>();
  #files = 0;
  #bytes = 0;
  #enough = false;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  /** A limit is passed: nothing more is looked at. */
  get enough(): boolean {
    return this.#enough;
  }

  /** Takes one file. */
  add({ path, mode, blob, sizeBytes }: Found): void {
    this.#count(sizeBytes);
    if (this.#enough || !this.#acceptable(path, mode)) return;
    if (sizeBytes > this.#limits.fileBytesMax) this.#tooLarge(path, sizeBytes);
    else this.#entries.push({ path, blob, sizeBytes });
  }

  /** A name that cannot be read as text. */
  addUnreadable(name: Buffer): void {
    const shown = printable(name.toString('latin1'));
    this.#wrong(shown, 'wrong-name', `the name of \`${shown}\` is not UTF-8`);
  }

  /** What goes on behind this is not looked at, and nothing of it counts. */
  stop(message: string): void {
    this.#enough = true;
    this.#diagnostics.unshift({ severity: 'error', code: 'too-large', message });
  }

  /** The result, once everything was taken. Where a limit was passed there are no entries at all. */
  finish(): Tree {
    return { entries: this.#enough ? [] : inOrder(this.#entries), diagnostics: this.#diagnostics };
  }

  #count(sizeBytes: number): void {
    const { filesMax, bytesMax } = this.#limits;
    this.#files += 1;
    this.#bytes += sizeBytes;
    if (this.#files > filesMax) this.stop(`more than ${filesMax} files`);
    else if (this.#bytes > bytesMax) {
      this.stop(`the files are larger than ${bytesMax} bytes together`);
    }
  }

  #acceptable(path: string, mode: string): boolean {
    const shown = printable(path);
    if (mode === '120000') {
      this.#wrong(shown, 'symlink', `\`${shown}\` is a symbolic link`, 'put the file itself here');
      return false;
    }
    if (mode === '160000') {
      const hint = 'put the files themselves here';
      this.#wrong(shown, 'submodule', `\`${shown}\` is a submodule`, hint);
      return false;
    }
    if (!mode.startsWith('100')) {
      this.#wrong(shown, 'wrong-value', `\`${shown}\` has the unknown mode ${mode}`);
      return false;
    }
    return this.#wellNamed(path, shown);
  }

  #wellNamed(path: string, shown: string): boolean {
    if (hasControl(path)) {
      this.#wrong(shown, 'wrong-name', `the name \`${shown}\` holds a control character`);
      return false;
    }
    let folder = '';
    for (const part of path.split('/')) {
      if (part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git') {
        this.#wrong(shown, 'wrong-name', `\`${shown}\` holds the part \`${part}\``);
        return false;
      }
      const key = `${folder}/${part.normalize('NFC').toLowerCase()}`;
      const known = this.#names.get(key);
      if (known !== undefined && known !== part) {
        const message = `\`${folder}/${part}\` and \`${folder}/${known}\` differ only in case`;
        this.#wrong(shown, 'name-conflict', message.replaceAll('`/', '`'));
        return false;
      }
      this.#names.set(key, part);
      folder = folder === '' ? part : `${folder}/${part}`;
    }
    return true;
  }

  #tooLarge(path: string, sizeBytes: number): void {
    // A document that is left out would look as if it had been removed. Anything else is missed where it is named.
    const severity = /\.ya?ml$/iu.test(path) ? 'error' : 'warning';
    this.#add({
      severity,
      code: 'too-large',
      message: `\`${path}\` has ${sizeBytes} bytes; files above ${this.#limits.fileBytesMax} are not read`,
      place: placeOfFile(path),
    });
  }

  #wrong(file: string, code: DiagnosticCode, message: string, hint?: string): void {
    const place = placeOfFile(file);
    this.#add({ severity: 'error', code, message, place, ...(hint === undefined ? {} : { hint }) });
  }

  #add(diagnostic: Diagnostic): void {
    // The bound must never swallow the only error, or a revision with holes would pass for a good one.
    if (this.#diagnostics.length < DIAGNOSTICS_MAX) this.#diagnostics.push(diagnostic);
    else if (diagnostic.severity === 'error') this.#diagnostics[DIAGNOSTICS_MAX - 1] = diagnostic;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Pure. A name or a record as text; undefined where it is not UTF-8. */
export function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Git lists in order; a tree that was made by hand, or a folder, may not be. */
function inOrder(entries: readonly SnapshotEntry[]): readonly SnapshotEntry[] {
  for (let index = 1; index < entries.length; index += 1) {
    const before = entries[index - 1];
    const after = entries[index];
    if (before !== undefined && after !== undefined && byPath(before, after) > 0) {
      return entries.toSorted(byPath);
    }
  }
  return entries;
}

/** Bytewise, as git sorts: UTF-16 order differs from it above U+FFFF. */
function byPath(a: SnapshotEntry, b: SnapshotEntry): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}

/** Pure. A name as it can be shown: control characters escaped, at most 200 characters. */
export function printable(name: string): string {
  let shown = '';
  for (const character of name.slice(0, 200)) {
    shown += hasControl(character)
      ? `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`
      : character;
  }
  return name.length > 200 ? `${shown}…` : shown;
}
