import type { ObservedNode } from './swarm.ts';

/**
 * Pure. Whether a node meets all placement constraints, by swarmkit's rules (manager/constraint): `==` and `!=`,
 * compared without regard to case; a label that a node does not have is an empty text; an unknown attribute never fits.
 */
export function meets(node: ObservedNode, constraints: readonly string[]): boolean {
  return unmetBy(node, constraints) === undefined;
}

/** Pure. The first constraint that a node does not meet, and what it has; `value` is undefined where there is no such thing. */
export function unmetBy(
  node: ObservedNode,
  constraints: readonly string[],
): { readonly constraint: string; readonly value: string | undefined } | undefined {
  for (const constraint of constraints) {
    const match = /^\s*([\w.-]+)\s*(==|!=)\s*(.*?)\s*$/.exec(constraint);
    const [, attribute = '', operator, wanted = ''] = match ?? [];
    const value = attributeOf(node, attribute);
    if (match === null || value === undefined) return { constraint, value: undefined };
    const equal = value.toLowerCase() === wanted.toLowerCase();
    if (equal !== (operator === '==')) return { constraint, value };
  }
  return undefined;
}

function attributeOf(node: ObservedNode, attribute: string): string | undefined {
  const known: Record<string, string | undefined> = {
    'node.id': node.id,
    'node.hostname': node.hostname,
    'node.ip': node.address,
    'node.role': node.role,
    'node.platform.os': node.platform.os,
    'node.platform.arch': node.platform.architecture,
  };
  const name = attribute.toLowerCase();
  if (Object.hasOwn(known, name)) return known[name];
  for (const [prefix, labels] of [
    ['node.labels.', node.labels],
    ['engine.labels.', node.engineLabels],
  ] as const) {
    if (name.startsWith(prefix)) {
      const label = attribute.slice(prefix.length);
      return Object.hasOwn(labels, label) ? labels[label] : '';
    }
  }
  return undefined;
}
