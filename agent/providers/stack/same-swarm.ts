import type { ObservedConfig, SwarmState } from './swarm.ts';

/**
 * Pure. Whether two looks gave the same objects, but for the labels of the head, which change with every renewal of the lease. What
 * is read again with the same text is the same object (`SameLists`); equal content in another one counts as changed.
 */
export function isSameSwarm(before: SwarmState, now: SwarmState, headName: string): boolean {
  const isSameConfig = (had: ObservedConfig | undefined, has: ObservedConfig): boolean =>
    had === has || (had?.id === has.id && had.name === headName && has.name === headName);
  return (
    areSame(before.services, now.services) &&
    areSame(before.networks, now.networks) &&
    areSame(before.secrets, now.secrets) &&
    areSame(before.nodes, now.nodes) &&
    areSame(before.tasks, now.tasks) &&
    before.configs.length === now.configs.length &&
    now.configs.every((has, at) => isSameConfig(before.configs[at], has)) &&
    before.freshTaskIds.size === now.freshTaskIds.size &&
    now.freshTaskIds.isSubsetOf(before.freshTaskIds)
  );
}

function areSame<Item>(before: readonly Item[], now: readonly Item[]): boolean {
  return (
    before === now || (before.length === now.length && now.every((item, at) => item === before[at]))
  );
}
