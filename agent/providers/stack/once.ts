/** Pure. The same function, which works out once what it gives for the same object. */
export function once<Input, Output>(make: (input: Input) => Output): (input: Input) => Output {
  const known = new WeakMap<object, { readonly output: Output }>();
  return (input) => {
    if (typeof input !== 'object' || input === null) return make(input);
    const before = known.get(input);
    if (before !== undefined) return before.output;
    const output = make(input);
    known.set(input, { output });
    return output;
  };
}
