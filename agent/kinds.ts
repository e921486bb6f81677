import { withAccountSecrets } from './account-secrets.ts';
import { withKeys } from './client-keys.ts';
import { cephKind } from './providers/ceph/kind.ts';
import type { CephObserved } from './providers/ceph/unit-diff.ts';
import type { Random } from './providers/mysql/hash.ts';
import { mysqlKind } from './providers/mysql/kind.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';
import { stackKind } from './providers/stack/provider.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { Kinds } from './unit-kind.ts';

/** All kinds of units, for one who looks at where they live. `random`: for passwords. */
export function kindsWith(
  random: Random,
): Kinds<StackObserved & MysqlObserved, StackObserved & CephObserved> {
  return {
    stacks: stackKind,
    servers: withAccountSecrets(mysqlKind(random)),
    clusters: withKeys(cephKind),
  };
}
