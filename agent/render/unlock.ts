import { Secret } from '../core/secret.ts';
import type { Vault } from '../core/sops/vault.ts';
import type { Identity, identityOf, unwrap } from '../age/age.ts';

/** What is needed of the library for age, which takes longer to load than all the rest. */
interface Age {
  readonly identityOf: typeof identityOf;
  readonly unwrap: typeof unwrap;
}

/** Opens data keys with the identities that came through the pipe. */
export class Unlocker {
  readonly #vault: Vault;
  readonly #age: Age | undefined;
  #given: string | undefined;
  #identities: readonly Identity[] = [];

  /** `age`: absent where this process was started without keys. */
  constructor(vault: Vault, age: Age | undefined) {
    this.#vault = vault;
    this.#age = age;
  }

  /** True where these are other identities than before: what was rendered with those may not be right any more. */
  async use(identities: readonly string[], locked: boolean): Promise<boolean> {
    const given = JSON.stringify([locked, ...identities]);
    if (given === this.#given) return false;
    this.#given = given;
    const age = this.#age;
    this.#identities =
      age === undefined
        ? []
        : await Promise.all(identities.map(async (text) => age.identityOf(new Secret(text))));
    this.#vault.use(
      this.#identities.map(({ recipient }) => recipient),
      locked,
    );
    return true;
  }

  /** Settles all that waits. */
  async unlock(): Promise<void> {
    for (const [blob, wrapped] of this.#vault.waiting) {
      let settled: Uint8Array | 'damaged' | 'not-for-us' = 'not-for-us';
      for (const { recipient, enc } of wrapped) {
        const identity = this.#identities.find((one) => one.recipient === recipient);
        if (identity === undefined || this.#age === undefined) continue;
        const unwrapped = await this.#age.unwrap(enc, identity);
        settled = unwrapped.status === 'ok' ? unwrapped.content : unwrapped.status;
        if (typeof settled !== 'string') break;
      }
      this.#vault.settle(blob, settled);
    }
  }
}
