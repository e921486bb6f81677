import type { LongVolume } from '../../../../schemas/compose-service.ts';

/** A volume in its short form, as its long form, or why it cannot be read. */
export type ParsedVolume =
  | { readonly volume: LongVolume; readonly ignored: readonly string[]; readonly drive?: true }
  | { readonly problem: string; readonly hint: string };

const FORM = 'write `SOURCE:TARGET` or `SOURCE:TARGET:ro`';
const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);

/** Pure. `[source:]target[:options]` as the Docker CLI reads it. */
export function parseVolume(text: string): ParsedVolume {
  if (text === '') return { problem: 'the volume is empty', hint: FORM };
  if (Buffer.byteLength(text) <= 2)
    return { volume: { type: 'volume', target: text }, ignored: [] };
  const parts = partsOf(text);
  if (parts.includes('')) return { problem: 'there is an empty part between colons', hint: FORM };
  const [source = '', target, options, ...more] = parts;
  if (more.length > 0) return { problem: 'there are too many colons', hint: FORM };
  const drive = parts.some(hasDrive) ? ({ drive: true } as const) : {};
  if (target === undefined) {
    return { volume: { type: 'volume', target: source }, ignored: [], ...drive };
  }
  const type = isPath(source) ? 'bind' : 'volume';
  return { ...withOptions({ type, source, target }, options), ...drive };
}

/** A single letter before a colon is a Windows drive to the CLI, so that it never names a volume. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  for (const part of text.split(':')) {
    const before = parts.at(-1);
    if (before !== undefined && /^\p{L}$/u.test(before))
      parts[parts.length - 1] = `${before}:${part}`;
    else parts.push(part);
  }
  return parts;
}

function hasDrive(part: string): boolean {
  return /^\p{L}:/u.test(part);
}

function withOptions(volume: LongVolume, options: string | undefined) {
  const ignored: string[] = [];
  let whole = volume;
  for (const option of options?.split(',') ?? []) {
    if (option === 'ro' || option === 'rw') whole = { ...whole, read_only: option === 'ro' };
    else if (option === 'nocopy') whole = { ...whole, volume: { nocopy: true } };
    else if (propagations.has(option)) whole = { ...whole, bind: { propagation: option } };
    else ignored.push(option);
  }
  return { volume: whole, ignored };
}

/** Pure. True for what the CLI takes as a path of the node and not as the name of a volume. */
export function isPath(source: string): boolean {
  return /^[./~]|^\\\\/.test(source) || hasDrive(source);
}
