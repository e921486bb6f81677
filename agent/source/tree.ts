import { decodeName, Intake, RECORD_BYTES_MAX, type Tree, type TreeLimits } from './intake.ts';

// 100644 blob 2f7a… 1234<TAB>stacks/web/compose.yaml
const RECORD = /^([0-7]{6}) ([a-z]+) ([0-9a-f]{40,64}) +(-|[0-9]+)\t(.+)$/su;

/**
 * Reads the output of `git ls-tree -r -z --long`, piece by piece, so that a tree of a million files is given up early.
 * Pure but for its own state; the rules are those of `Intake`.
 */
export class TreeListing {
  readonly #intake: Intake;
  #rest: Buffer = Buffer.alloc(0);

  constructor(limits: TreeLimits) {
    this.#intake = new Intake(limits);
  }

  /** Takes the next piece. `enough`: a limit is passed, the rest would not be looked at. */
  push(piece: Uint8Array): 'more' | 'enough' {
    let buffer = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    for (let end = buffer.indexOf(0); end !== -1 && !this.#intake.enough; end = buffer.indexOf(0)) {
      this.#record(buffer.subarray(0, end));
      buffer = buffer.subarray(end + 1);
    }
    this.#rest = Buffer.from(buffer);
    if (!this.#intake.enough && this.#rest.length > RECORD_BYTES_MAX) {
      this.#intake.stop('a file name is longer than 8 KiB');
    }
    return this.#intake.enough ? 'enough' : 'more';
  }

  /** The result, once everything was pushed. Where a limit was passed there are no entries at all. */
  finish(): Tree {
    if (!this.#intake.enough && this.#rest.length > 0) {
      this.#intake.stop('the listing ends in mid-name');
    }
    return this.#intake.finish();
  }

  #record(bytes: Buffer): void {
    if (bytes.length > RECORD_BYTES_MAX) {
      this.#intake.stop('a file name is longer than 8 KiB');
      return;
    }
    const text = decodeName(bytes);
    if (text === undefined) {
      this.#intake.addUnreadable(bytes.subarray(bytes.indexOf(9) + 1));
      return;
    }
    const [, mode = '', , blob = '', size = '', path = ''] = RECORD.exec(text) ?? [];
    if (path === '') {
      this.#intake.stop('the listing cannot be read');
      return;
    }
    this.#intake.add({ path, mode, blob, sizeBytes: size === '-' ? 0 : Number(size) });
  }
}
