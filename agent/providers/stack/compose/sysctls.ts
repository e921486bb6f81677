import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { Context } from './context.ts';
import { splitPair } from './labels.ts';

/** `sysctls`, those that the policy allows. Absent where there are none. */
export function convertSysctls(
  written: Service['sysctls'],
  path: Path,
  { allow, notes }: Context,
): Record<string, string> | undefined {
  const pairs = Array.isArray(written)
    ? written.map((item, index) => [index, ...splitPair(item)] as const)
    : Object.entries(written ?? {}).map(([key, value]) => [key, key, value] as const);
  for (const [at, name] of pairs) {
    if (allow.sysctls.some((pattern) => isCovered(name, pattern))) continue;
    notes.error(
      'not-allowed',
      [...path, at],
      `the policy does not allow the sysctl \`${name}\``,
      `add \`${name}\` to \`policy.allow.sysctls\` in the environment if it must be`,
    );
  }
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value ?? '']));
}

/** A `*` at the end stands for anything, elsewhere for nothing. */
function isCovered(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
