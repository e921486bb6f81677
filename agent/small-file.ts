import { constants, open } from 'node:fs/promises';

/** What stands in a file, or why it cannot be had: the system's name for it, or a few words. */
export type SmallFile = { readonly text: string } | { readonly text?: never; readonly why: string };

/** Reads a file of a few lines, such as a password or a certificate, each time that it is needed. Waits for no writer. Bytes. */
export async function readSmallFile(path: string, bytesMax: number): Promise<SmallFile> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytesMax + 1));
      if (bytesRead > bytesMax) return { why: 'it is too large' };
      return { text: buffer.toString('utf8', 0, bytesRead) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { why: error instanceof Error && 'code' in error ? String(error.code) : 'unreadable' };
  }
}

/** A password, without the end of its last line; it may have several lines, such as the key of a Google account. */
export async function readPassword(path: string): Promise<SmallFile> {
  const read = await readSmallFile(path, PASSWORD_BYTES_MAX);
  if (read.text === undefined) return read;
  const text = read.text.replace(/\r?\n$/, '');
  return text === '' ? { why: 'it is empty' } : { text };
}

const PASSWORD_BYTES_MAX = 64 * 1024;
