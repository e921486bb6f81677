/** What `git cat-file --batch` said that no undamaged mirror says. */
export class BatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BatchError';
  }
}

/** `<id> <type> <size>`, or `<id> missing`. */
const HEADER_BYTES_MAX = 512;

/**
 * Reads the output of `git cat-file --batch`, piece by piece: for every blob asked for a header, its bytes and a line end,
 * in the order of asking. Pure but for its own state; sizes are known beforehand, so that nothing larger than expected is kept.
 */
export class BatchReader {
  readonly #wanted: readonly (readonly [blob: string, sizeBytes: number])[];
  readonly #contents = new Map<string, Uint8Array>();
  #next = 0;
  #header: Buffer = Buffer.alloc(0);
  #body: Buffer | undefined;
  #filled = 0;

  constructor(wanted: readonly (readonly [blob: string, sizeBytes: number])[]) {
    this.#wanted = wanted;
  }

  /** Takes the next piece. Throws `BatchError` where an object is missing, of another kind or of another size. */
  push(piece: Buffer): 'more' | 'enough' {
    let rest = piece;
    while (rest.length > 0) {
      rest = this.#body === undefined ? this.#takeHeader(rest) : this.#takeBody(this.#body, rest);
    }
    return 'more';
  }

  /** All contents by blob. Throws `BatchError` where the output ended early. */
  finish(): ReadonlyMap<string, Uint8Array> {
    if (this.#next < this.#wanted.length) throw new BatchError('the output of git ended early');
    return this.#contents;
  }

  #takeHeader(piece: Buffer): Buffer {
    const end = piece.indexOf(10);
    const line = Buffer.concat([this.#header, end === -1 ? piece : piece.subarray(0, end)]);
    if (line.length > HEADER_BYTES_MAX)
      throw new BatchError('git answered with a line that is too long');
    if (end === -1) {
      this.#header = line;
      return Buffer.alloc(0);
    }
    const [blob, sizeBytes] = this.#wanted[this.#next] ?? ['nothing', 0];
    const header = line.toString('latin1');
    if (header !== `${blob} blob ${sizeBytes}`) {
      throw new BatchError(
        `git answered \`${header.slice(0, 80)}\` for ${blob} of ${sizeBytes} bytes`,
      );
    }
    this.#header = Buffer.alloc(0);
    // One more for the line end behind the content.
    this.#body = Buffer.alloc(sizeBytes + 1);
    this.#filled = 0;
    return piece.subarray(end + 1);
  }

  #takeBody(body: Buffer, piece: Buffer): Buffer {
    const taken = piece.copy(body, this.#filled);
    this.#filled += taken;
    if (this.#filled === body.length) {
      const blob = this.#wanted[this.#next]?.[0] ?? '';
      this.#contents.set(blob, new Uint8Array(body.buffer, body.byteOffset, body.length - 1));
      this.#body = undefined;
      this.#next += 1;
    }
    return piece.subarray(taken);
  }
}
