/** One entry of an archive. */
export type TarEntry =
  | { readonly type: 'folder'; readonly path: string; readonly mode?: number }
  | { readonly type: 'file'; readonly path: string; readonly data: Buffer; readonly mode?: number }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

const block = 512;
const flags = { file: '0', link: '2', folder: '5' } as const;

/** Pure. A ustar archive; owners are root and times are zero, so that equal entries give equal bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = entry.type === 'file' ? entry.data : Buffer.alloc(0);
    return [
      header(entry, data.length),
      data,
      Buffer.alloc((block - (data.length % block)) % block),
    ];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(entry: TarEntry, bytes: number): Buffer {
  const name = entry.type === 'folder' ? `${entry.path}/` : entry.path;
  const target = entry.type === 'link' ? entry.target : '';
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(target) > 100) {
    throw new RangeError(`too long for the archive: ${name}`);
  }
  const mode =
    entry.type === 'link' ? 0o777 : (entry.mode ?? (entry.type === 'folder' ? 0o755 : 0o644));
  const head = Buffer.alloc(block);
  const put = (offset: number, text: string): number => head.write(text, offset, 'utf8');
  put(0, name);
  put(100, `${octal(mode, 7)}\0`);
  put(108, `${octal(0, 7)}\0`);
  put(116, `${octal(0, 7)}\0`);
  put(124, `${octal(bytes, 11)}\0`);
  put(136, `${octal(0, 11)}\0`);
  put(148, ' '.repeat(8)); // the sum counts its own field as blanks
  put(156, flags[entry.type]);
  put(157, target);
  put(257, 'ustar\u000000');
  const sum = head.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return head;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
