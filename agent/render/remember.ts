/** Notes a value as the newest one, and forgets the oldest where there are too many. */
export function remember<Value>(
  memory: Map<string, Value>,
  key: string,
  value: Value,
  sizeMax: number,
): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > sizeMax && oldest !== undefined) memory.delete(oldest);
}
