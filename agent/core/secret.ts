import { inspect } from 'node:util';

/** A value that cannot be printed by accident: text, JSON and inspection all give `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The only way out. Search for `.reveal(` to see every use. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hide the same. For values that nobody can try many of: it takes longer the more of it is the same. */
  isSame(other: Secret): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
