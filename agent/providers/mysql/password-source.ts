import type { MySQLUser } from '../../../schemas/mysql.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { DocumentInput } from '../../core/document-kind.ts';
import { Secret } from '../../core/secret.ts';
import { passwordProblem } from './hash.ts';
import { sealedText } from './sealed-text.ts';
import type { PasswordSource } from './spec.ts';

/** Where a password comes from, with what stands in another file; or why that cannot be had. */
export interface FoundPassword {
  readonly source?: PasswordSource;
  /** Nobody has to have the key here: what stands in `source` says nothing. */
  readonly closed?: true;
  readonly diagnostics: readonly Diagnostic[];
  /** What may not be said. */
  readonly words: readonly string[];
}

/** Shorter ones stand in too many words. */
const HASH_WORD_MIN = 16;

/** Pure but for what `open` asks for. */
export function passwordOf(
  written: MySQLUser['password'],
  { located, open }: Pick<DocumentInput, 'located' | 'open'>,
): FoundPassword {
  if (written.from === 'hash') {
    // A hash is in Git for whoever may read that, and a secret for everybody else.
    const words = written.hash.length < HASH_WORD_MIN ? [] : [written.hash];
    return { source: written, diagnostics: [], words };
  }
  if (written.from === 'generated') return { source: written, diagnostics: [], words: [] };
  const { file, key, secret } = written;
  const places = {
    file: located.place(['password', 'fromFile'], 'value'),
    key: located.place(['password', 'key'], 'value'),
  };
  const found = sealedText({ file, key, places }, open(file));
  const beside = secret === undefined ? {} : { secret };
  switch (found.status) {
    case 'pending':
      return { diagnostics: [], words: [] };
    case 'wrong':
      return { diagnostics: found.diagnostics, words: found.words ?? [] };
    case 'locked': {
      const source = { from: 'file', password: new Secret(''), ...beside } as const;
      return { source, closed: true, diagnostics: [], words: [] };
    }
    case 'opened': {
      const { text: password, words } = found;
      const why = passwordProblem(password);
      if (why === undefined) {
        return { source: { from: 'file', password, ...beside }, diagnostics: [], words };
      }
      const message = `\`${key}\` of \`${file}\` cannot be a password: ${why}`;
      const mistake: Diagnostic = { severity: 'error', code: 'wrong-value', message, place: places.key }; // prettier-ignore
      return { diagnostics: [mistake], words };
    }
  }
}
