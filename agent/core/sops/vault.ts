import type { DiagnosticCode } from '../codes.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { type Clears, clearsOf, standInsOf } from './clears.ts';
import { checkSealed, decrypt, openAll, type Sealed } from './decrypt.ts';
import { detect } from './detect.ts';
import type { Wrapped } from './metadata.ts';
import { edited, startOf } from './text.ts';

/** A file of a revision. */
export interface StoredFile {
  readonly path: string;
  /** Names the content. */
  readonly blob: string;
  readonly bytes: Uint8Array;
}

/** What a file holds. */
export type Content =
  | { readonly status: 'plain' | 'opened'; readonly bytes: Uint8Array }
  /** Encrypted, and nobody has to have the key here. `lines`: as much of an env file as is in clear. */
  | { readonly status: 'locked'; readonly bytes: Uint8Array; readonly lines?: Uint8Array }
  | { readonly status: 'wrong'; readonly diagnostics: readonly Diagnostic[] }
  /** Its data key is asked for: see `waiting`. */
  | { readonly status: 'pending' };

/** The same of a file that is a document: its values, for whoever reads its text. */
export type DocumentContent =
  | { readonly status: 'plain' }
  | { readonly status: 'read'; readonly clears: Clears }
  | Extract<Content, { readonly status: 'wrong' | 'pending' }>;

/** What is known of a file before anything of it is opened. */
type Found =
  | { readonly status: 'plain' }
  | { readonly status: 'locked'; readonly sealed: Sealed }
  | { readonly status: 'key'; readonly sealed: Sealed; readonly key: Uint8Array }
  | Extract<Content, { readonly status: 'wrong' | 'pending' }>;

/** Why a data key cannot be had. */
export type KeyProblem = 'damaged' | 'not-for-us';

/** Data keys that are remembered: 32 bytes each. */
const KEYS_MAX = 10_000;
/** Data keys of one revision: opening one is work with public keys. */
const WAITING_MAX = 5_000;
const SHOWN_MAX = 5;

/**
 * Opens the encrypted files of revisions. Pure but for its memory: data keys are opened by whoever has the library for it,
 * once for each content.
 */
export class Vault {
  #recipients: ReadonlySet<string> = new Set();
  #mayStayLocked = false;
  readonly #keys = new Map<string, Uint8Array | KeyProblem>();
  /** By content: what has to be opened before the revision can be rendered. */
  readonly waiting = new Map<string, readonly Wrapped[]>();

  /** Whose files are opened from now on, and whether it is fine that others are not. All that is known is forgotten. */
  use(recipients: Iterable<string>, mayStayLocked: boolean): void {
    this.#recipients = new Set(recipients);
    this.#mayStayLocked = mayStayLocked;
    this.#keys.clear();
    this.waiting.clear();
  }

  /** The answer to something that waits. */
  settle(blob: string, key: Uint8Array | KeyProblem): void {
    this.waiting.delete(blob);
    this.#keys.set(blob, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > KEYS_MAX && oldest !== undefined) this.#keys.delete(oldest);
  }

  open(file: StoredFile): Content {
    const { bytes } = file;
    const found = this.#find(file);
    switch (found.status) {
      case 'plain':
        return { status: 'plain', bytes };
      case 'locked':
        return lockedContent(bytes, found.sealed);
      case 'key': {
        const clear = decrypt(found.sealed, found.key);
        return clear.status === 'ok' ? { status: 'opened', bytes: clear.value } : clear;
      }
      case 'wrong':
      case 'pending':
        return found;
    }
  }

  /** The same of a document, which has to be encrypted as YAML. `formOnly`: it is somebody else's to open. */
  openDocument(file: StoredFile, formOnly = false): DocumentContent {
    const found = this.#find(file, formOnly);
    if (found.status !== 'locked' && found.status !== 'key') return found;
    const { document, rule } = found.sealed;
    if (document.format === 'binary' || document.format === 'dotenv') return notYaml(file.path);
    if (found.status === 'locked') {
      const sealed = document.leaves.filter(({ path, value }) => value !== '' && rule(path));
      return { status: 'read', clears: standInsOf(sealed) };
    }
    const opened = openAll(found.sealed, found.key);
    return opened.status === 'ok' ? { status: 'read', clears: clearsOf(opened.value) } : opened;
  }

