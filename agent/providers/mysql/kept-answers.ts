import type { Id } from '../../core/kind.ts';
import type { Accounts } from './account.ts';
import type { Row } from './connect.ts';
import type { ObservedDatabase, Owned, ServerSeen } from './observed.ts';

/** Rows of one answer. */
type Rows = readonly Row[];

/** What was made of answers last. It is not made anew while the answers are the same: to check 650 accounts takes longer than to read them. */
class Kept<Value extends object> {
  #before: Readonly<Record<string, Rows>> = {};
  #value: Value | undefined;

  /** `answers`: all that the value is made of, by the name of the question. */
  of(answers: Readonly<Record<string, Rows>>, make: () => Value): Value {
    if (this.#value !== undefined && areSame(this.#before, answers)) return this.#value;
    // Where it cannot be made, what was made before stands for what it was made of.
    const value = make();
    this.#value = value;
    this.#before = answers;
    return value;
  }
}

/** Every cell is text, a number or nothing. Anything else counts as another one. */
function areSame(
  before: Readonly<Record<string, Rows>>,
  now: Readonly<Record<string, Rows>>,
): boolean {
  const names = Object.keys(now);
  if (names.length !== Object.keys(before).length) return false;
  return names.every((name) => {
    const [had, has] = [before[name], now[name]];
    if (had === undefined || had.length !== has?.length) return false;
    return has.every((row, at) => isSameRow(had[at] ?? {}, row));
  });
}

function isSameRow(before: Row, now: Row): boolean {
  let cells = 0;
  for (const name in now) {
    if (before[name] !== now[name]) return false;
    cells += 1;
  }
  return cells === Object.keys(before).length;
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
