import type { SealRules } from '../../agent/core/sops/encrypt.ts';
import { type KeyProblem, Vault } from '../../agent/core/sops/vault.ts';
import { renderRepository, type RepositoryOutcome } from '../../agent/core/repository.ts';
import type { ImageUse } from '../../agent/core/images-lock.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { type Contents, filesOf, small } from '../fakes/repository.ts';
import { dataKey, sealedText } from './sops/sops.ts';

export type Done = RepositoryOutcome<StackSpec> & { status: 'rendered' };

/** Who renders: with the key of everybody's files, or without any. */
export type Who = 'holder' | 'nobody' | 'passer-by';

/** A vault of `holder`, who opens what everybody may open; of `nobody`, who should have a key; of a `passer-by`. */
export function vaultOf(who: Who): Vault {
  const vault = new Vault();
  vault.use(who === 'holder' ? ['age1nobody'] : [], who === 'passer-by');
  return vault;
}

/** What is rendered once all that waits is opened. */
export function render(
  contents: Contents,
  who: Who = 'holder',
  more: { vault?: Vault; key?: Uint8Array | KeyProblem; images?: ImageUse[] } = {},
): Done {
  const vault = more.vault ?? vaultOf(who);
  const memo = new Map();
  for (;;) {
    const outcome = renderRepository(filesOf({ ...small, ...contents }), 'production', {
      kind: stackFolders,
      memo,
      readCron,
      vault,
      image: (use) => more.images?.push(use),
    });
    if (outcome.status === 'rendered') return outcome;
    if (vault.waiting.size === 0) throw new Error(`waits for nothing: ${outcome.blobs.join()}`);
    for (const blob of vault.waiting.keys()) vault.settle(blob, more.key ?? dataKey);
  }
}

/** A document of a repository, encrypted by rules; without any all of it. */
export function seal(path: string, text: string, rules: SealRules = {}): Contents {
  return { [path]: sealedText(path, text, { rules }) };
}

/** `code file:line` of each mistake and warning. */
export function told({ diagnostics }: Pick<Done, 'diagnostics'>): readonly string[] {
  return diagnostics.map(
    ({ code, place }) => `${code} ${place?.file ?? ''}:${String(place?.line ?? 0)}`,
  );
}
