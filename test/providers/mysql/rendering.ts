import type { KeyProblem, Vault } from '../../../agent/core/sops/vault.ts';
import type { Rendered } from '../../../agent/core/kind.ts';
import type { DocumentMemo } from '../../../agent/core/render-documents.ts';
import { renderRepository, type RepositoryOutcome } from '../../../agent/core/repository.ts';
import { mysqlDocuments } from '../../../agent/providers/mysql/documents.ts';
import type { MysqlSpec, UserSpec } from '../../../agent/providers/mysql/spec.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { vaultOf, type Who } from '../../core/sealed-support.ts';
import { dataKey } from '../../core/sops/sops.ts';
import { type Contents, filesOf, small } from '../../fakes/repository.ts';

export type Done = RepositoryOutcome<StackSpec | MysqlSpec> & { status: 'rendered' };

interface More {
  readonly memo?: DocumentMemo<MysqlSpec>;
  readonly vault?: Vault;
  readonly key?: Uint8Array | KeyProblem;
  readonly environment?: string;
  readonly begin?: (file: string) => void;
}

/** What is rendered of these files beside the smallest repository, once all that waits is opened. */
export function render(contents: Contents, who: Who = 'holder', more: More = {}): Done {
  const vault = more.vault ?? vaultOf(who);
  const { memo = new Map(), begin } = more;
  const stacks = new Map();
  for (;;) {
    const files = filesOf({ ...small, ...contents });
    const outcome = renderRepository(files, more.environment ?? 'production', {
      kind: stackFolders,
      memo: stacks,
      documents: { folders: [mysqlDocuments], memo },
      readCron,
      vault,
      ...(begin && { begin }),
    });
    if (outcome.status === 'rendered') return outcome;
    if (vault.waiting.size === 0) throw new Error(`waits for nothing: ${outcome.blobs.join()}`);
    for (const blob of vault.waiting.keys()) vault.settle(blob, more.key ?? dataKey);
  }
}

/** A file of documents. */
export const mysql = (text: string): Contents => ({ 'mysql/x.yaml': text });

/** An environment with these keys. */
export const environment = (more: string): Contents => ({
  'environments/production.yaml': `kind: Environment\nname: production\n${more}`,
});

/** `code file:line (path) message = hint` of each mistake and warning. */
export function told({ diagnostics }: Pick<Done, 'diagnostics'>): readonly string[] {
  return diagnostics.map(({ severity, code, message, place, hint }) => {
    const at = `${place?.file ?? ''}:${String(place?.line ?? 0)} (${place?.path ?? ''})`;
    return `${severity}[${code}] ${at} ${message}${hint === undefined ? '' : ` = ${hint}`}`;
  });
}

/** One unit of what was rendered. */
export function unitIn({ units }: Done, id: string): Rendered<StackSpec | MysqlSpec> {
  const unit = units.find((one) => one.id === id);
  if (unit === undefined) throw new Error(`no ${id}: ${units.map((one) => one.id).join()}`);
  return unit;
}

/** The spec of a user. */
export function userIn(done: Done, id: string): UserSpec {
  const { spec } = unitIn(done, id);
  if (!('kind' in spec) || spec.kind !== 'MySQLUser') throw new Error(`${id} is no user`);
  return spec;
}
