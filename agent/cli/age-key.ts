import { keyFile } from '../age/key-file.ts';
import type { Rendered } from '../core/kind.ts';
import type { RendererOptions } from '../render/renderer.ts';

/** `--age-key-file`, for verbs that may decrypt. */
export const AGE_KEY = { 'age-key-file': { type: 'string' } } as const;

/** The same for their help. */
export const AGE_KEY_USAGE = `  --age-key-file PATH the key that opens encrypted files; default UNDERSTUDY_AGE_KEY_FILE, else SOPS_AGE_KEY_FILE`;

/** Stacks that one line names. */
const NAMED_MAX = 20;

/** Pure. The key file: as it is written, else from the environment; undefined: there is none. */
export function ageKeyFile(
  written: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { UNDERSTUDY_AGE_KEY_FILE: own, SOPS_AGE_KEY_FILE: sops } = environment;
  return [written, own, sops].find((one) => one !== undefined && one !== '');
}

/** How a command opens encrypted files: with a key file as an agent does, and without one not at all. */
export function opening(path: string | undefined): Pick<RendererOptions, 'keys' | 'mayStayLocked'> {
  return path === undefined ? { mayStayLocked: true } : { keys: keyFile(path) };
}

/** Pure. The same of several environments, which mostly have the same files: the first one that has any counts. */
export function firstLockedNote(
  reports: Iterable<{ readonly units: Iterable<Closable> }>,
): string | undefined {
  for (const { units } of reports) {
    const note = lockedNote(units);
    if (note !== undefined) return note;
  }
  return undefined;
}

/** What is known of a unit that may be closed. */
type Closable = Pick<Rendered<unknown>, 'id' | 'locked' | 'closed'>;

/** Pure. What is said of files that stayed closed; undefined: there are none. */
export function lockedNote(units: Iterable<Closable>): string | undefined {
  let files = 0;
  let stacks = 0;
  const closed: string[] = [];
  for (const { id, locked = 0, closed: isClosed } of units) {
    files += locked;
    stacks += Math.min(locked, 1);
    if (isClosed === true) closed.push(id);
  }
  if (files === 0) return undefined;
  const what = `${String(files)} encrypted file${files === 1 ? '' : 's'} of ${String(stacks)} stack${stacks === 1 ? '' : 's'}`;
  const note = `${what} not opened: only their form was checked; --age-key-file names a key`;
  const [first, ...more] = closed.toSorted();
  if (first === undefined) return note;
  const names = [first, ...more].slice(0, NAMED_MAX).join(', ');
  const rest = closed.length > NAMED_MAX ? ` and ${String(closed.length - NAMED_MAX)} more` : '';
  return `${note}; ${names}${rest} ${more.length > 0 ? 'are' : 'is'} encrypted: not compared without the key`;
}
