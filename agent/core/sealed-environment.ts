import type { Diagnostic } from './diagnostic.ts';
import type { Read } from './document.ts';
import { pathText } from './path.ts';
import type { Clears } from './sops/clears.ts';

/** Variables of an Environment that are encrypted. */
export interface SealedVariables {
  /** The Environment. */
  readonly file: string;
  readonly names: readonly string[];
  /** Nobody has the key here: each value is its ciphertext. */
  readonly locked: boolean;
}

/** What says nothing but which document it is. */
const OPEN = new Set(['kind', 'name', 'description', 'variables']);
const MISTAKES_MAX = 20;

/**
 * Pure. What of an Environment is encrypted and has to be in clear: all but its variables says what agents may do, and
 * nobody could review that.
 */
export function sealedPolicy({ located }: Read<unknown>): readonly Diagnostic[] {
  if (located?.sealed === undefined) return [];
  return located.sealed
    .filter(([key]) => typeof key !== 'string' || !OPEN.has(key))
    .slice(0, MISTAKES_MAX)
    .map((path) => ({
      severity: 'error',
      code: 'encrypted-document',
      message: `\`${pathText(path)}\` is encrypted: of an environment only \`variables\` can be`,
      place: { ...located.place(path), quoted: '' },
      hint: 'encrypt it with `--encrypted-regex "^variables$"`: what agents may do is reviewed',
    }));
}

/** Pure. Which variables of an Environment are encrypted; undefined: none. */
export function sealedVariables(
  { located }: Read<unknown>,
  clears: Clears | undefined,
): SealedVariables | undefined {
  const names = (located?.sealed ?? []).flatMap(([key, name]) =>
    key === 'variables' && typeof name === 'string' ? [name] : [],
  );
  if (located === undefined || names.length === 0) return undefined;
  return { file: located.file, names: names.toSorted(), locked: clears?.locked === true };
}
