import type { FolderInput } from '../../core/folder-kind.ts';
import type { Content } from '../../core/sops/vault.ts';
import type { Hidden } from './spec.ts';

/** The encrypted files of one stack, and what came out of them: filled in while the stack is rendered. */
export class SealedFiles {
  readonly #open: FolderInput['open'];
  readonly #hidden = new Map<string, Set<string>>();
  /** Paths of those that could not be opened, and did not have to be. */
  readonly #locked = new Set<string>();

  constructor(open: FolderInput['open']) {
    this.#open = open;
  }

  open(path: string, bytes: Uint8Array): Content {
    const content = this.#open?.(path, bytes) ?? { status: 'plain', bytes };
    if (content.status === 'locked') this.#locked.add(path);
    return content;
  }

  /** A variable of a service comes from an encrypted file: its value is shown nowhere. */
  hide(service: string, variable: string): void {
    const names = this.#hidden.get(service) ?? new Set();
    this.#hidden.set(service, names.add(variable));
  }

  /** For the spec: what is shown nowhere. Sorted, because it is part of what is hashed. */
  get inSpec(): { readonly hidden?: Hidden } {
    if (this.#hidden.size === 0) return {};
    const entries = [...this.#hidden].map(([service, names]): [string, string[]] => [
      service,
      [...names].toSorted(),
    ]);
    return { hidden: Object.fromEntries(entries) };
  }

  /** Beside the spec: what stands there for something else. */
  get inUnit(): { readonly locked?: number } {
    const { size } = this.#locked;
    return size === 0 ? {} : { locked: size };
  }
}
