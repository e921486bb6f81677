import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long, the longest first: begun last, one alone would hold up the end of all. */
const LONG = [
  'e2e/rollback',
  'e2e/takeover',
  'e2e/removal',
  'e2e/deploy',
  'e2e/stage',
  'e2e/edges',
  'e2e/scene',
  'e2e/moved-tag',
  'e2e/mysql-servers',
  'e2e/mysql-outage-group',
  'reconcile/crash-points',
  'conformance/git',
  'conformance/renderer',
  'conformance/plan',
  'conformance/workflows',
];

/** Starts these files before the others, which need no order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return at === -1 ? LONG.length : at;
}
