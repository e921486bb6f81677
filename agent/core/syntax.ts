import type { ErrorCode } from 'yaml';

const sentences: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'the name of an anchor or alias is missing or ends with `:`',
  BAD_DQ_ESCAPE: 'unknown escape after `\\` in double quotes',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'an anchor or tag stands before the `-`, `?` or `:` that it belongs behind',
  BAD_SCALAR_START: 'a value cannot begin with this character unless it is in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping or list must begin on a line of its own',
  BLOCK_IN_FLOW: 'inside of `[ ]` and `{ }` only the short forms can be used',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line, followed by `:`',
  MULTIPLE_ANCHORS: 'a value can have one anchor only',
  MULTIPLE_TAGS: 'a value can have one tag only',
  TAB_AS_INDENT: 'a tab cannot be used for indentation',
  TAG_RESOLVE_FAILED: 'the tag cannot be read',
};

const hints: Partial<Record<ErrorCode, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'put the value in quotes, or check the indentation of the next line',
  BAD_DQ_ESCAPE: 'write `\\\\` for a backslash, or use single quotes',
  BAD_SCALAR_START: 'put the value in quotes',
  TAB_AS_INDENT: 'use spaces',
};

/** Pure. Our words for a syntax error of the library; its own, in our form, where its code says too little. */
export function syntaxMessage(code: ErrorCode, text: string): { message: string; hint?: string } {
  const hint = hints[code];
  const sentence = sentences[code];
  const line = text.split('\n', 1)[0] ?? '';
  const message =
    sentence ?? `the YAML cannot be read: ${line.slice(0, 1).toLowerCase()}${line.slice(1, 200)}`;
  return { message, ...(hint !== undefined && { hint }) };
}
