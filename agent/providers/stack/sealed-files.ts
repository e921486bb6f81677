import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import type { FolderInput } from '../../core/folder-kind.ts';
import type { Located } from '../../core/parse.ts';
import { type Path, pathText } from '../../core/path.ts';
import type { Content, DocumentContent } from '../../core/sops/vault.ts';
import { sealedInCompose, sealedInStack, type SealedPlace } from './sealed-places.ts';
import type { Hidden } from './spec.ts';

/** What of a stack's surroundings says what is encrypted. */
type Opening = Pick<FolderInput, 'open' | 'openDocument'> & {
  readonly surroundings?: Pick<FolderInput['surroundings'], 'sealed'>;
};

/** The encrypted files and documents of one stack, and what came out of them: filled in while the stack is rendered. */
export class SealedFiles {
  readonly #opening: Opening;
  readonly #variables: ReadonlySet<string>;
  readonly #hidden = new Map<string, Set<string>>();
  /** Paths of those that could not be opened, and did not have to be. */
  readonly #locked = new Set<string>();
  readonly #words = new Set<string>();
  readonly #places = new Set<string>();
  readonly #mistakes: Diagnostic[] = [];
  #isVeiled = false;

  constructor(opening: Opening) {
    this.#opening = opening;
    this.#variables = new Set(opening.surroundings?.sealed?.names);
  }

  open(path: string, bytes: Uint8Array): Content {
    const content = this.#opening.open?.(path, bytes) ?? { status: 'plain', bytes };
    if (content.status === 'locked') this.#locked.add(path);
    return content;
  }

  /** Absent where no document may be encrypted. */
  get openDocument(): FolderInput['openDocument'] {
    const { openDocument } = this.#opening;
    return openDocument && ((path, bytes) => this.#noted(path, openDocument(path, bytes)));
  }

  #noted(path: string, content: DocumentContent): DocumentContent {
    if (content.status !== 'read') return content;
    const { locked, values, words } = content.clears;
    if (locked && values.size > 0) this.#locked.add(path);
    for (const word of words) this.#words.add(word);
    return content;
  }

  /** Takes note of what is encrypted in stack.yaml. */
  inStack(located: Located | undefined): void {
    for (const path of located?.sealed ?? []) this.#note(sealedInStack(path), path, located);
  }

  /** The same of a Compose file. `valueAt`: what stands there once variables are replaced. */
  inCompose(located: Located, valueAt: (path: Path) => unknown): void {
    for (const path of located.sealed ?? []) {
      const where = sealedInCompose(path, valueAt(path));
      // What stands for an item of a list does not say which variable it is.
      const isUnknown = typeof path.at(-1) === 'number' && this.#locked.has(located.file);
      this.#note(isUnknown ? { at: 'other' } : where, path, located);
    }
  }

  /** Variables were put into a value of a Compose file. `written`: how it was before. */
  took(names: readonly string[], path: Path, located: Located, values: ReplacedValue): void {
    if (!names.some((name) => this.isSealed(name))) return;
    this.#lockVariables();
    const { written, replaced } = values;
    const where = sealedInCompose(path, replaced);
    // Of a list it may stand before the `=`.
    const isInName = typeof path.at(-1) === 'number' && !isBefore(written, '=', '$');
    this.#note(where.at === 'variable' && isInName ? { at: 'name' } : where, path, located);
  }

  /** A variable of a service has no value of its own, and takes that of the environment. */
  tookValue(name: string, service: string): void {
    if (!this.isSealed(name)) return;
    this.#lockVariables();
    this.hide(service, name);
  }

  isSealed(variable: string): boolean {
    return this.#variables.has(variable);
  }

  #lockVariables(): void {
    const { sealed } = this.#opening.surroundings ?? {};
    if (sealed?.locked === true) this.#locked.add(sealed.file);
  }

  #note(where: SealedPlace, path: Path, located: Located | undefined): void {
    this.#places.add(pathText(path));
    if (where.at === 'variable') this.hide(where.service, where.name);
    else this.#isVeiled = true;
    if (where.at === 'name') this.#mistakes.push(nameMistake(path, located?.place(path)));
  }

  /** A variable of a service comes from an encrypted file: its value is shown nowhere. */
  hide(service: string, variable: string): void {
    const names = this.#hidden.get(service) ?? new Set();
    this.#hidden.set(service, names.add(variable));
  }

  /** What is encrypted and may not be. */
  get mistakes(): readonly Diagnostic[] {
    return this.#mistakes;
  }

  /** A decrypted value stands elsewhere than in variables of services: none of the stack's values is shown. */
  get isVeiled(): boolean {
    return this.#isVeiled;
  }

  /** The same without the key: what the stack asks for is not known. */
  get isClosed(): boolean {
    return this.#isVeiled && this.#locked.size > 0;
  }

  /** Where decrypted values stand, as people write it. */
  get places(): ReadonlySet<string> {
    return this.#places;
  }

  /** All that was decrypted of documents. */
  get words(): readonly string[] {
    return [...this.#words];
  }

  /** For the spec: what is shown nowhere. Sorted, because it is part of what is hashed. */
  get inSpec(): { readonly hidden?: Hidden; readonly veiled?: true } {
    const veiled = this.#isVeiled && ({ veiled: true } as const);
    if (this.#hidden.size === 0) return { ...veiled };
    const entries = [...this.#hidden].map(([service, names]): [string, string[]] => [
      service,
      [...names].toSorted(),
    ]);
    return { hidden: Object.fromEntries(entries), ...veiled };
  }

  /** Beside the spec: what stands there for something else. */
  get inUnit(): { readonly locked?: number } {
    const { size } = this.#locked;
    return size === 0 ? {} : { locked: size };
  }
}

/** A text with variables, and with their values. */
export interface ReplacedValue {
  readonly written: string;
  readonly replaced: string;
}

function isBefore(text: string, one: string, other: string): boolean {
  const [at, after] = [text.indexOf(one), text.indexOf(other)];
  return at >= 0 && at < after;
}

function nameMistake(path: Path, place: Place | undefined): Diagnostic {
  return {
    severity: 'error',
    code: 'encrypted-document',
    message: `\`${pathText(path)}\` is encrypted and names something: names are shown everywhere`,
    ...(place && { place: { ...place, quoted: '' } }),
    hint: 'write the name in clear: `--encrypted-regex` or `--unencrypted-regex` say what is encrypted',
  };
}
