import { comparedKind, type Earlier } from './core/compared-kind.ts';
import { documentFields as cephFields } from './providers/ceph/document-lines.ts';
import { unknownClusters } from './providers/ceph/kind.ts';
import type { CephSpec } from './providers/ceph/spec.ts';
import { callOf as cephCall, targetOf as cephTarget } from './providers/ceph/unit-parts.ts';
import { documentFields as mysqlFields } from './providers/mysql/document-lines.ts';
import { unknownServers } from './providers/mysql/kind.ts';
import type { MysqlSpec } from './providers/mysql/spec.ts';
import { callOf as mysqlCall, targetOf as mysqlTarget } from './providers/mysql/unit-parts.ts';
import { stackKind } from './providers/stack/provider.ts';
import type { Kinds } from './unit-kind.ts';

interface OnServers {
  readonly onServers: Earlier<MysqlSpec>;
}
interface OnClusters {
  readonly onClusters: Earlier<CephSpec>;
}

/** All kinds for one who compares two revisions, and looks at no server and no cluster. */
export const comparedKinds: Kinds<OnServers, OnClusters> = {
  stacks: stackKind,
  servers: comparedKind({
    unlooked: unknownServers,
    earlier: ({ onServers }: OnServers) => onServers,
    fields: mysqlFields,
    about: (spec) => ({ target: mysqlTarget(spec), call: mysqlCall(spec, []) }),
  }),
  clusters: comparedKind({
    unlooked: unknownClusters,
    earlier: ({ onClusters }: OnClusters) => onClusters,
    fields: cephFields,
    about: (spec) => ({ target: cephTarget(spec), call: cephCall(spec, []) }),
  }),
};
