import { type Canonical, same } from './canonical.ts';

/** Lists of a service spec whose items have a name of their own. Undefined: this one has none. */
const NAMES: Readonly<Record<string, (item: unknown) => readonly [name: string, value: unknown]>> =
  {
    Env: (item) => {
      const [name = '', ...value] = String(item).split('=');
      return [name, value.join('=')];
    },
    // What is mounted nowhere holds the credentials.
    Configs: (item) => [
      textAt(item, 'File', 'Name') ?? 'credential_spec',
      textAt(item, 'ConfigName'),
    ],
    Secrets: (item) => [textAt(item, 'File', 'Name') ?? '', textAt(item, 'SecretName')],
    Mounts: (item) => [textAt(item, 'Target') ?? '', item],
    Networks: (item) => [textAt(item, 'Target') ?? '', item],
    Hosts: (item) => {
      const [address, ...host] = String(item).split(' ');
      return [host.join(' '), address];
    },
    Ulimits: (item) => [textAt(item, 'Name') ?? '', item],
    Ports: (item) => [
      [numberAt(item, 'TargetPort'), textAt(item, 'Protocol')].filter(Boolean).join('/'),
      item,
    ],
  };

/**
 * Pure. Two versions of such a list as maps by the names of the items. Undefined where it is no such list, a name comes
 * twice, or the maps would hide what differs.
 */
export function keyedLists(
  key: string,
  before: unknown,
  after: unknown,
): { readonly before: Canonical; readonly after: Canonical } | undefined {
  const nameOf = NAMES[key];
  const [had, has] = [before ?? [], after ?? []];
  if (nameOf === undefined || !Array.isArray(had) || !Array.isArray(has)) return undefined;
  const [one, other] = [byName(had, nameOf), byName(has, nameOf)];
  if (one === undefined || other === undefined || same(one, other)) return undefined;
  return { before: one, after: other };
}

function byName(
  items: readonly unknown[],
  nameOf: (item: unknown) => readonly [name: string, value: unknown],
): Canonical | undefined {
  const entries = items.map(nameOf);
  const names = new Set(entries.map(([name]) => name));
  if (names.size < items.length || names.has('')) return undefined;
  return Object.fromEntries(entries);
}

function textAt(item: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(item, path);
  return typeof found === 'string' ? found : undefined;
}

function numberAt(item: unknown, key: string): number | undefined {
  const found = valueAt(item, [key]);
  return typeof found === 'number' ? found : undefined;
}

function valueAt(item: unknown, path: readonly string[]): unknown {
  let at = item;
  for (const key of path) {
    at = typeof at === 'object' && at !== null ? new Map(Object.entries(at)).get(key) : undefined;
  }
  return at;
}
