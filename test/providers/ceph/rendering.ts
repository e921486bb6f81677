import type { Rendered } from '../../../agent/core/kind.ts';
import { renderRepository, type RepositoryOutcome } from '../../../agent/core/repository.ts';
import type { DocumentMemo } from '../../../agent/core/render-documents.ts';
import { cephDocuments } from '../../../agent/providers/ceph/documents.ts';
import type { CephSpec } from '../../../agent/providers/ceph/spec.ts';
import { mysqlDocuments } from '../../../agent/providers/mysql/documents.ts';
import type { MysqlSpec } from '../../../agent/providers/mysql/spec.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { type Contents, filesOf, small } from '../../fakes/repository.ts';

type Data = MysqlSpec | CephSpec;
export type Done = RepositoryOutcome<StackSpec | Data> & { status: 'rendered' };

interface More {
  readonly memo?: DocumentMemo<Data>;
  readonly environment?: string;
}

/** What is rendered of these files beside the smallest repository, with all folders of documents that there are. */
export function render(contents: Contents, { memo = new Map(), environment }: More = {}): Done {
  const outcome = renderRepository(
    filesOf({ ...small, ...contents }),
    environment ?? 'production',
    {
      kind: stackFolders,
      memo: new Map(),
      documents: { folders: [mysqlDocuments, cephDocuments], memo },
      readCron,
    },
  );
  if (outcome.status !== 'rendered') throw new Error(`incomplete: ${outcome.blobs.join()}`);
  return outcome;
}

/** A file of documents. */
export const ceph = (...documents: readonly string[]): Contents => ({
  'ceph/x.yaml': documents.join('---\n'),
});

/** One unit of what was rendered. */
export function unitIn({ units }: Done, id: string): Rendered<StackSpec | Data> {
  const unit = units.find((one) => one.id === id);
  if (unit === undefined) throw new Error(`no ${id}: ${units.map((one) => one.id).join()}`);
  return unit;
}

/** The documents of a cluster among what was rendered. */
export function specsIn({ units }: Done): readonly CephSpec[] {
  return units
    .map(({ spec }) => spec)
    .filter((spec): spec is CephSpec => 'kind' in spec && spec.kind.startsWith('Ceph'));
}
