import type { Path } from '../../core/path.ts';

/** What follows from where a decrypted value stands: how it is kept out of sight. */
export type SealedPlace =
  /** A variable of a service: it is hidden by its name. */
  | { readonly at: 'variable'; readonly service: string; readonly name: string }
  /** It names something, and names are shown everywhere: it has to be in clear. */
  | { readonly at: 'name' }
  /** Whatever else it becomes part of: no value of the stack is shown. */
  | { readonly at: 'other' };

const NAMED = new Set(['networks', 'volumes', 'configs', 'secrets']);

/**
 * Pure. A place in a Compose file. `value`: what stands there with variables replaced, as an item of a list such as
 * `NAME=value`.
 */
export function sealedInCompose(path: Path, value: unknown): SealedPlace {
  const [section, service = '', part, key] = path;
  if (section === 'services' && part === 'environment' && path.length === 4) {
    if (typeof key === 'string') return { at: 'variable', service: String(service), name: key };
    const at = typeof value === 'string' ? value.indexOf('=') : -1;
    if (at <= 0) return { at: 'name' };
    return { at: 'variable', service: String(service), name: String(value).slice(0, at) };
  }
  const isName = NAMED.has(String(section)) && path.at(-1) === 'name' && path.length <= 4;
  return isName || (path.length === 1 && section === 'name') ? { at: 'name' } : { at: 'other' };
}

const NAMES = new Set(['name', 'files', 'dependsOn', 'movedFrom', 'ignore']);

/** Pure. A place in a `stack.yaml`. */
export function sealedInStack([key, part, , field]: Path): SealedPlace {
  const inCheck = key === 'health' && part === 'checks';
  const isName = NAMES.has(String(key)) || (inCheck && (field === 'name' || field === undefined));
  return { at: isName ? 'name' : 'other' };
}
