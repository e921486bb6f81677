import { createHash } from 'node:crypto';

import type { Id } from '../../core/kind.ts';
import type { Accounts } from './account.ts';
import type { ObservedDatabase, Owned, ServerSeen } from './observed.ts';

/** What was made of answers last. It is not made anew while the answers are the same: to check 650 accounts takes longer than to read them. */
class Kept<Value extends object> {
  #digest = '';
  #value: Value | undefined;

  /** `answers`: all that the value is made of. */
  of(answers: unknown, make: () => Value): Value {
    const digest = createHash('sha256').update(JSON.stringify(answers)).digest('base64');
    if (this.#value === undefined || digest !== this.#digest) this.#value = make();
    this.#digest = digest;
    return this.#value;
  }
}

interface Ledger {
  readonly owned: ReadonlyMap<Id, Owned>;
  readonly foreign?: ReadonlyMap<Id, string>;
}

/** What one session made of its last look. */
export class KeptAnswers {
  readonly accounts = new Kept<Accounts>();
  readonly databases = new Kept<ReadonlyMap<string, ObservedDatabase>>();
  readonly collations = new Kept<ReadonlyMap<string, string>>();
  readonly ledger = new Kept<Ledger>();
  #seen: ServerSeen | undefined;

  /** The same object as before where nothing of it is another: who remembers what it decided need not decide again. */
  same(seen: ServerSeen): ServerSeen {
    if (this.#seen === undefined || !isSame(this.#seen, seen)) this.#seen = seen;
    return this.#seen;
  }
}

function isSame(before: ServerSeen, now: ServerSeen): boolean {
  const { server: earlier, bytes: had, ...rest } = before;
  const { server, bytes: has, ...others } = now;
  return (
    JSON.stringify({ ...earlier, dynamic: '' }) === JSON.stringify({ ...server, dynamic: '' }) &&
    earlier.dynamic === server.dynamic &&
    JSON.stringify([...(had ?? [])]) === JSON.stringify([...(has ?? [])]) &&
    Object.keys(rest).length === Object.keys(others).length &&
    Object.entries(rest).every(([key, value]) => Reflect.get(others, key) === value)
  );
}
