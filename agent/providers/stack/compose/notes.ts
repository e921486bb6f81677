import type { DiagnosticCode } from '../../../core/codes.ts';
import type { Diagnostic, Place } from '../../../core/diagnostic.ts';
import { diagnosticsMax } from '../../../core/limits.ts';
import type { Located, Path } from '../../../core/parse.ts';
import { pathText } from '../../../core/path.ts';
import type { AllowRules } from '../../../core/surroundings.ts';

/** What is noted, whichever file it is about. */
interface Kept {
  readonly diagnostics: Map<string, Diagnostic>;
  /** Places whose value is not known because of a mistake: what follows from it there is not told. */
  readonly broken: Set<string>;
  /** What Docker takes although it can hardly work is a warning. */
  readonly unworkable: boolean;
}

/** Collects what the files of one stack get wrong: each mistake once, at its place, and up to a limit. */
export class Notes {
  readonly #located: Located;
  readonly #kept: Kept;

  constructor(located: Located, kept: Kept) {
    this.#located = located;
    this.#kept = kept;
  }

  /** Notes about a first file, under a policy. */
  static of(located: Located, { unworkable }: Pick<AllowRules, 'unworkable'>): Notes {
    return new Notes(located, { diagnostics: new Map(), broken: new Set(), unworkable });
  }

  /** The same notes, with the paths of another document. */
  within(located: Located): Notes {
    return located === this.#located ? this : new Notes(located, this.#kept);
  }

  /** A mistake in the value at `path`. */
  error(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.isFull || this.isBroken(path)) return;
    if (code === 'missing-key' && this.#explains(path)) return;
    this.#note('error', code, { path, on: 'value', message, hint });
  }

  /** A mistake after which the value at `path` is not known. */
  breakAt(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.isFull) return;
    this.#note('error', code, { path, on: 'value', message, hint });
    this.#kept.broken.add(this.#placeOf(path));
  }

  /** True where nothing more is kept: there is an error anyway, so nothing more needs to be looked for. */
  get isFull(): boolean {
    return this.#kept.diagnostics.size > diagnosticsMax;
  }

  /** True where `breakAt` was called: whatever is said about this value would be a consequence. */
  isBroken(path: Path): boolean {
    return (
      this.isFull || (this.#kept.broken.size > 0 && this.#kept.broken.has(this.#placeOf(path)))
    );
  }

  /** A mistake in the key at `path`: it should not be there, or is called wrongly. */
  errorAtKey(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.isFull || (code === 'missing-key' && this.#explains(path))) return;
    this.#note('error', code, { path, on: 'key', message, hint });
  }

  /** What Docker takes and that can hardly work: a mistake, unless the policy allows it. */
  unworkable(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.#kept.unworkable) this.warn(code, path, message, hint);
    else this.error(code, path, message, hint);
  }

  /** The same about the key at `path`. */
  unworkableKey(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.#kept.unworkable) this.warnAtKey(code, path, message, hint);
    else this.errorAtKey(code, path, message, hint);
  }

  /** Something that works, but hardly as meant. */
  warn(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    this.#note('warning', code, { path, on: 'value', message, hint });
  }

  /** The same about the key at `path`. */
  warnAtKey(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    this.#note('warning', code, { path, on: 'key', message, hint });
  }

  /** What others found, but for what is wrong with values that are not known. */
  add(...diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      if (this.#kept.broken.has(keyOf(diagnostic))) continue;
      this.#keep(diagnostic);
    }
  }

  /** Where the value at `path` stands. */
  placeAt(path: Path): Place {
    return this.#located.place(path, 'value');
  }

  /** Everything noted; what several services share through an alias is there once. */
  all(): readonly Diagnostic[] {
    return [...this.#kept.diagnostics.values()];
  }

  #note(
    severity: Diagnostic['severity'],
    code: DiagnosticCode,
    what: { path: Path; on: 'key' | 'value'; message: string; hint: string | undefined },
  ): void {
    if (this.isFull) return;
    const place = this.#located.place(what.path, what.on);
    const { message, hint } = what;
    this.#keep({ severity, code, message, place, ...(hint === undefined ? {} : { hint }) });
  }

  #keep(diagnostic: Diagnostic): void {
    const key = JSON.stringify([diagnostic.code, diagnostic.message, keyOf(diagnostic)]);
    const size = this.#kept.diagnostics.size;
    if (size > diagnosticsMax || this.#kept.diagnostics.has(key)) return;
    if (size < diagnosticsMax) {
      this.#kept.diagnostics.set(key, diagnostic);
      return;
    }
    const message = `more than ${String(diagnosticsMax)} mistakes in this file, the others are not shown`;
    const place = this.#located.place([]);
    this.#kept.diagnostics.set('', { severity: 'error', code: 'too-large', message, place });
  }

  /** True where a mistake in the same mapping explains why a key of it is missing. */
  #explains(path: Path): boolean {
    const above = pathText(path);
    if (above === '') return false;
    for (const { severity, place } of this.#kept.diagnostics.values()) {
      const below = place?.path ?? '';
      const next = below.charAt(above.length);
      if (severity === 'error' && below.startsWith(above) && (next === '.' || next === '['))
        return true;
    }
    return false;
  }

  #placeOf(path: Path): string {
    return keyOf({ place: this.#located.place(path) });
  }
}

function keyOf({ place }: Pick<Diagnostic, 'place'>): string {
  return `${place?.file ?? ''}:${String(place?.line ?? 0)}:${String(place?.column ?? 0)}`;
}
