interface Known {
  readonly text: string;
  readonly value: object;
  /** Its items by their texts. Empty where it could not be cut. */
  readonly items: ReadonlyMap<string, unknown>;
}

/** So many lists are kept: those that a pass reads, and a few more. */
const LISTS_MAX = 16;
/** A longer text is not kept. Characters; a list of 650 stacks has about a million. */
const TEXT_MAX = 8 * 2 ** 20;

/**
 * The last answer to each question whose answer is a list. Where the text is the same the next time, so is the object, and where
 * only some items changed the others are the same objects: what was worked out from them still holds, and a quiet pass need
 * not parse and check again. Can be lost at any time.
 */
export class SameLists {
  readonly #known = new Map<string, Known>();

  /** What this text says, with what it has in common with the last answer to this question. Undefined: parse it, and keep it. */
  recall(question: string, text: string): object | undefined {
    const known = this.#known.get(question);
    if (known?.text === text) return known.value;
    const read = text.length > TEXT_MAX ? undefined : itemsOf(text, known?.items ?? new Map());
    if (read === undefined) return undefined;
    // The engine gives networks in another order each time, and no order means anything.
    const value = known !== undefined && isShuffled(known, read) ? known.value : read.value;
    this.#keep(question, { text, value, items: read.items });
    return value;
  }

  /** Keeps an answer, if it is a list; the last one counts. */
  keep(question: string, text: string, value: object): void {
    this.#known.delete(question);
    if (!Array.isArray(value) || text.length > TEXT_MAX) return;
    this.#keep(question, { text, value, items: new Map() });
  }

  #keep(question: string, known: Known): void {
    this.#known.delete(question);
    this.#known.set(question, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LISTS_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Whether these are the same objects, each once. */
function isShuffled({ items, value }: Known, read: Pick<Known, 'items' | 'value'>): boolean {
  return (
    Array.isArray(value) &&
    Array.isArray(read.value) &&
    value.length === read.value.length &&
    items.size === value.length &&
    read.items.size === value.length &&
    read.items.keys().every((text) => items.has(text))
  );
}

/**
 * A list of objects, item by item; those with a known text are the known ones. Cut before whatever looks like the beginning of
 * the first one. Where such a place is within an item, what is cut off is no JSON, and the whole is undefined.
 */
function itemsOf(
  text: string,
  known: ReadonlyMap<string, unknown>,
): { readonly value: object; readonly items: ReadonlyMap<string, unknown> } | undefined {
  const texts = textsOf(text);
  if (texts === undefined) return undefined;
  const items = new Map<string, unknown>();
  try {
    const value = texts.map((one): unknown => {
      const item: unknown = known.get(one) ?? JSON.parse(one);
      items.set(one, item);
      return item;
    });
    return { value, items };
  } catch {
    return undefined;
  }
}

function textsOf(text: string): readonly string[] | undefined {
  const [, begin] = /^\[(\{"\w+":)/.exec(text) ?? [];
  const end = text.lastIndexOf(']');
  if (begin === undefined || text.slice(end + 1).trim() !== '') return undefined;
  const texts: string[] = [];
  let from = 1;
  for (let at = text.indexOf(`,${begin}`, from); at !== -1; at = text.indexOf(`,${begin}`, from)) {
    texts.push(text.slice(from, at));
    from = at + 1;
  }
  return [...texts, text.slice(from, end)];
}
