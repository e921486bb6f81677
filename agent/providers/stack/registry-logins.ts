import { normalizeImage } from '../../core/image.ts';
import { Secret } from '../../core/secret.ts';
import { readPassword } from '../../small-file.ts';

/** `registries` of the settings: by host as the names of images have it, lower case. */
export type RegistrySettings = Readonly<
  Record<string, { readonly username: string; readonly passwordFile: string }>
>;

/** The value of `X-Registry-Auth`; undefined: none is sent. */
export type LoginHeader =
  | { readonly status: 'ok'; readonly header: Secret | undefined }
  | { readonly status: 'failed'; readonly why: string };

/** Who the agent is for registries. */
export interface RegistryLogins {
  /** The header for one image, for its own registry and no other. */
  headerFor(image: string): Promise<LoginHeader>;
}

/** Without any login. */
export const noLogins: RegistryLogins = {
  headerFor: async () => ({ status: 'ok', header: undefined }),
};

/** No login: the engine stores it in place of the one it has. */
export const emptyLogin = headerOf({});

/** As the Docker CLI names Docker Hub in it. */
const HUB_ADDRESS = 'https://index.docker.io/v1/';

/** Logins by the settings. A password is read each time that it is needed: a file with a new one counts at once. */
export function registryLogins(settings: RegistrySettings): RegistryLogins {
  return {
    headerFor: async (image) => {
      const host = registryOf(image);
      const login =
        host !== undefined && Object.hasOwn(settings, host) ? settings[host] : undefined;
      if (host === undefined || login === undefined) return { status: 'ok', header: undefined };
      const { username, passwordFile } = login;
      const read = await readPassword(passwordFile);
      if (read.text === undefined) {
        const why = `the password for the registry ${host} cannot be read: ${passwordFile}: ${read.why}`;
        return { status: 'failed', why };
      }
      const serveraddress = host === 'docker.io' ? HUB_ADDRESS : host;
      const header = headerOf({ username, password: read.text, serveraddress });
      return { status: 'ok', header };
    },
  };
}

/** Pure. The host of an image's registry, lower case; undefined where the image says none. */
export function registryOf(image: string): string | undefined {
  const read = normalizeImage(image);
  return 'problem' in read ? undefined : read.registry?.toLowerCase();
}

/** The engine wants the alphabet of URLs, and the padding. */
function headerOf(login: object): Secret {
  const text = Buffer.from(JSON.stringify(login)).toString('base64');
  return new Secret(text.replaceAll('+', '-').replaceAll('/', '_'));
}
