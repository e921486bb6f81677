import { existsSync } from 'node:fs';
import { join } from 'node:path';

import * as folder from '../../../parity/folder.ts';
import type { Case } from '../../../parity/folder.ts';
import { convert } from '../../../parity/ours.ts';

export { requestsOf } from '../../../parity/ours.ts';
export type { Case } from '../../../parity/folder.ts';

/** Stack files of the real world with what the Docker CLI made of them; not part of the project. */
export const corpus = join(import.meta.dirname, '../../../../../shared/corpus');
export const isThere = existsSync(join(corpus, 'manifest.tsv'));

export const readCases = () => (isThere ? folder.readCases(corpus) : []);
export const expectedRequests = (id: string): any => folder.expectedRequests(corpus, id);
export const expectedStored = (id: string) => folder.expectedStored(corpus, id);

/** Renders a case as the CLI was run on it: in a folder two levels deep, with the variables of its `.env`. */
export function renderCase(one: Case, change?: (text: string) => string) {
  return convert(folder.readGiven(corpus, one), change);
}
