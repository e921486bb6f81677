/** Pure. Every place in which two values of JSON differ, as `path: ours X, docker Y`. */
export function differences(ours: unknown, docker: unknown, path = ''): readonly string[] {
  if (Object.is(ours, docker)) return [];
  if (Array.isArray(ours) && Array.isArray(docker)) {
    const length = Math.max(ours.length, docker.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      differences(ours[index], docker[index], `${path}[${labelOf(index, ours, docker)}]`),
    );
  }
  if (isMapping(ours) && isMapping(docker)) {
    const keys = [...new Set([...Object.keys(ours), ...Object.keys(docker)])].toSorted();
    return keys.flatMap((key) =>
      differences(ours[key], docker[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return [`${path}: ours ${shown(ours)}, docker ${shown(docker)}`];
}

/** Objects are called by their names. */
function labelOf(index: number, ours: readonly unknown[], docker: readonly unknown[]): string {
  const item: unknown = docker[index] ?? ours[index];
  const name = isMapping(item) ? item['Name'] : undefined;
  return typeof name === 'string' ? name : String(index);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const SHOWN_MAX = 200;

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