  #find({ path, blob, bytes }: StoredFile, formOnly = false): Found {
    const found = detect(path, bytes);
    if (found.status !== 'sops') return found;
    const checked = checkSealed(found.document);
    if (checked.status === 'wrong') return checked;
    const sealed = checked.value;
    if (formOnly) return { status: 'locked', sealed };
    if (this.#recipients.size === 0) return this.#withoutKey(path, sealed);
    const own = sealed.wrapped.filter(({ recipient }) => this.#recipients.has(recipient));
    if (own.length === 0) return this.#forOthers(path, sealed);
    const key = this.#keys.get(blob);
    if (key === undefined) return this.#ask(path, blob, own);
    if (typeof key === 'string') {
      const [code, message] = PROBLEMS[key];
      return refused(path, code, message);
    }
    this.#keys.delete(blob);
    this.#keys.set(blob, key);
    return { status: 'key', sealed, key };
  }

  #withoutKey(path: string, sealed: Sealed): Found {
    if (this.#mayStayLocked) return { status: 'locked', sealed };
    const hint = 'set `age.keyFile` in the settings of the agent, or UNDERSTUDY_AGE_KEY_FILE';
    return refused(path, 'missing-age-key', 'the file is encrypted, and there is no key to open it', hint); // prettier-ignore
  }

  #forOthers(path: string, { wrapped }: Sealed): Found {
    const others = listed(wrapped.map(({ recipient }) => recipient));
    const message = `the file is encrypted for ${others}, and the key here is of ${listed([...this.#recipients])}`;
    const hint = 'encrypt it for this recipient as well: `understudy encrypt --recipient`, or `sops updatekeys`'; // prettier-ignore
    return refused(path, 'encrypted-for-others', message, hint);
  }

  #ask(path: string, blob: string, own: readonly Wrapped[]): Found {
    if (this.waiting.size >= WAITING_MAX && !this.waiting.has(blob)) {
      const message = `a revision can have ${String(WAITING_MAX)} encrypted files that are new`;
      return refused(path, 'too-large', message);
    }
    this.waiting.set(blob, own);
    return { status: 'pending' };
  }
}

function lockedContent(bytes: Uint8Array, { document }: Sealed): Content {
  if (document.format !== 'dotenv') return { status: 'locked', bytes };
  const cuts = document.cuts.map((cut) => ({ ...cut, text: '' }));
  return { status: 'locked', bytes, lines: Buffer.from(edited(document.text, cuts)) };
}

function notYaml(path: string): DocumentContent {
  const hint = 'encrypt it with `--type yaml`, value by value';
  return refused(path, 'encrypted-document', 'a document has to be encrypted as YAML', hint);
}

const PROBLEMS = {
  damaged: ['encryption-damaged', 'the data key of the file is damaged'],
  'not-for-us': [
    'encrypted-for-others',
    'the data key of the file does not open with the key of the recipient that is written beside it',
  ],
} as const satisfies Record<KeyProblem, readonly [DiagnosticCode, string]>;

/** Recipients are public; what a file calls one may be anything. */
function listed(recipients: readonly string[]): string {
  const shown = recipients
    .slice(0, SHOWN_MAX)
    .map((one) => (/^age1[a-z0-9]{1,70}$/.test(one) ? one : `${one.replace(/[^a-z0-9]/g, '').slice(0, 20)}…`)); // prettier-ignore
  const more = recipients.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function refused(file: string, code: DiagnosticCode, message: string, hint?: string) {
  const mistake = { severity: 'error' as const, code, message, place: startOf(file) };
  const diagnostics = [{ ...mistake, ...(hint !== undefined && { hint }) }];
  return { status: 'wrong' as const, diagnostics };
}
