/** Where in a document: keys of mappings and indexes of lists, from the top. */
export type Path = readonly (string | number)[];

/** Pure. A path as people write it: `services.web.ports[0]`, `labels["a.b"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[\w$@/-]+$/u.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

const secretWords =
  'passw(?:or)?d|passphrase|token|api[_-]?key|private[_-]?key|access[_-]?key|secret[_-]?key|[a-z\\d][_-](?:pass|pwd|secrets?|credentials?)';
const secretKey = new RegExp(`(?:${secretWords})$|^(?:pass|pwd|secret|credentials?)$`, 'iu');
/** What follows a key that looks secret, or the password in an address: `https://user:password@host`. */
const secretInLine = new RegExp(
  `(?:${secretWords})["']?[ \\t]*[:=][ \\t]*(?![{[*&|>$\\s])(?=\\S)|://[^\\s/@]{0,200}:(?=[^\\s/@]{1,200}@)`,
  'iu',
);

/** Pure. Whether the value of a key with this name must not be shown. */
export function looksSecret(key: string): boolean {
  return secretKey.test(key);
}

/** Pure. The line of a file with whatever follows a key that looks secret put out of sight. */
export function maskLine(line: string): string {
  const found = secretInLine.exec(line);
  return found === null ? line : `${line.slice(0, found.index + found[0].length)}[secret]`;
}
