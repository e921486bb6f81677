import { z } from 'zod';

import { valueIn } from './asking.ts';
import type { Ceph } from './driver.ts';

const Option = z.union([z.boolean(), z.string()]);

/**
 * Whether monitors let pools be deleted, as the configuration database has it. Undefined: who may not ask is not told. Rejects with the
 * signal's reason.
 */
export async function mayPoolsGo(ceph: Ceph, signal: AbortSignal): Promise<boolean | undefined> {
  const words = { prefix: 'config get', who: 'mon', key: 'mon_allow_pool_delete' };
  const answer = await ceph.call({ to: 'mon', words }, signal);
  if (answer.status !== 'ok') return undefined;
  const read = valueIn(answer.value, Option);
  return 'value' in read ? String(read.value) === 'true' : undefined;
}
