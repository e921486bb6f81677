import { join } from 'node:path';

import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';

/** What all stages run, fetched once before the files begin side by side. */
export async function setup(): Promise<void> {
  const packages = join(projectFolder, '.rehearsal', 'packages');
  await fetchTools(packages, () => undefined, AbortSignal.timeout(900_000));
}
