import { Servers } from '../../schemas/environment.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Read } from './document.ts';
import { suggest } from './suggest.ts';

/** Which servers of one family documents may name, and which one they mean where they name none. */
export interface ServerChoice {
  readonly default?: string;
  readonly allowed?: readonly string[];
  /** It cannot be read: what it forbids is not known, and the environment has a mistake that says so. */
  readonly unknown?: true;
}

/** What a document means by the server that it names. */
export type MeantServer =
  | {
      readonly status: 'found';
      /** As the agent's settings name it; absent: the only one that they name. */
      readonly server?: string;
      /** It stands in the id: it is not the default one. */
      readonly named: boolean;
    }
  | { readonly status: 'wrong'; readonly mistake: Omit<Diagnostic, 'severity' | 'place'> };

/** What a document says that means the default one. */
const DEFAULT = 'default';

/** Pure. `mysql` or `ceph` of an Environment. */
export function serversOf({ located }: Read<unknown>, key: string): ServerChoice {
  const { value } = located ?? {};
  if (typeof value !== 'object' || value === null) return { unknown: true };
  if (!Object.hasOwn(value, key)) return {};
  const choice = Servers.safeParse(new Map(Object.entries(value)).get(key)).data;
  if (choice === undefined) return { unknown: true };
  const { default: usual, allowed } = choice;
  // Where one alone may be named, it is meant by who names none.
  const [only, second] = allowed ?? [];
  const meant = usual ?? (second === undefined ? only : undefined);
  return { ...(meant !== undefined && { default: meant }), ...(allowed && { allowed }) };
}

/** How a family of servers is called. */
export interface ServerWords {
  readonly environment: string;
  /** By Environments: `mysql`. */
  readonly key: string;
  /** One of them: `server`, as documents call it. */
  readonly word: string;
}

/** Pure. Which server a document means. */
export function meantServer(
  written: string,
  choice: ServerChoice,
  { environment, key, word }: ServerWords,
): MeantServer {
  const { default: usual, allowed = [], unknown } = choice;
  const file = `environments/${environment}.yaml`;
  if (written === DEFAULT) {
    if (usual !== undefined) return { status: 'found', server: usual, named: false };
    if (allowed.length < 2) return { status: 'found', named: false };
    const message = `the environment has several ${word}s and no default: ${listed(allowed)}`;
    const hint = `name one of them, or write \`${key}: {default: …}\` in ${file}`;
    return { status: 'wrong', mistake: { code: 'missing-key', message, hint } };
  }
  if (written === usual) return { status: 'found', server: written, named: false };
  if (unknown === true || allowed.includes(written)) {
    return { status: 'found', server: written, named: true };
  }
  const known = [...new Set([...(usual === undefined ? [] : [usual]), ...allowed])];
  const meant = suggest(written, known);
  const message = `the environment \`${environment}\` does not allow the ${word} \`${written}\``;
  const hint =
    meant === undefined
      ? `add it to \`${key}: {allowed: […]}\` of ${file}, or leave the key out`
      : `did you mean \`${meant}\`?`;
  return { status: 'wrong', mistake: { code: 'not-allowed', message, hint } };
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
