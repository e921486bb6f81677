import type { StagePlan } from './plan.ts';
import { endsOf, namespacesOf, overlaps } from './plan.ts';
import type { Tools } from './packages.ts';
import { run, StageError } from './run.ts';

/**
 * Pure. The commands that build the stage's network: one namespace with the bridge, one for each host, and one link to
 * the machine. The bridge lies in a namespace of its own so that the machine's firewall does not see its traffic.
 */
export function networkScript(plan: StagePlan): string {
  const inner = plan.switchNamespace;
  const ends = endsOf(plan);
  return [
    'set -eu',
    ...namespacesOf(plan).map((name) => `ip netns add ${name}`),
    `ip -n ${inner} link set lo up`,
    // Without a forward delay of 0 a port would stay silent for 15 s after it came up.
    `ip -n ${inner} link add bridge type bridge stp_state 0 forward_delay 0`,
    `ip -n ${inner} link set bridge up`,
    ...ends.flatMap(({ namespace, address }) => [
      `ip -n ${inner} link add ${namespace} type veth peer name eth0 netns ${namespace}`,
      `ip -n ${inner} link set ${namespace} master bridge up`,
      `ip -n ${namespace} addr add ${address}/24 dev eth0`,
      `ip -n ${namespace} link set lo up`,
      `ip -n ${namespace} link set eth0 up`,
    ]),
    // The shell's own process stands for the machine's namespace.
    `ip -n ${inner} link add machine type veth peer name ${plan.link} netns $$`,
    `ip -n ${inner} link set machine master bridge up`,
    `ip addr add ${plan.gateway}/24 dev ${plan.link}`,
    `ip link set ${plan.link} up`,
    '',
  ].join('\n');
}

/** Builds the network. Throws `StageError`, also where something that is not ours uses the subnet. */
export async function raiseNetwork(
  plan: StagePlan,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const routes: unknown = JSON.parse(
    await run(['ip', '-j', '-4', 'route', 'show', 'table', 'all'], { env: tools.env }, signal),
  );
  const taken = usedBy(routes, plan);
  if (taken !== undefined) {
    throw new StageError(
      `the network ${plan.subnet} is in use on this machine (${taken}); choose another one with --subnet a.b.c.0/24`,
    );
  }
  await run(['sh', '-s'], { env: tools.env, input: networkScript(plan) }, signal);
}

/** Pure. The route, as `ip -j route` lists it, that lies in the stage's subnet and is not the stage's own. */
export function usedBy(routes: unknown, plan: StagePlan): string | undefined {
  if (!Array.isArray(routes)) return undefined;
  for (const route of routes) {
    const destination = fieldOf(route, 'dst');
    const device = fieldOf(route, 'dev') ?? 'no link';
    if (destination === undefined || destination === 'default' || device === plan.link) continue;
    if (overlaps(destination, plan.subnet)) return `${destination} on ${device}`;
  }
  return undefined;
}

function fieldOf(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found : undefined;
}
