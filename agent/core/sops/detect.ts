import type { Diagnostic } from '../diagnostic.ts';
import { readDotenv } from './dotenv.ts';
import { isMetadata } from './metadata.ts';
import { type SopsRead, type SopsText, startOf } from './text.ts';
import { readYaml } from './yaml.ts';

/** Whether a file is one that SOPS encrypted, by what is in it. */
export type Detected =
  | { readonly status: 'plain' }
  | { readonly status: 'sops'; readonly document: SopsText }
  | { readonly status: 'wrong'; readonly diagnostics: readonly Diagnostic[] };

const PLAIN = { status: 'plain' } as const;
const sealed = /ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*,iv:[A-Za-z0-9+/=]*,tag:[A-Za-z0-9+/=]*,type:\w+\]/; // prettier-ignore
const NAMED = Buffer.from('sops');
const SEALED = Buffer.from('ENC[AES256_GCM,');

/** Pure. Looks at every file that may be encrypted; for most of them it ends with a search for two words. */
export function detect(file: string, bytes: Uint8Array): Detected {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const hasValues = content.includes(SEALED);
  if (!hasValues && !content.includes(NAMED)) return PLAIN;
  const text = textOf(bytes);
  if (text === undefined) return PLAIN;
  const isSealed = hasValues && sealed.test(text);
  if (/^\[sops\][ \t]*\r?$/m.test(text) && isSealed) return wrong(file, 'encryption-unsupported', INI, INI_HINT); // prettier-ignore
  const read = readAny(file, text);
  if (read === undefined) return isSealed ? wrong(file, 'encryption-damaged', BARE) : PLAIN;
  if (read.status === 'wrong') return isSealed ? read : PLAIN;
  const { document } = read;
  if (isMetadata(document.metadata)) return { status: 'sops', document: binaryIn(file, document) };
  return isSealed ? wrong(file, 'encryption-damaged', BARE) : PLAIN;
}

const INI = 'an INI file that SOPS encrypted is not supported';
const INI_HINT = 'encrypt it as a whole: `sops encrypt --input-type binary`, or `understudy encrypt --type binary`'; // prettier-ignore
const BARE =
  'the file holds values that SOPS encrypted, and nothing of what SOPS writes about the file';

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function readAny(file: string, text: string): SopsRead | undefined {
  if (/^\s*\{/.test(text)) return readYaml(file, text, 'json');
  if (/^sops:/m.test(text)) return readYaml(file, text, 'yaml');
  return /^sops_[a-z]/m.test(text) ? readDotenv(file, text) : undefined;
}

/** As `sops` itself: of JSON with nothing but `data` the name of the file says what it is. */
function binaryIn(file: string, document: SopsText): SopsText {
  const { format, leaves } = document;
  const isData = leaves.length <= 1 && (leaves[0]?.path.join(':') ?? 'data') === 'data';
  return format === 'json' && isData && !/\.json$/i.test(file)
    ? { ...document, format: 'binary' }
    : document;
}

function wrong(
  file: string,
  code: 'encryption-damaged' | 'encryption-unsupported',
  message: string,
  hint?: string,
): Detected {
  const place = startOf(file);
  const mistake = { severity: 'error' as const, code, message, place, ...(hint && { hint }) };
  return { status: 'wrong', diagnostics: [mistake] };
}
