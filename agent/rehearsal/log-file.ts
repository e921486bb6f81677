import { open, stat, type FileHandle } from 'node:fs/promises';

/** A file that grows, read line by line. */
export interface Tail {
  /** The whole lines that were written since the last look. None while there is no file. */
  read(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A line longer than this is left out: nobody reads it, and it would be kept in memory. */
const lineBytesMax = 1024 * 1024;

/** Reads a file from `offset` bytes on. */
export function openTail(path: string, offset: number): Tail {
  let file: FileHandle | undefined;
  let position = offset;
  let rest = Buffer.alloc(0);
  const chunk = Buffer.alloc(64 * 1024);
  return {
    read: async () => {
      file ??= await open(path, 'r').catch(() => undefined);
      if (file === undefined) return [];
      const lines: string[] = [];
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
        if (bytesRead === 0) return lines;
        position += bytesRead;
        rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
          lines.push(rest.subarray(0, end).toString('utf8'));
          rest = rest.subarray(end + 1);
        }
        if (rest.length > lineBytesMax) rest = Buffer.alloc(0);
      }
    },
    close: async () => {
      await file?.close();
    },
  };
}

/** The whole lines of a file, of its last 4 MiB before the byte `end`; none where there is no file. */
export async function readLines(path: string, end = Infinity): Promise<readonly string[]> {
  const bytesMax = 4 * 1024 * 1024;
  const size = Math.min(end, await logSize(path));
  const start = Math.max(0, size - bytesMax);
  if (size === 0) return [];
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const all = bytes.subarray(0, bytesRead).toString('utf8').split('\n').slice(0, -1);
    return start === 0 ? all : all.slice(1);
  } finally {
    await file.close();
  }
}

/** Bytes in a file; 0 where there is none. */
export async function logSize(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
