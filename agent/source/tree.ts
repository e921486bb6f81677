import type { DiagnosticCode } from '../core/codes.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
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

/** The files of a revision and what is wrong with them. */
export interface Tree {
  readonly entries: readonly SnapshotEntry[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A name that needs more is refused; also bounds what is kept of an unfinished record. */
const RECORD_BYTES_MAX = 8 * 1024;
const DIAGNOSTICS_MAX = 100;

// 100644 blob 2f7a… 1234<TAB>stacks/web/compose.yaml
const RECORD = /^([0-7]{6}) ([a-z]+) ([0-9a-f]{40,64}) +(-|[0-9]+)\t(.+)$/su;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the output of `git ls-tree -r -z --long`, piece by piece, so that a tree of a million files is given up early.
 * Pure but for its own state. With an error among the diagnostics nothing may be applied, so what was left out cannot be missed.
 */
export class TreeListing {
  readonly #limits: TreeLimits;
  readonly #entries: SnapshotEntry[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  /** folder and lower-cased name -> the name as written. */
  readonly #names = new Map<string, string>();
  #rest: Buffer = Buffer.alloc(0);
  #files = 0;
  #bytes = 0;
  #enough = false;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  /** Takes the next piece. `enough`: a limit is passed, the rest would not be looked at. */
  push(piece: Uint8Array): 'more' | 'enough' {
    let buffer = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    for (let end = buffer.indexOf(0); end !== -1 && !this.#enough; end = buffer.indexOf(0)) {
      this.#record(buffer.subarray(0, end));
      buffer = buffer.subarray(end + 1);
    }
    this.#rest = Buffer.from(buffer);
    if (!this.#enough && this.#rest.length > RECORD_BYTES_MAX) {
      this.#stop('a file name is longer than 8 KiB', 'too-large');
    }
    return this.#enough ? 'enough' : 'more';
  }

  /** The result, once everything was pushed. Where a limit was passed there are no entries at all. */
  finish(): Tree {
    if (!this.#enough && this.#rest.length > 0)
      this.#stop('the listing ends in mid-name', 'too-large');
    return { entries: this.#enough ? [] : inOrder(this.#entries), diagnostics: this.#diagnostics };
  }

  #record(bytes: Buffer): void {
    if (bytes.length > RECORD_BYTES_MAX) {
      this.#stop('a file name is longer than 8 KiB', 'too-large');
      return;
    }
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      const name = printable(bytes.subarray(bytes.indexOf(9) + 1).toString('latin1'));
      this.#wrong(name, 'wrong-name', `the name of \`${name}\` is not UTF-8`);
      return;
    }
    const [, mode = '', , blob = '', size = '', path = ''] = RECORD.exec(text) ?? [];
    if (path === '') {
      this.#stop('the listing cannot be read', 'too-large');
      return;
    }
    this.#count(size);
    if (this.#enough || !this.#acceptable(path, mode)) return;
    const sizeBytes = Number(size);
    if (sizeBytes > this.#limits.fileBytesMax) this.#tooLarge(path, sizeBytes);
    else this.#entries.push({ path, blob, sizeBytes });
  }

  #count(size: string): void {
    const { filesMax, bytesMax } = this.#limits;
    this.#files += 1;
    this.#bytes += size === '-' ? 0 : Number(size);
    if (this.#files > filesMax) this.#stop(`more than ${filesMax} files`, 'too-large');
    else if (this.#bytes > bytesMax) {
      this.#stop(`the files are larger than ${bytesMax} bytes together`, 'too-large');
    }
  }

  #acceptable(path: string, mode: string): boolean {
    const shown = printable(path);
    if (mode === '120000') {
      this.#wrong(shown, 'symlink', `\`${shown}\` is a symbolic link`, 'put the file itself here');
      return false;
    }
    if (mode === '160000') {
      this.#wrong(
        shown,
        'submodule',
        `\`${shown}\` is a submodule`,
        'put the files themselves here',
      );
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
      code: 'too-large' satisfies DiagnosticCode,
      message: `\`${path}\` has ${sizeBytes} bytes; files above ${this.#limits.fileBytesMax} are not read`,
      place: placeOf(path),
    });
  }

  #wrong(file: string, code: DiagnosticCode, message: string, hint?: string): void {
    const place = placeOf(file);
    this.#add({ severity: 'error', code, message, place, ...(hint === undefined ? {} : { hint }) });
  }

  #stop(message: string, code: DiagnosticCode): void {
    this.#enough = true;
    this.#diagnostics.unshift({ severity: 'error', code, message });
  }

  #add(diagnostic: Diagnostic): void {
    // The bound must never swallow the only error, or a revision with holes would pass for a good one.
    if (this.#diagnostics.length < DIAGNOSTICS_MAX) this.#diagnostics.push(diagnostic);
    else if (diagnostic.severity === 'error') this.#diagnostics[DIAGNOSTICS_MAX - 1] = diagnostic;
  }
}

function placeOf(file: string): NonNullable<Diagnostic['place']> {
  return { file, line: 1, column: 1, length: 1, quoted: '' };
}

/** Git lists in order; a tree that was made by hand may not be. */
function inOrder(entries: SnapshotEntry[]): readonly SnapshotEntry[] {
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
