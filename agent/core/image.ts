const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::\d+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/;
const PATH_MAX = 255;

const HUB = 'docker.io';

/** The name of an image. */
export interface ImageName {
  /** In the form that people write, with tag or digest. */
  readonly familiar: string;
  /** Host and port, `docker.io` where none is written; absent for an image id, which says no registry. */
  readonly registry?: string;
  /** It names a content, by digest or id. A tag alone may be moved to another one. */
  readonly pinned: boolean;
}

/** What an image reference names, or why it is none. */
export type ImageReference = ImageName | { readonly problem: string };

/**
 * Pure. Reads an image reference with Docker Hub's defaults, adds `:latest` where there is neither tag nor digest, and
 * gives the short form: `nginx` -> `nginx:latest`, `docker.io/library/nginx:1` -> `nginx:1`. An image id stays as it is.
 */
export function normalizeImage(text: string): ImageReference {
  if (/^[a-f0-9]{64}$/.test(text) || DIGEST.test(text)) return { familiar: text, pinned: true };
  const [named, digest] = cutAt(text, text.indexOf('@'));
  if (digest !== undefined && !DIGEST.test(digest)) {
    return { problem: 'its digest is not one of `sha256:` and 64 lower-case hexadecimal digits' };
  }
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const [rest, tag] = cutAt(
    isDomain ? named.slice(slash + 1) : named,
    (isDomain ? named.slice(slash + 1) : named).indexOf(':'),
  );
  const problem = problemOf(isDomain ? first : HUB, rest, tag);
  if (problem !== undefined) return { problem };
  const isHub = !isDomain || first === HUB || first === 'index.docker.io';
  const path = isHub ? rest.replace(/^library\/(?=[^/]+$)/, '') : `${first}/${rest}`;
  const shownTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return {
    familiar: `${path}${shownTag === undefined ? '' : `:${shownTag}`}${digest === undefined ? '' : `@${digest}`}`,
    registry: isHub ? HUB : first,
    pinned: digest !== undefined,
  };
}

function cutAt(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function problemOf(domain: string, path: string, tag: string | undefined): string | undefined {
  if (!DOMAIN.test(domain)) return `\`${domain}\` is not the name of a registry`;
  if (path !== path.toLowerCase()) return 'the name of an image must be in lower case';
  if (!path.split('/').every((part) => COMPONENT.test(part))) {
    return 'the name of an image consists of lower-case letters, digits, single `.` or `_`, `__` and `-`';
  }
  if (domain.length + 1 + path.length > PATH_MAX) {
    return `the name of an image has at most ${String(PATH_MAX)} characters`;
  }
  if (tag !== undefined && !TAG.test(tag)) {
    return 'a tag consists of letters, digits, `_`, `.` and `-`, at most 128 of them';
  }
  return undefined;
}
