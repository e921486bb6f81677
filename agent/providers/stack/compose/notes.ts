import type { DiagnosticCode } from '../../../core/codes.ts';
import type { Diagnostic } from '../../../core/diagnostic.ts';
import { diagnosticsMax } from '../../../core/limits.ts';
import type { Located, Path } from '../../../core/parse.ts';
import { pathText } from '../../../core/path.ts';

/** Collects what one file gets wrong: each mistake once, at its place, and up to a limit. */
export class Notes {
  readonly #located: Located;
  readonly #diagnostics = new Map<string, Diagnostic>();
  /** Places whose value is not known because of a mistake: what follows from it there is not told. */
  readonly #broken = new Set<string>();

  constructor(located: Located) {
    this.#located = located;
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
    this.#broken.add(this.#placeOf(path));
  }

  /** True where nothing more is kept: there is an error anyway, so nothing more needs to be looked for. */
  get isFull(): boolean {
    return this.#diagnostics.size > diagnosticsMax;
  }

  /** True where `breakAt` was called: whatever is said about this value would be a consequence. */
  isBroken(path: Path): boolean {
    return this.isFull || (this.#broken.size > 0 && this.#broken.has(this.#placeOf(path)));
  }

  /** A mistake in the key at `path`: it should not be there, or is called wrongly. */
  errorAtKey(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    if (this.isFull || (code === 'missing-key' && this.#explains(path))) return;
    this.#note('error', code, { path, on: 'key', message, hint });
  }

  /** Something that works, but hardly as meant. */
  warn(code: DiagnosticCode, path: Path, message: string, hint?: string): void {
    this.#note('warning', code, { path, on: 'value', message, hint });
  }

  /** What others found, but for what is wrong with values that are not known. */
  add(...diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) {
      const { place } = diagnostic;
      if (place?.file === this.#located.file && this.#broken.has(keyOf(diagnostic))) continue;
      this.#keep(diagnostic);
    }
  }

  /** Everything noted; what several services share through an alias is there once. */
  all(): readonly Diagnostic[] {
    return [...this.#diagnostics.values()];
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
    const size = this.#diagnostics.size;
    if (size > diagnosticsMax || this.#diagnostics.has(key)) return;
    if (size < diagnosticsMax) {
      this.#diagnostics.set(key, diagnostic);
      return;
    }
    const message = `more than ${String(diagnosticsMax)} mistakes in this file, the others are not shown`;
    const place = this.#located.place([]);
    this.#diagnostics.set('', { severity: 'error', code: 'too-large', message, place });
  }

  /** True where a mistake in the same mapping explains why a key of it is missing. */
  #explains(path: Path): boolean {
    const above = pathText(path);
    if (above === '') return false;
    for (const { severity, place } of this.#diagnostics.values()) {
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
