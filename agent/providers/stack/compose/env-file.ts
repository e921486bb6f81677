import { isUtf8 } from 'node:buffer';

import type { Diagnostic, Place } from '../../../core/diagnostic.ts';

/** One line of an env_file. Without `value`: the name stands alone. */
export interface EnvLine {
  readonly key: string;
  readonly value?: string;
  readonly place: Place;
}

/** Longest line the Docker CLI reads. */
const LINE_BYTES_MAX = 65_536;

/**
 * Pure. Reads an env_file as the Docker CLI does: `KEY=VALUE` a line, `#` comments, quotes are part of the value,
 * white space at the end, too. Values are never quoted in diagnostics: such files hold passwords.
 */
export function readEnvFile(
  file: string,
  bytes: Uint8Array,
): { readonly lines: readonly EnvLine[]; readonly diagnostics: readonly Diagnostic[] } {
  const lines: EnvLine[] = [];
  const diagnostics: Diagnostic[] = [];
  const text = decode(bytes);
  if (text === undefined) {
    const place = { file, line: 1, column: 1, length: 1, quoted: '' };
    const message = 'the file is not text in UTF-8';
    return { lines, diagnostics: [{ severity: 'error', code: 'syntax', message, place }] };
  }
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.endsWith('\r') ? written.slice(0, -1) : written;
    const content = line.replace(/^[\s\u0085]+/u, '');
    if (content === '' || content.startsWith('#')) continue;
    const equals = content.indexOf('=');
    const key = equals < 0 ? content : content.slice(0, equals);
    const column = line.length - content.length + 1;
    const place = {
      file,
      line: index + 1,
      column,
      length: Math.max(1, key.length),
      quoted: line.slice(0, column - 1) + key,
    };
    const problem =
      Buffer.byteLength(line) >= LINE_BYTES_MAX
        ? 'the line is longer than 65,535 bytes'
        : problemOf(key);
    if (problem !== undefined)
      diagnostics.push({
        severity: 'error',
        code: 'syntax',
        message: problem,
        place,
        hint: 'write `KEY=VALUE`',
      });
    else lines.push(equals < 0 ? { key, place } : { key, value: content.slice(equals + 1), place });
  }
  return { lines, diagnostics };
}

function problemOf(key: string): string | undefined {
  if (key === '') return 'there is no name before `=`';
  return /[ \t]/.test(key) ? 'the name of a variable must not contain white space' : undefined;
}

function decode(bytes: Uint8Array): string | undefined {
  // A byte order mark is dropped by the decoder.
  const text = new TextDecoder('utf-8').decode(bytes);
  return text.includes('\ufffd') && !isUtf8(bytes) ? undefined : text;
}
