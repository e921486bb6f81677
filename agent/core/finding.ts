/** How much a finding matters: `critical`: what runs is in danger, or nothing new can start. */
export type Severity = 'critical' | 'warning' | 'note';

/** Something that `understudy doctor` noticed about the world outside: not about the repository. */
export interface Finding {
  readonly severity: Severity;
  /** A slug with a line in docs/doctor.md. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly what: string;
  /** What it is about, as people name it: `network blog_default`, `node m2`. */
  readonly where: string;
  readonly why: string;
  readonly advice: string;
  /** To be read before it is typed; nothing here carries it out. */
  readonly command?: string;
}

const ORDER: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, note: 2 };

/** Pure. The worst first; those that matter alike in the order of their codes and places. */
export function sortedFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (one, other) =>
      ORDER[one.severity] - ORDER[other.severity] ||
      compared(one.code, other.code) ||
      compared(one.where, other.where),
  );
}

function compared(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Most names that a sentence lists. */
const LISTED_MAX = 8;

/** Pure. Names in a sentence: the first few, and how many more. */
export function namesInWords(names: readonly string[], max = LISTED_MAX): string {
  const more = names.length - max;
  return more > 0 ? `${names.slice(0, max).join(', ')} and ${String(more)} more` : names.join(', ');
}
