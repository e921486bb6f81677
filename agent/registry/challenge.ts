/** How a registry wants to be spoken to after a 401. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      /** Address of the server that gives tokens. */
      readonly realm: string;
      readonly service?: string;
      readonly scope?: string;
    };

const LENGTH_MAX = 4_096;

/** Pure. What `WWW-Authenticate` asks for: a token where it takes one. Undefined: nothing that is known here. */
export function challengeOf(header: string | null): Challenge | undefined {
  const text = (header ?? '').slice(0, LENGTH_MAX);
  // The name of a realm may be any text.
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, ({ length }) => '"'.repeat(length));
  const bearer = /(?:^|,)\s*bearer\s+(?=[a-z])/i.exec(bare);
  if (bearer !== null) {
    const found = parametersOf(text.slice(bearer.index + bearer[0].length));
    const [realm, service, scope] = ['realm', 'service', 'scope'].map((key) => found.get(key));
    if (realm === undefined) return undefined;
    const rest = {
      ...(service !== undefined && { service }),
      ...(scope !== undefined && { scope }),
    };
    return { scheme: 'bearer', realm, ...rest };
  }
  return /(?:^|,)\s*basic(?:\s|,|$)/i.test(bare) ? { scheme: 'basic' } : undefined;
}

/** Each by its first mention: a second challenge may follow. */
function parametersOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key = '', quoted, plain] of text.matchAll(
    /([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi,
  )) {
    const name = key.toLowerCase();
    if (!found.has(name)) found.set(name, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '');
  }
  return found;
}
