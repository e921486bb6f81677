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

/** Deeper than any repository that is meant. */
const FOLDER_DEPTH_MAX = 12;

/**
 * Watches a folder with everything in it but Git's own. `changed` only says "look now", when nothing moved for a fifth of a
 * second; where watching fails it is not called. The returned function ends the watching.
 */
export function watchFolder(
  folder: string,
  ports: { readonly clock: Clock; readonly changed: () => void },
): () => Promise<void> {
  let cancel: (() => void) | undefined;
  const soon = (): void => {
    cancel?.();
    cancel = ports.clock.after(SETTLE_MS, ports.changed);
  };
  const watcher = watch(folder, {
    followSymlinks: false,
    ignoreInitial: true,
    depth: FOLDER_DEPTH_MAX,
    ignored: (path) => /[\\/](?:\.git|node_modules)(?:[\\/]|$)/.test(path.slice(folder.length)),
  });
  watcher.on('all', soon);
  // What was saved before everything is watched would be missed.
  watcher.on('ready', soon);
  watcher.on('error', () => undefined);
  return async () => {
    cancel?.();
    await watcher.close();
  };
}
