import type { Metadata } from './metadata.ts';

/** Whether the value under these keys, from the top, is one that SOPS encrypts. */
export type Rule = (path: readonly string[]) => boolean;

const SUFFIX = '_unencrypted';

/** Pure. Which values a file has encrypted; or what of it cannot be followed. */
export function ruleOf(metadata: Partial<Metadata>): Rule | { readonly refused: string } {
  const {
    unencrypted_suffix: plainSuffix = '',
    encrypted_suffix: suffix = '',
    unencrypted_regex: plainRegex = '',
    encrypted_regex: regex = '',
  } = metadata;
  if ([plainSuffix, suffix, plainRegex, regex].filter((one) => one !== '').length > 1) {
    return { refused: 'it has more than one rule of what is encrypted' };
  }
  if (suffix !== '') return (path) => path.some((key) => key.endsWith(suffix));
  if (plainRegex !== '' || regex !== '') {
    const compiled = compile(plainRegex === '' ? regex : plainRegex);
    if (compiled === undefined) return { refused: 'its regular expression cannot be read' };
    const wanted = plainRegex === '';
    return (path) => path.some((key) => compiled.test(key)) === wanted;
  }
  const plain = plainSuffix === '' ? SUFFIX : plainSuffix;
  return (path) => !path.some((key) => key.endsWith(plain));
}

/** SOPS is written in Go: of what only its expressions know, the leading flags are understood. */
function compile(text: string): RegExp | undefined {
  const [, flags = '', rest = ''] = /^(?:\(\?([is]+)\))?(.*)$/s.exec(text) ?? [];
  try {
    return new RegExp(rest, [...new Set(`u${flags}`)].join(''));
  } catch {
    return undefined;
  }
}
