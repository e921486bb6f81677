/** A floating point number as the file wrote it, told apart from an integer because Compose prints them differently. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A date or time, as the text that Compose (Go) makes of it: `2020-01-01 00:00:00 +0000 UTC`. */
export class Timestamp {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What one scalar of a YAML file can mean. Integers beyond 2^53 are bigint. */
export type ScalarValue = null | boolean | number | bigint | string | Float | Timestamp;

/** The standard YAML tags that a scalar may carry, without their prefix. */
export type ScalarTag = 'null' | 'bool' | 'int' | 'float' | 'timestamp' | 'str' | 'binary';

const words = new Map<string, null | boolean | Float>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['true', 'True', 'TRUE'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'FALSE'].map((word): [string, boolean] => [word, false]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, Float] => [word, new Float(NaN)]),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word): [string, Float] => [
    word,
    new Float(Infinity),
  ]),
  ...['-.inf', '-.Inf', '-.INF'].map((word): [string, Float] => [word, new Float(-Infinity)]),
]);

const floatForm = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/u;
const dotFloatForm = /^\.\d+(?:[eE][-+]?\d+)?$/u;
const intMin = -(2n ** 63n);
const intMax = 2n ** 63n - 1n;
const unsignedMax = 2n ** 64n - 1n;
const timeForm =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)?)?$/u;

/**
 * Pure. What a plain scalar means by the rules of go-yaml v3, which Compose files are written for: neither YAML 1.2
 * (`0440` is octal) nor YAML 1.1 (`yes` is a text, `22:22` too).
 */
export function resolvePlain(text: string): ScalarValue {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (text.startsWith('.')) return dotFloatForm.test(text) ? (toFloat(text) ?? text) : text;
  if (!/^[-+\d]/u.test(text)) return text;
  return toTimestamp(text) ?? toNumber(text) ?? text;
}

/** Pure. What a scalar with an explicit standard tag means; undefined where the text does not fit the tag. */
export function resolveTagged(text: string, tag: ScalarTag): ScalarValue | undefined {
  if (tag === 'str') return text;
  if (tag === 'binary') return decodeBase64(text);
  if (tag === 'timestamp') return toTimestamp(text);
  const value = /^[-+\d]/u.test(text) ? (words.get(text) ?? toNumber(text)) : resolvePlain(text);
  if (tag === 'float' && (typeof value === 'number' || typeof value === 'bigint')) {
    return new Float(Number(value));
  }
  return value !== undefined && tagOf(value) === tag ? value : undefined;
}

/** Pure. The text that Compose makes of a scalar where it expects a text; undefined for null, lists and mappings. */
export function goText(value: unknown): string | undefined {
  if (value instanceof Float) return floatText(value.value);
  if (value instanceof Timestamp) return value.text;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return undefined;
  return Number.isSafeInteger(value) ? String(value) : floatText(value);
}

function tagOf(value: ScalarValue): ScalarTag {
  if (value === null) return 'null';
  if (value instanceof Float) return 'float';
  if (value instanceof Timestamp) return 'timestamp';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'str' : 'int';
}

/** Integers first, with Go's prefixes, then floats; a number that neither holds stays a text. */
function toNumber(text: string): number | bigint | Float | undefined {
  const digits = text.replaceAll('_', '');
  return toInteger(digits) ?? (floatForm.test(digits) ? toFloat(digits) : undefined);
}

function toInteger(digits: string): number | bigint | undefined {
  const parts = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/u.exec(
    digits,
  );
  // Longer than any 64-bit number in binary: not worth the conversion, which is quadratic.
  if (parts === null || digits.length > 200) return undefined;
  const [, sign = '', hexadecimal, binary, octal, decimal] = parts;
  const magnitude = BigInt(
    prefixed('0x', hexadecimal) ??
      prefixed('0b', binary) ??
      prefixed('0o', octal) ??
      decimal ??
      '0',
  );
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < intMin || value > (sign === '' ? unsignedMax : intMax)) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function prefixed(prefix: string, digits: string | undefined): string | undefined {
  return digits === undefined ? undefined : prefix + digits;
}

function toFloat(text: string): Float | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? new Float(value) : undefined;
}

/** The four forms go-yaml knows. A date that the calendar does not have is none. */
function toTimestamp(text: string): Timestamp | undefined {
  const parts = timeForm.exec(text);
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', separator, hour = '0', minute = '0', second = '0'] =
    parts;
  const [fraction = '', zone] = parts.slice(8);
  // With a `T` the zone is required, with a space there is none.
  if (separator !== undefined && (separator === ' ') !== (zone === undefined)) return undefined;
  if (!isDay(Number(year), Number(month), Number(day))) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const shownZone = zoneText(zone ?? 'Z');
  if (shownZone === undefined) return undefined;
  const shownFraction = fraction.slice(0, 9).replace(/0+$/u, '');
  return new Timestamp(
    `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}` +
      `${shownFraction === '' ? '' : `.${shownFraction}`} ${shownZone}`,
  );
}

function isDay(year: number, month: number, day: number): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** Go allows offsets of up to 24:60 and prints the zone twice where it knows no name for it. */
function zoneText(zone: string): string | undefined {
  if (zone === 'Z') return '+0000 UTC';
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 24 || minutes > 60) return undefined;
  const total = hours * 60 + minutes;
  if (total === 0) return '+0000 UTC';
  const offset = `${zone.slice(0, 1)}${two(String(Math.floor(total / 60)))}${two(String(total % 60))}`;
  return `${offset} ${offset}`;
}

function two(digits: string): string {
  return digits.padStart(2, '0');
}

/** As Go prints `%v`: the fewest digits that identify it, with an exponent below -4 and from 6. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Text in base64, line breaks ignored; undefined where it is none or does not hold UTF-8. */
function decodeBase64(text: string): string | undefined {
  const compact = text.replaceAll(/[\r\n]/gu, '');
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/u.test(compact))
    return undefined;
  try {
    const bytes = Uint8Array.from(atob(compact), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
