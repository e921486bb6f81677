import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from '../reconcile/ports.ts';

/** Git writes several files for one commit; they are one change. */
const SETTLE_MS = 200;
/** `refs/heads/a/b/c`: branches below that are found by the interval. */
const DEPTH_MAX = 8;

/**
 * Watches the refs of a repository of this machine. `changed` only says "look now": at most five times a second, also when
 * nothing that matters moved, and where watching fails (no more watches, a network disk) the interval still finds everything.
 * The returned function ends the watching.
 */
export function watchRefs(
  repository: string,
  ports: { readonly clock: Clock; readonly changed: () => void },
): () => Promise<void> {
  const folder = gitFolder(repository);
  let cancel: (() => void) | undefined;
  const soon = (): void => {
    cancel ??= ports.clock.after(SETTLE_MS, () => {
      cancel = undefined;
      ports.changed();
    });
  };
  const watcher = watch([join(folder, 'refs', 'heads'), join(folder, 'packed-refs')], {
    followSymlinks: false,
    ignoreInitial: true,
    depth: DEPTH_MAX,
  });
  watcher.on('all', soon);
  watcher.on('error', () => undefined);
  return async () => {
    cancel?.();
    await watcher.close();
  };
}

/** A repository with a work tree has its refs in `.git`. */
function gitFolder(repository: string): string {
  const inside = join(repository, '.git');
  return existsSync(inside) && statSync(inside).isDirectory() ? inside : repository;
}
