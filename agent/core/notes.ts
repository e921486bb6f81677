import type { DiagnosticCode } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';
import { diagnosticsMax } from './limits.ts';
import type { Lines, Range } from './lines.ts';

/** Collects the mistakes of one file, up to a limit. */
export class Notes {
  readonly lines: Lines;
  /** Where in the document the next mistake is. */
  readonly path: (string | number)[] = [];
  readonly #found: Diagnostic[] = [];

  constructor(lines: Lines) {
    this.lines = lines;
  }

  /** Notes an error at a range of the text. */
  error(code: DiagnosticCode, range: Range, message: string, hint?: string): void {
    const place = this.lines.place(range, this.path);
    const found: Diagnostic = {
      severity: 'error',
      code,
      message,
      place,
      ...(hint !== undefined && { hint }),
    };
    if (this.#found.length < diagnosticsMax) this.#found.push(found);
    else if (this.#found.length === diagnosticsMax) {
      this.#found.push({
        severity: 'error',
        code: 'too-large',
        message: `more than ${diagnosticsMax} mistakes in this file, the others are not shown`,
        place,
      });
    }
  }

  /** Whether anything was noted. */
  get any(): boolean {
    return this.#found.length > 0;
  }

  /** What was noted, in the order of the text. */
  list(): readonly Diagnostic[] {
    return this.#found;
  }
}
