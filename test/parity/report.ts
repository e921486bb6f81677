import type { Judged } from './offline.ts';
import type { Verdict } from './judge.ts';

const kinds: readonly Verdict['kind'][] = [
  'equal',
  'different',
  'wrongly accepted',
  'wrongly refused',
];

/** Pure. The differences file by file, and the numbers in the last line. */
export function report(judged: readonly Judged[]): string {
  const lines = judged
    .filter(({ verdict }) => verdict.kind !== 'equal')
    .flatMap(({ files, verdict }) => [
      `${files.join(' + ')}: ${verdict.kind}`,
      ...verdict.lines.map((line) => `  ${line}`),
    ]);
  return [...lines, summary(judged)].join('\n');
}

/** Pure. `N equal, N different, N wrongly accepted, N wrongly refused`. */
export function summary(judged: readonly Judged[]): string {
  return kinds.map((kind) => `${String(count(judged, kind))} ${kind}`).join(', ');
}

/** Pure. The same for programs. */
export function reportJson(judged: readonly Judged[]): string {
  const totals = Object.fromEntries(kinds.map((kind) => [kind, count(judged, kind)]));
  return JSON.stringify({ cases: judged, totals }, undefined, 1);
}

/** Pure. Whether anything differs. */
export function isEqual(judged: readonly Judged[]): boolean {
  return judged.every(({ verdict }) => verdict.kind === 'equal');
}

function count(judged: readonly Judged[], kind: Verdict['kind']): number {
  return judged.filter(({ verdict }) => verdict.kind === kind).length;
}
