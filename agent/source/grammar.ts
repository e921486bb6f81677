/** What the source is told to follow, as far as a grammar can judge it. */
export interface Followed {
  readonly url: string;
  readonly branch: string;
  /** Folder inside the repository; `.` is all of it. */
  readonly path: string;
  /** Whether a repository of this machine may be followed. */
  readonly local: boolean;
}

/** Why something is not followed: the end of a sentence. */
export interface Refusal {
  readonly refused: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** How a checked address is reached. `folder` is an absolute path of this machine. */
export type Remote =
  | { readonly transport: 'ssh'; readonly host: string }
  /** `origin`: `https://host:port` as written, to which alone a secret is told. */
  | { readonly transport: 'https'; readonly origin: string }
  | { readonly transport: 'file'; readonly folder: string };

/** Control characters: nothing that is shown or given to a program may hold one. */
// oxlint-disable-next-line no-control-regex -- finding them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u;

const URL_LENGTH_MAX = 1024;
const BRANCH_LENGTH_MAX = 200;
const PATH_LENGTH_MAX = 1024;

// No part may begin with `-`: ssh and git would read it as an option.
const USER = '[A-Za-z0-9_][A-Za-z0-9._-]*';
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?';
const SSH_URL = new RegExp(
  `^ssh://(?:${USER}@)?(${HOST}|\\[[0-9A-Fa-f:.]+\\])(?::([0-9]{1,5}))?(/.+)$`,
  'u',
);
// `git@host:path`. A path that begins with `:` would be git's `helper::address`.
const SSH_SHORT = new RegExp(`^${USER}@(${HOST}|\\[[0-9A-Fa-f:.]+\\]):([^:].*)$`, 'u');

const HTTPS_URL = new RegExp(
  `^(https://(${HOST}|\\[[0-9A-Fa-f:.]+\\])(?::([0-9]{1,5}))?)(/.+)$`,
  'u',
);

/** Pure. Whether the text holds a control character, also U+2028 and U+2029, which end a line for some readers. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/**
 * Pure. How a repository address is reached, or why it is refused (never quoting it: it may hold a password).
 * Everything that is not known to be good is refused: git reads `ext::command` and `--upload-pack=command` as programs to run.
 */
export function readUrl(url: string, local: boolean): Remote | Refusal {
  if (url.length > URL_LENGTH_MAX) return { refused: 'is too long' };
  if (hasControl(url)) return { refused: 'holds a control character' };
  if (/^https?:/iu.test(url)) return readWeb(url);
  const folder = url.startsWith('file:///') ? url.slice('file://'.length) : url;
  if (folder.startsWith('/')) return readFolder(folder, local);

  const parts = SSH_URL.exec(url);
  if (parts !== null) {
    const problem = portProblem(parts[2]) ?? encodedPathProblem(parts[3] ?? '', url);
    return problem ?? { transport: 'ssh', host: parts[1] ?? '' };
  }
  const short = SSH_SHORT.exec(url);
  if (short !== null && !url.includes('://')) {
    const problem = remotePathProblem(short[2] ?? '', url);
    return problem ?? { transport: 'ssh', host: short[1] ?? '' };
  }
  const forms = '`ssh://git@host/path`, `git@host:path` or `https://host/path`';
  return { refused: `is not of the form ${forms}` };
}

function readWeb(url: string): Remote | Refusal {
  if (/^http:/iu.test(url)) {
    const hint = 'write `https://`, or use ssh';
    return { refused: 'uses http, where anybody on the way may read and change everything', hint };
  }
  if (/^https:[/\\]*[^/\\?#]*@/iu.test(url)) {
    const hint =
      'write it without, and name a file in `repository.https`: `tokenFile`, or `username` and `passwordFile`';
    return { refused: 'holds a user name or a password', hint };
  }
  if (/[?#]/u.test(url)) return { refused: 'holds a `?` or a `#`' };
  const parts = HTTPS_URL.exec(url);
  if (parts === null) return { refused: 'is not of the form `https://host/path`' };
  const problem = portProblem(parts[3]) ?? encodedPathProblem(parts[4] ?? '', url);
  return problem ?? { transport: 'https', origin: parts[1] ?? '' };
}

function portProblem(port: string | undefined): Refusal | undefined {
  if (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)) return undefined;
  return { refused: 'names a port that does not exist' };
}

function encodedPathProblem(path: string, url: string): Refusal | undefined {
  const decoded = decodePath(path);
  if (decoded === undefined) return { refused: 'holds a percent sign that encodes nothing' };
  if (hasControl(decoded)) return { refused: 'holds an encoded control character' };
  return remotePathProblem(decoded, url);
}

/** `path` is as the server will see it. */
function remotePathProblem(path: string, url: string): Refusal | undefined {
  if (/\s/u.test(url)) return { refused: 'holds a space' };
  if (path.includes('\\')) return { refused: 'holds a `\\`' };
  const parts = path.split('/');
  if (parts.every((part) => part === '')) return { refused: 'names no repository on its host' };
  if (parts.includes('..')) return { refused: 'holds the part `..`' };
  if (parts.some((part) => part.startsWith('-'))) {
    return { refused: 'holds a part that begins with `-`' };
  }
  return undefined;
}

function readFolder(folder: string, local: boolean): Remote | Refusal {
  if (!local)
    return { refused: 'is a folder of this machine, which is followed with `--local` only' };
  if (folder.split('/').includes('..')) return { refused: 'holds the part `..`' };
  if (folder.includes('%')) return { refused: 'is a folder with a percent sign in its name' };
  return { transport: 'file', folder };
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Pure. Why this cannot be followed as a branch, if so: the rules of `git check-ref-format`, and nothing that could be an option. */
export function branchProblem(branch: string): string | undefined {
  if (branch === '') return 'is empty';
  if (branch.length > BRANCH_LENGTH_MAX) return 'is too long';
  if (hasControl(branch)) return 'holds a control character';
  if (branch.startsWith('-')) return 'begins with `-`';
  if (/[\s~^:?*[\\]/u.test(branch)) return 'holds a character that Git does not allow in a branch';
  if (branch.includes('..') || branch.includes('@{') || branch === '@') {
    return 'holds `..` or `@{`, which mean something else to Git';
  }
  if (branch.endsWith('.')) return 'ends with a full stop';
  for (const part of branch.split('/')) {
    if (part === '') return 'holds an empty part between slashes';
    if (part.startsWith('.')) return 'holds a part that begins with a full stop';
    if (part.endsWith('.lock')) return 'holds a part that ends with `.lock`';
  }
  return undefined;
}

/** Pure. Why this cannot be the followed folder, if so. `.` is the whole repository. */
export function pathProblem(path: string): string | undefined {
  if (path === '.') return undefined;
  if (path.length > PATH_LENGTH_MAX) return 'is too long';
  if (hasControl(path)) return 'holds a control character';
  if (path.startsWith('/')) return 'is absolute: give a folder inside the repository';
  if (path.startsWith('-')) return 'begins with `-`';
  for (const part of path.split('/')) {
    if (part === '') return 'holds an empty part between slashes';
    if (part === '.' || part === '..') return `holds the part \`${part}\``;
    if (part.toLowerCase() === '.git') return 'holds the part `.git`';
  }
  return undefined;
}

/** Pure. Everything about these settings that cannot be followed, by setting. */
export function followedProblems(
  followed: Followed,
): readonly (readonly [keyof Followed, Refusal])[] {
  const remote = readUrl(followed.url, followed.local);
  const branch = branchProblem(followed.branch);
  const path = pathProblem(followed.path);
  return [
    ...('refused' in remote ? [['url', remote] as const] : []),
    ...(branch === undefined ? [] : [['branch', { refused: branch }] as const]),
    ...(path === undefined ? [] : [['path', { refused: path }] as const]),
  ];
}

/** Pure. Why these settings cannot be followed, in one sentence, or how the repository is reached. */
export function readFollowed(followed: Followed): Remote | Refusal {
  const [first] = followedProblems(followed);
  if (first === undefined) return readUrl(followed.url, followed.local);
  const [key, { refused, hint }] = first;
  const more = hint === undefined ? '' : `: ${hint}`;
  return { refused: `\`repository.${key}\` ${refused}${more}` };
}
