/**
 * Contents of blobs, the least recently used dropped first. Nothing is dropped before `trim`, because a render
 * needs all that it asked for at the same time.
 */
export class Blobs {
  readonly #contents = new Map<string, Uint8Array>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  get(blob: string): Uint8Array | undefined {
    const content = this.#contents.get(blob);
    if (content === undefined) return undefined;
    this.#contents.delete(blob);
    this.#contents.set(blob, content);
    return content;
  }

  put(blob: string, content: Uint8Array): void {
    if (this.#contents.has(blob)) return;
    this.#contents.set(blob, content);
    this.#bytes += content.length;
  }

  /** Drops what was used longest ago until the bound, or a lower one, holds. */
  trim(bytesMax = this.#bytesMax): void {
    for (const [blob, content] of this.#contents) {
      if (this.#bytes <= bytesMax) return;
      this.#contents.delete(blob);
      this.#bytes -= content.length;
    }
  }
}
