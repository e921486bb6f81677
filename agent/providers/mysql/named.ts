import { decodedName } from '../../core/document-id.ts';
import type { Id } from '../../core/kind.ts';

const WHATS = {
  'mysql-database': 'database',
  'mysql-role': 'role',
  'mysql-user': 'account',
} as const;

/** What an id says of a unit whose document is gone. */
export interface NamedUnit {
  readonly what: (typeof WHATS)[keyof typeof WHATS];
  readonly name: string;
  /** As the agent's settings name it; absent: the default one. */
  readonly server?: string;
}

/** Pure. Undefined for what is no unit of a server. */
export function namedBy(id: Id): NamedUnit | undefined {
  const [kind, ...parts] = id.split('/');
  const what = Object.entries(WHATS).find(([known]) => known === kind)?.[1];
  const name = decodedName(parts.at(-1) ?? '');
  if (what === undefined || name === undefined || name === '' || parts.length > 2) return undefined;
  const [server] = parts;
  return { what, name, ...(parts.length === 2 && server !== undefined && { server }) };
}
