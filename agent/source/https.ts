import { hasControl } from './grammar.ts';
import { quoteForShell } from './shell.ts';

/** `repository.https` of the settings. */
export interface HttpsSettings {
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Who the agent is for the server. The secret stays in its file: it is read by credential.sh each time git asks. */
export interface Login {
  readonly username: string;
  /** Absolute path of a file with one line. */
  readonly secretFile: string;
  readonly setting: 'repository.https.tokenFile' | 'repository.https.passwordFile';
}

/** How a server is talked to over https. Without `login` as everybody, without `caFile` by the machine's authorities. */
export interface HttpsAccess {
  readonly login?: Login;
  readonly caFile?: string;
}

/** What is wrong with `repository.https`, and the key to look at. */
export interface HttpsRefusal {
  readonly key: keyof HttpsSettings;
  readonly refused: string;
  readonly hint: string;
}

/** A token needs a user name beside it. GitHub documents this one; GitLab, Forgejo and Gitea take any. */
const TOKEN_USER = 'x-access-token';
/** Git's helper; see there. */
const HELPER = `${import.meta.dirname}/credential.sh`;
/** A line that brings less than one byte a second for so long is dead: git itself sends one every five seconds while it packs. */
const SILENCE_S = 60;

/** Pure. The settings as an access, or what is wrong with them. Says nothing about the files themselves. */
export function readHttps(settings: HttpsSettings): HttpsAccess | HttpsRefusal {
  const { tokenFile, username, passwordFile, caFile } = settings;
  const rest = caFile === undefined ? {} : { caFile };
  if (tokenFile !== undefined) {
    const other = passwordFile === undefined ? 'username' : 'passwordFile';
    if (settings[other] !== undefined) {
      const hint = 'a token that needs a user name of its own is a password: write `username` and `passwordFile`'; // prettier-ignore
      return { key: other, refused: `\`${other}\` stands beside \`tokenFile\``, hint };
    }
    const setting = 'repository.https.tokenFile';
    return { ...rest, login: { username: TOKEN_USER, secretFile: tokenFile, setting } };
  }
  if (username === undefined && passwordFile === undefined) return rest;
  const hint = 'a login is `tokenFile`, or `username` and `passwordFile`';
  if (username === undefined) {
    return { key: 'passwordFile', refused: '`passwordFile` has no `username`', hint };
  }
  if (passwordFile === undefined) {
    return { key: 'username', refused: '`username` has no `passwordFile`', hint };
  }
  if (hasControl(username) || username.includes(':')) {
    const refused = '`username` holds a colon or a control character';
    return { key: 'username', refused, hint: 'no server takes such a name' };
  }
  const setting = 'repository.https.passwordFile';
  return { ...rest, login: { username, secretFile: passwordFile, setting } };
}

/**
 * Pure. Git's configuration for one server. `origin` is `https://host:port`: no other server is told the secret. With a
 * `caFile` only that counts, so `noAuthorities` must be an empty folder: git has no other way to forget the machine's.
 */
export function httpsConfiguration(
  origin: string,
  { login, caFile }: HttpsAccess,
  noAuthorities: string,
): readonly (readonly [string, string])[] {
  return [
    // Another host would be told who we are, and what it says would be followed.
    ['http.followRedirects', 'false'],
    ['http.sslVerify', 'true'],
    // This one or a later one.
    ['http.sslVersion', 'tlsv1.2'],
    // None, whatever the environment says.
    ['http.proxy', ''],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(SILENCE_S)],
    ...(caFile === undefined
      ? []
      : ([
          ['http.sslCAInfo', caFile],
          ['http.sslCAPath', noAuthorities],
        ] as const)),
    ...(login === undefined ? [] : [[`credential.${origin}.helper`, helper(login)] as const]),
  ];
}

/** The command that git runs through a shell, with `get` behind it. */
function helper({ username, secretFile }: Login): string {
  return `!${['/bin/sh', HELPER, username, secretFile].map(quoteForShell).join(' ')}`;
}
