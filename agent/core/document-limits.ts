import type { Diagnostic } from './diagnostic.ts';
import { diagnosticsMax } from './limits.ts';

/**
 * As many mistakes and as many warnings as one file gives, whatever documents of it they are of; and one word about
 * the others. What is only a warning makes no mistake, however often it comes.
 */
export class FileLimits {
  readonly #left = { error: diagnosticsMax, warning: diagnosticsMax };

  take(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
    return diagnostics.flatMap((one) => {
      const left = this.#left[one.severity];
      this.#left[one.severity] = left - 1;
      if (left > 0) return [one];
      return left === 0 ? [others(one)] : [];
    });
  }
}

function others({ severity, place }: Diagnostic): Diagnostic {
  const what = severity === 'error' ? 'mistakes' : 'warnings';
  const message = `more than ${String(diagnosticsMax)} ${what} in this file, the others are not shown`;
  return { severity, code: 'too-large', message, ...(place && { place }) };
}
