import type { Case } from './folder.ts';
import { expectedMessages, expectedRequests, readCases, readGiven } from './folder.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import { convert } from './ours.ts';

/** One case and how we did. */
export interface Judged {
  readonly id: string;
  readonly files: readonly string[];
  readonly verdict: Verdict;
}

/** Compares our conversion of every case of a folder with what was recorded of the CLI. */
export function judgeFolder(folder: string): readonly Judged[] {
  return readCases(folder).map((one) => ({
    id: one.id,
    files: one.files,
    verdict: judgeCase(folder, one),
  }));
}

/** One of them. */
export function judgeCase(folder: string, one: Case): Verdict {
  const { accepted, id } = one;
  return judge(convert(readGiven(folder, one)), {
    accepted,
    messages: expectedMessages(folder, one),
    ...(accepted && { requests: expectedRequests(folder, id) }),
  });
}
