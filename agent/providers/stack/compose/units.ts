const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const NANOSECONDS_MAX = 2n ** 63n;

/** Pure. Nanoseconds of a Go duration such as `1m30s` or `1.5h`; negative ones too. Undefined where it is none. */
export function parseGoDuration(text: string): number | undefined {
  const form = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+|0)$/u.exec(
    text,
  );
  if (form === null || text.length > 100) return undefined;
  const [, sign, amount = ''] = form;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of amount.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/gu,
  )) {
    const nanoseconds = NANOSECONDS[unit] ?? 0;
    total += BigInt(whole === '' ? '0' : whole) * BigInt(nanoseconds);
    total += BigInt(Math.trunc(Number(`0.${fraction}`) * nanoseconds));
  }
  if (total > NANOSECONDS_MAX || (total === NANOSECONDS_MAX && sign !== '-')) return undefined;
  const signed = Number(total) * (sign === '-' ? -1 : 1);
  return signed === 0 ? 0 : signed;
}

/** Pure. Bytes of `64M`, `1.5g`, `10 MB` or `1024`: powers of 1024, truncated. Undefined where it is none. */
export function parseBytes(text: string): number | undefined {
  const form = /^(\d+\.?\d*|\.\d+) ?(?:b|([kmgtp])(?:i?b)?)?$/i.exec(text);
  if (form === null || text.endsWith(' ')) return undefined;
  const [, amount, unit] = form;
  const power = unit === undefined ? 0 : ' kmgtp'.indexOf(unit.toLowerCase());
  const bytes = Math.trunc(Number(amount) * 1024 ** power);
  return bytes < 2 ** 63 ? bytes : undefined;
}

/** Why a number of CPUs is none. */
export type CpusProblem = 'not a number' | 'too precise';

/** Pure. Billionths of a CPU: `0.5`, `1/4`, `1e-2`. Empty text is 0. */
export function parseCpus(text: string): number | CpusProblem {
  if (text === '') return 0;
  const ratio = parseRatio(text);
  if (ratio === undefined || ratio.below === 0n) return 'not a number';
  const scaled = ratio.above * 1_000_000_000n;
  if (scaled % ratio.below !== 0n) return 'too precise';
  const nanos = scaled / ratio.below;
  return nanos < 2n ** 63n && nanos > -(2n ** 63n) ? Number(nanos) : 'not a number';
}

const integer = '0x[\\da-f]+|0o[0-7]+|0b[01]+|0|[1-9]\\d*';
const ratioForm = new RegExp(`^([-+]?)(${integer})(?:/(${integer}))?$`);

function parseRatio(text: string): { above: bigint; below: bigint } | undefined {
  if (text.length > 60) return undefined;
  const digits = text.replaceAll(/(?<=[\da-f])_(?=[\da-f])/gi, '');
  const based = ratioForm.exec(digits.toLowerCase());
  if (based !== null) {
    const above = BigInt(based[2] ?? '0');
    return { above: based[1] === '-' ? -above : above, below: BigInt(based[3] ?? '1') };
  }
  const decimal = /^([-+]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([-+]?\d{1,3}))?$/i.exec(digits);
  if (decimal === null) return undefined;
  const [, sign, whole = '', after = '', only = '', exponent = '0'] = decimal;
  const fraction = after + only;
  const above = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power < 0
    ? { above, below: 10n ** BigInt(-power) }
    : { above: above * 10n ** BigInt(power), below: 1n };
}
