import { type Clock, type Source, SourceError } from '../reconcile/ports.ts';
import { gitEnvironment } from './environment.ts';
import { checkSshFiles, makeMirrors, mirrorFolder } from './folders.ts';
import type { GitSettings } from './git-settings.ts';
import { GitSource } from './git-source.ts';
import { readFollowed } from './grammar.ts';
import { watchRefs } from './watch.ts';

/**
 * Follows one branch of a Git repository. Throws `SourceError` where the settings are refused; no process is started then.
 * `changed` is called when a repository of this machine may have moved: it only says "look now".
 */
export async function openGitSource(
  settings: GitSettings,
  ports: { readonly clock: Clock; readonly changed?: () => void },
): Promise<Source> {
  const remote = readFollowed(settings);
  if ('refused' in remote) throw new SourceError(remote.refused, { retry: 'never' });
  if (!settings.stateDir.startsWith('/')) {
    throw new SourceError('`stateDir` is not an absolute path', { retry: 'never' });
  }
  const closing = new AbortController();
  if (remote.transport === 'ssh') {
    if (settings.ssh === undefined) {
      throw new SourceError('`repository.ssh` is missing', { retry: 'never' });
    }
    await checkSshFiles(settings.ssh, closing.signal);
  }
  await makeMirrors(settings.stateDir, closing.signal);
  const folder = mirrorFolder(settings.stateDir, settings.url);
  const environment = gitEnvironment({
    mirror: folder,
    home: settings.stateDir,
    transport: remote.transport,
    ...(settings.ssh === undefined ? {} : { ssh: settings.ssh }),
    fileBytesMax: settings.maxBytes,
  });
  const source = new GitSource(settings, { environment, clock: ports.clock }, folder, closing);
  if (remote.transport === 'file' && ports.changed !== undefined) {
    const { clock, changed } = ports;
    source.onClose(watchRefs(remote.folder, { clock, changed }));
  }
  return source;
}
