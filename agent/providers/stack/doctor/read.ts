import type { CallOutcome } from '../../../core/kind.ts';
import type { NotOk } from '../classify.ts';
import { outcomeOf } from '../judged.ts';
import type { Shaped } from '../shaped.ts';
import { readIdentity } from '../shapes.ts';
import type { Modem } from '../transport.ts';
import { servicesOn } from './addresses.ts';
import type { Inspection, SwarmNetwork } from './inspection.ts';
import {
  readOneNetwork,
  readSettings,
  readSwarmNetworks,
  readSwarmNodes,
  readSwarmServices,
  readSwarmTasks,
} from './shapes.ts';

/** So many networks without a service are asked for their containers. */
const LOOKED_INTO_MAX = 32;

/** Reads a Swarm through one manager's engine, with nothing but GET. Without any of the lists there is no answer. */
export async function inspectSwarm(
  modem: Modem,
  signal: AbortSignal,
): Promise<CallOutcome<Inspection>> {
  signal.throwIfAborted();
  let failed: NotOk | undefined;
  async function read<Value>(
    path: string,
    shape: (json: unknown) => Shaped<Value>,
  ): Promise<Value | undefined> {
    const dial = { path, method: 'GET', options: { _query: {} }, abortSignal: signal };
    const outcome = await outcomeOf(() => modem.ask(dial), shape);
    if (outcome.status === 'ok') return outcome.value;
    // Of several failures one with a cause says more: the first may only be late.
    const why = `reading ${path.slice(1)}: ${outcome.why}`;
    if (failed?.cause === undefined || failed.cause === 'unreachable') failed = { ...outcome, why };
    return undefined;
  }

  const [identity, settings, nodes, networks, services, tasks] = await Promise.all([
    read('/info', readIdentity),
    read('/swarm', readSettings),
    read('/nodes', readSwarmNodes),
    read('/networks', readSwarmNetworks),
    read('/services', readSwarmServices),
    read('/tasks', readSwarmTasks),
  ]);
  signal.throwIfAborted();
  if (!(identity && settings && nodes && networks && services && tasks)) {
    return failed ?? { status: 'unknown', why: 'reading the Swarm failed' };
  }
  const engine = { nodeId: identity.nodeId, name: identity.nodeName };
  const inspection = { engine, settings, nodes, networks, services, tasks };
  const looked = await Promise.all(
    networks
      .filter((network) => isInQuestion(network, inspection))
      .slice(0, LOOKED_INTO_MAX)
      // One that is gone by now, or does not answer, stays as the list had it.
      .map(({ id }) => read(`/networks/${id}`, readOneNetwork)),
  );
  signal.throwIfAborted();
  const known = new Map(looked.flatMap((one) => (one === undefined ? [] : [[one.id, one]])));
  const withContainers = networks.map((one) => known.get(one.id) ?? one);
  return { status: 'ok', value: { ...inspection, networks: withContainers } };
}

/** The list says of no network which containers are in it. */
function isInQuestion(network: SwarmNetwork, inspection: Inspection): boolean {
  const isNamed = /^[0-9a-z]{25}$/.test(network.id);
  if (network.isIngress) return false;
  return isNamed && network.scope === 'swarm' && servicesOn(network, inspection).length === 0;
}
