import { type Clock, type Source, SourceError } from '../reconcile/ports.ts';
import { gitEnvironment } from './environment.ts';
import { checkHttpsFiles, checkSshFiles } from './files.ts';
import { makeEmptyFolder, makeMirrors, mirrorFolder } from './folders.ts';
import type { GitSettings } from './git-settings.ts';
import { GitSource } from './git-source.ts';
import { readFollowed, type Remote } from './grammar.ts';
import { type HttpsAccess, readHttps } from './https.ts';
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
  const server = serverOf(remote, settings);
  if (remote.transport === 'ssh') {
    if (settings.ssh === undefined) {
      throw new SourceError('`repository.ssh` is missing', { retry: 'never' });
    }
    await checkSshFiles(settings.ssh, closing.signal);
  }
  if (server !== undefined) await checkHttpsFiles(server.access, closing.signal);
  await makeMirrors(settings.stateDir, closing.signal);
  const folder = mirrorFolder(settings.stateDir, settings.url);
  const home =
    server === undefined
      ? settings.stateDir
      : await makeEmptyFolder(settings.stateDir, closing.signal);
  const environment = gitEnvironment({
    mirror: folder,
    home,
    transport: remote.transport,
    ...(settings.ssh === undefined ? {} : { ssh: settings.ssh }),
    ...(server === undefined ? {} : { https: { ...server, noAuthorities: home } }),
    fileBytesMax: settings.maxBytes,
  });
  const source = new GitSource(settings, {
    bench: { environment, clock: ports.clock },
    folder,
    closing,
    ...(server === undefined ? {} : { access: server.access }),
  });
  if (remote.transport === 'file' && ports.changed !== undefined) {
    const { clock, changed } = ports;
    source.onClose(watchRefs(remote.folder, { clock, changed }));
  }
  return source;
}

/** The one server that is talked to over https, and how. Throws `SourceError` where the settings contradict themselves. */
function serverOf(
  remote: Remote,
  settings: GitSettings,
): { readonly origin: string; readonly access: HttpsAccess } | undefined {
  if (remote.transport !== 'https') return undefined;
  const access = readHttps(settings.https ?? {});
  if ('refused' in access) {
    const { refused, hint } = access;
    throw new SourceError(`\`repository.https\`: ${refused}: ${hint}`, { retry: 'never' });
  }
  return { origin: remote.origin, access };
}
