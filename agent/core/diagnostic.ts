import type { DiagnosticCode } from './codes.ts';

/** A position in a file of the repository. Lines and columns count from 1; columns in UTF-16 units. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many columns to underline, at least 1, within the line. */
  readonly length: number;
  /** The line as written, without its end; empty where the file has none. What looks like a secret is `[secret]`. */
  readonly quoted: string;
  /** The column at which `quoted` begins, where a long line was cut. Absent = 1. */
  readonly quotedFrom?: number;
  /** Where in the document, as people write it: `services.web.ports[0]`. */
  readonly path?: string;
}

/** A mistake in the repository: what, where, and what to write instead. Collected, never thrown. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** A readable slug with a section in docs/errors.md. */
  readonly code: DiagnosticCode;
  /** Stands alone: no capital, no full stop, identifiers in backticks. Never contains a secret. */
  readonly message: string;
  readonly place?: Place;
  readonly hint?: string;
}

/** Pure. The beginning of a file, for mistakes that concern all of it. */
export function placeOfFile(file: string): Place {
  return { file, line: 1, column: 1, length: 1, quoted: '' };
}

/** Pure. Orders diagnostics by file, line and column; what has no place comes first. For `toSorted`. */
export function byPlace({ place: one }: Diagnostic, { place: other }: Diagnostic): number {
  if (one === undefined || other === undefined) {
    return Number(one !== undefined) - Number(other !== undefined);
  }
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}
