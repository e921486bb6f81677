import type { DiagnosticCode } from '../../core/codes.ts';
import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import type { OpenedFile } from '../../core/document-kind.ts';
import { type Located, parseYaml, type Path } from '../../core/parse.ts';
import { Secret } from '../../core/secret.ts';
import { suggest } from '../../core/suggest.ts';

/** One text of an encrypted file, and where that is asked for. */
export interface SealedQuestion {
  readonly file: string;
  /** Keys of mappings with dots between them. */
  readonly key: string;
  /** Where the file is named, and the key. */
  readonly places: { readonly file: Place; readonly key: Place };
}

/** The text, or why it cannot be had. `words`: all that was decrypted. */
export type SealedAnswer =
  | { readonly status: 'opened'; readonly text: Secret; readonly words: readonly string[] }
  /** Nobody has to have the key here: it is there, and encrypted. */
  | { readonly status: 'locked' }
  /** Its data key is asked for. */
  | { readonly status: 'pending' }
  | {
      readonly status: 'wrong';
      readonly diagnostics: readonly Diagnostic[];
      readonly words?: readonly string[];
    };

/** As of every document. */
const BYTES_MAX = 2 ** 20;
const CANDIDATES_MAX = 1000;

/** Pure. Reads one encrypted text, without the end of its last line. What is in clear in the file is no secret and is not taken. */
export function sealedText(question: SealedQuestion, opened: OpenedFile | undefined): SealedAnswer {
  const { file, places } = question;
  const about = `\`${file}\``;
  if (opened === undefined) {
    const hint = 'write the path from the top of the repository';
    return wrong('missing-file', `there is no file ${about}`, hint, places.file);
  }
  const { bytes, content } = opened;
  if (bytes.length > BYTES_MAX) {
    const message = `${about} has more than 1 MiB`;
    return wrong('too-large', message, 'keep secrets in smaller files', places.file);
  }
  if (content.status === 'pending') return { status: 'pending' };
  if (content.status === 'wrong') return { status: 'wrong', diagnostics: content.diagnostics };
  if (content.status === 'plain') {
    const hint = `encrypt it with \`understudy encrypt ${file}\`; a value that was ever pushed in clear has to be replaced`;
    return wrong('not-encrypted', `${about} is not encrypted`, hint, places.file);
  }
  const { clears } = content;
  const { documents, diagnostics } = parseYaml(file, Buffer.from(bytes).toString(), { clears });
  if (diagnostics.length > 0) return { status: 'wrong', diagnostics: diagnostics.map(unquoted) };
  const [located] = documents;
  if (located === undefined) {
    const message = `${about} holds no document`;
    return wrong('missing-document', message, 'write a mapping of keys and texts', places.file);
  }
  const answer = textIn(located, question, clears.locked);
  return answer.status === 'locked' ? answer : { ...answer, words: clears.words };
}

type Found = Extract<SealedAnswer, { readonly status: 'wrong' | 'locked' }>;

function textIn(
  { value, sealed = [] }: Located,
  { file, key, places }: SealedQuestion,
  isLocked: boolean,
): Found | { readonly status: 'opened'; readonly text: Secret } {
  const path = key.split('.');
  const found = valueAt(value, path);
  const about = `\`${key}\` of \`${file}\``;
  if (found === undefined) {
    const names = sealed.slice(0, CANDIDATES_MAX).map((one) => one.join('.'));
    const meant = suggest(key, names);
    const hint =
      meant === undefined ? 'write the key as `a.b` for `b` in `a`' : `did you mean \`${meant}\`?`;
    return wrong('missing-key', `\`${file}\` has no key \`${key}\``, hint, places.key);
  }
  const text = found.value;
  if (typeof text === 'object' && text !== null) {
    return wrong('wrong-type', `${about} is no text`, 'name a key whose value is a text', places.key); // prettier-ignore
  }
  // SOPS leaves an empty text as it is.
  if (text !== '' && !sealed.some((one) => isSame(one, path))) {
    const hint = 'encrypt the file again; a value that was ever pushed in clear has to be replaced';
    return wrong('not-encrypted', `${about} is not encrypted`, hint, places.key);
  }
  if (isLocked && text !== '') return { status: 'locked' };
  if (typeof text !== 'string') {
    return wrong('wrong-type', `${about} is no text`, 'write it in quotes there', places.key);
  }
  // An editor ends a text with a new line, and whoever logs in does not type it.
  return { status: 'opened', text: new Secret(text.replace(/\r?\n$/, '')) };
}

function wrong(code: DiagnosticCode, message: string, hint: string, place: Place) {
  const mistake: Diagnostic = { severity: 'error', code, message, place, hint };
  return { status: 'wrong', diagnostics: [mistake] } as const;
}

/** Lines of such files may hold what nobody should see. */
function unquoted(diagnostic: Diagnostic): Diagnostic {
  const { place } = diagnostic;
  return place === undefined ? diagnostic : { ...diagnostic, place: { ...place, quoted: '' } };
}

function valueAt(value: unknown, path: readonly string[]): { readonly value: unknown } | undefined {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined;
    if (!Object.hasOwn(at, key)) return undefined;
    at = new Map<string, unknown>(Object.entries(at)).get(key);
  }
  return { value: at };
}

function isSame(one: Path, other: readonly string[]): boolean {
  return one.length === other.length && one.every((part, at) => part === other[at]);
}
