/** The same fields, those that may be undefined as optional ones. */
export type Present<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Pure. Leaves out fields that are undefined: to the engine, a key that is there is something else than one that is not. */
export function present<T extends object>(fields: T): Present<T>;
export function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Pure. Zero is what the engine's API leaves out. */
export function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

/** Pure. Empty text is what the engine's API leaves out. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
