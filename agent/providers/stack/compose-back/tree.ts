/** A file mode: written with octal digits, as people know it. */
export class Octal {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** What a Compose file is made of, before it is text. Mappings are maps: a label may be called `__proto__`. */
export type Tree =
  string | number | boolean | null | Octal | readonly Tree[] | ReadonlyMap<string, Tree>;

/** Pure. A mapping of those fields that are there. */
export function fields(given: Readonly<Record<string, Tree | undefined>>): Map<string, Tree> {
  return new Map(
    Object.entries(given).flatMap(([key, value]): [string, Tree][] =>
      value === undefined ? [] : [[key, value]],
    ),
  );
}

/** Pure. Undefined where there is nothing in it: the key is left out. */
export function orAbsent<Part extends readonly unknown[] | ReadonlyMap<string, unknown>>(
  part: Part,
): Part | undefined {
  const size = part instanceof Map ? part.size : [...part].length;
  return size === 0 ? undefined : part;
}

/** Pure. A map of text, sorted by name; without `own`, which the conversion adds by itself. */
export function textMap(
  map: Readonly<Record<string, string>> | undefined,
  own: readonly string[] = [],
): Map<string, string> {
  return new Map(
    Object.entries(map ?? {})
      .filter(([key]) => !own.includes(key))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Pure. Labels without the stack's own; absent where there are no others. */
export function labelsOf(
  labels: Readonly<Record<string, string>> | undefined,
  own: readonly string[],
): Tree | undefined {
  return pairsOf(textMap(labels, own));
}

/** Pure. Names with values; as a list of `name=value` where a name is none that a mapping of a repository may have. */
export function pairsOf(map: ReadonlyMap<string, string | null>): Tree | undefined {
  if (!map.has('') && !map.has('__proto__')) return orAbsent(map);
  return [...map].map(([name, value]) => (value === null ? name : `${name}=${value}`));
}
