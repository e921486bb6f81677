import { Float, goText, resolvePlain, type ScalarValue, Timestamp } from '../scalars.ts';
import type { Clear } from './cipher.ts';

/** Pure. A value as SOPS hashes and encrypts it; undefined for one that it does not know. Null is never asked for. */
export function clearOf(value: ScalarValue, allFloats: boolean): Clear | undefined {
  if (typeof value === 'string') return { type: 'str', bytes: Buffer.from(value) };
  if (typeof value === 'boolean') return { type: 'bool', bytes: title(value) };
  if (value instanceof Float) return floatOf(value.value);
  if (value instanceof Timestamp || value === null) return undefined;
  if (allFloats) return floatOf(Number(value));
  return { type: 'int', bytes: Buffer.from(String(value)) };
}

function floatOf(value: number): Clear | undefined {
  return Number.isFinite(value)
    ? { type: 'float', bytes: Buffer.from(fixedText(value)) }
    : undefined;
}

/** Titles: the first version of SOPS was written in Python. */
function title(value: boolean): Buffer {
  return Buffer.from(value ? 'True' : 'False');
}

/** Pure. What SOPS hashes of an opened value. */
export function hashed({ type, bytes }: Clear): Uint8Array {
  const text = Buffer.from(bytes).toString();
  if (type === 'bool') return title(/^(?:1|t|true)$/i.test(text));
  return type === 'float' ? Buffer.from(fixedText(Number(text))) : bytes;
}

/** Pure. A number as Go prints it with `f` and the fewest digits: never with an exponent. */
export function fixedText(value: number): string {
  const [, sign = '', first = '', rest = '', power] =
    /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(String(value)) ?? [];
  if (power === undefined) return Object.is(value, -0) ? '-0' : String(value);
  const digits = first + rest;
  const point = Number(power) + 1;
  return point <= 0 ? `${sign}0.${'0'.repeat(-point)}${digits}` : sign + digits.padEnd(point, '0');
}

/** Pure. An opened value as a scalar of JSON, as Go prints it. */
export function jsonScalar({ type, bytes }: Clear): string {
  const text = Buffer.from(bytes).toString();
  switch (type) {
    case 'bool':
      return Buffer.from(hashed({ type, bytes })).toString().toLowerCase();
    case 'int':
      return text;
    case 'float':
      return JSON.stringify(Number(text));
    case 'str':
    case 'bytes':
    case 'comment':
    case 'time':
      // What a browser could take for a tag is escaped there.
      return JSON.stringify(text).replaceAll(
        /[<>&\u2028\u2029]/g,
        (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
  }
}

/** Pure. An opened value as a scalar of YAML. `indent`: of the lines of a block; undefined inside of brackets. */
export function yamlScalar(clear: Clear, indent: number | undefined): string {
  const text = Buffer.from(clear.bytes).toString();
  switch (clear.type) {
    case 'bool':
    case 'int':
      return jsonScalar(clear);
    case 'float':
      return goText(new Float(Number(text))) ?? text;
    case 'time':
      return text;
    case 'str':
    case 'bytes':
    case 'comment':
      return yamlText(text, indent);
  }
}

const oldBool = /^(?:y|yes|on|n|no|off)$/i;
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
// oxlint-disable-next-line no-control-regex
const unprintable = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** Go's YAML: plain where that is read as the same text, a block for several lines, else in quotes. */
function yamlText(text: string, indent: number | undefined): string {
  if (text.includes('\n')) {
    const fits = !unprintable.test(text) && !/ (?:\n|$)/.test(text);
    return fits && indent !== undefined ? block(text, indent) : JSON.stringify(text);
  }
  if (resolvePlain(text) !== text || oldBool.test(text) || base60.test(text)) {
    return JSON.stringify(text);
  }
  if (unprintable.test(text)) return JSON.stringify(text);
  return isPlain(text, indent === undefined) ? text : `'${text.replaceAll("'", "''")}'`;
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (/^[\s#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)|^---|^\.\.\.|:(?:\s|$)|\s#|\s$/.test(text))
    return false;
  return !inFlow || !/^[?:]|[,?[\]{}:]/.test(text);
}

function block(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '4' : '';
  const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
  const body = chomp === '-' ? text : text.slice(0, -1);
  const lines = body.split('\n').map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
  return `|${hint}${chomp}\n${lines.join('\n')}`;
}
