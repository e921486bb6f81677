import type { Shaped } from './shaped.ts';

interface Known {
  readonly text: string;
  readonly value: object;
}

/** So many lists are kept: those that a pass reads, and a few more. */
const LISTS_MAX = 16;
/** A longer text is not kept. Characters; a list of 650 stacks has about a million. */
const TEXT_MAX = 8 * 2 ** 20;

/**
 * The last answer to each question whose answer is a list. Where the text is the same the next time, so is the object: what was
 * worked out from it still holds, and a quiet pass need not parse and check again. Can be lost at any time.
 */
export class SameLists {
  readonly #known = new Map<string, Known>();

  /** What was parsed from this very text as the answer to this question; undefined: another one came last, or none. */
  recall(question: string, text: string): object | undefined {
    const known = this.#known.get(question);
    return known?.text === text ? known.value : undefined;
  }

  /** Keeps an answer, if it is a list; the last one counts. */
  keep(question: string, text: string, value: object): void {
    this.#known.delete(question);
    if (!Array.isArray(value) || text.length > TEXT_MAX) return;
    this.#known.set(question, { text, value });
    const [oldest] = this.#known.keys();
    if (this.#known.size > LISTS_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Pure. The same shape that reads one list once. */
export function once<Value>(
  shape: (json: unknown) => Shaped<Value>,
): (json: unknown) => Shaped<Value> {
  const known = new WeakMap<object, Shaped<Value>>();
  return (json) => {
    if (typeof json !== 'object' || json === null) return shape(json);
    const before = known.get(json);
    if (before !== undefined) return before;
    const shaped = shape(json);
    known.set(json, shaped);
    return shaped;
  };
}
