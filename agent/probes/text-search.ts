/** Looks for a text in bytes that come in parts; keeps no more of them than the text is long. */
export class TextSearch {
  readonly #wanted: Buffer;
  #last: Buffer = Buffer.alloc(0);

  constructor(text: string) {
    this.#wanted = Buffer.from(text);
  }

  /** Whether the text is there by the end of this part. */
  feed(part: Uint8Array): boolean {
    const all = Buffer.concat([this.#last, part]);
    if (all.includes(this.#wanted)) return true;
    this.#last = Buffer.from(all.subarray(Math.max(0, all.length - this.#wanted.length + 1)));
    return false;
  }
}
