import { z } from 'zod';

const FLAG = 'write `true` or `false`';
const TEXT = 'write text in quotes';

/** `true` or `false`. */
export const Flag = z.boolean({ error: FLAG });

/** Text. Compose takes no number where it wants text. */
export const Text = z.string({ error: TEXT });

/** Distinct or not, a list of text. */
export const TextList = z.array(Text, { error: 'write a list of text' });

const VALUE = 'write text or a number';

/**
 * Names and values; numbers are text already, printed as Go prints them. Null is an empty value. No name is empty in a file
 * (`noteNameless`), but of two files merged it can be: a list of `=value` has one.
 */
export const TextMap = z.record(z.string(), z.string({ error: VALUE }).nullable(), {
  error: 'write `name: value` pairs',
});

/** Options of a driver: as `TextMap`, but each has a value. */
export const Options = z.record(z.string(), z.string({ error: VALUE }), {
  error: 'write `name: value` pairs',
});

/** `{name: value}` or `["name=value"]`. */
export const ListOrMap = z.union([TextList, TextMap], {
  error: 'write `name: value` pairs or a list of `name=value`',
});

/** A command line as text, or its words as a list. */
export const Words = z.union([Text, TextList], { error: 'write text or a list of text' });

/** `true`, or the old form `{name: …}`. */
export const External = z.union([Flag, z.strictObject({ name: Text.optional() })], {
  error: FLAG,
});

/** A whole number that is not negative. */
export function count() {
  const error = 'write a whole number that is not negative';
  return z.number({ error }).int({ error }).min(0, { error });
}

/** Any number. */
export const Amount = z.number({ error: 'write a number' });

/** A whole number. */
export const Whole = z
  .number({ error: 'write a whole number' })
  .int({ error: 'write a whole number' });

/** A list whose items are looked at one by one: an item that its schema refuses is left out as undefined. */
export function items<Item extends z.ZodType>(item: Item, error: string) {
  return z.array(item.optional(), { error });
}
