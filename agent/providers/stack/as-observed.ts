import type { Rendered } from '../../core/kind.ts';
import type { Secret } from '../../core/secret.ts';
import { diffStack } from './diff.ts';
import type { NetworkCreate } from './engine-api.ts';
import { indexState, PREDEFINED_NETWORKS, type StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedNetwork, SwarmState } from './swarm.ts';

const nothing: SwarmState = {
  services: [],
  networks: [],
  configs: [],
  secrets: [],
  nodes: [],
  tasks: [],
  freshTaskIds: new Set(),
};

/**
 * Pure. The Swarm as it would be observed with exactly these stacks on it: what they would call for on an empty one, carried
 * out. So one revision is compared with another by the rules that it is compared with a Swarm by. What others must have
 * made is there. `key` keys the digests of contents; nobody may know it where such a digest is shown.
 */
export function asObserved(units: readonly Rendered<StackSpec>[], key: Secret): StackObserved {
  const empty = indexState(nothing, key);
  const calls = units.flatMap((unit) =>
    diffStack(withoutNeeds(unit), empty).operations.map(({ call }) => call),
  );
  const networks = calls.flatMap((call) =>
    call.op === 'network-create' ? [observedNetwork(call.body)] : [],
  );
  return indexState(
    {
      ...nothing,
      services: calls.flatMap((call) =>
        call.op === 'service-create' ? [{ id: call.body.Name, version: 0, spec: call.body }] : [],
      ),
      networks: [...networks, ...othersNetworks(units, networks)],
      configs: calls.flatMap((call) => {
        if (call.op !== 'config-create') return [];
        const { op: _op, ...config } = call;
        return [{ ...config, id: config.name, version: 0 }];
      }),
      secrets: calls.flatMap((call) => {
        if (call.op !== 'secret-create') return [];
        const { op: _op, data: _data, driver, ...secret } = call;
        return [{ ...secret, ...(driver && { driver }), id: secret.name, version: 0 }];
      }),
    },
    key,
  );
}

/** Pure. The unit as if all that others must have made were there: two revisions say nothing of that. */
export function withoutNeeds(unit: Rendered<StackSpec>): Rendered<StackSpec> {
  return { ...unit, needs: [] };
}

/** By its name as id: in a spec that is not sent yet services name it so. */
function observedNetwork(body: NetworkCreate): ObservedNetwork {
  return {
    ...bare(body.Name),
    labels: body.Labels,
    driver: body.Driver,
    internal: body.Internal,
    attachable: body.Attachable,
    options: body.Options ?? {},
    ipamDriver: body.IPAM?.Driver ?? '',
    subnets: (body.IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
  };
}

/** Networks of nobody here: a service that goes from one of them to another must show. */
function othersNetworks(
  units: readonly Rendered<StackSpec>[],
  own: readonly ObservedNetwork[],
): readonly ObservedNetwork[] {
  const made = new Set(own.map(({ name }) => name));
  const needed = units.flatMap(({ needs }) =>
    needs.flatMap((need) => (need.startsWith('network:') ? need.slice('network:'.length) : [])),
  );
  return [...new Set([...PREDEFINED_NETWORKS, ...needed])]
    .filter((name) => !made.has(name))
    .map(bare);
}

function bare(name: string): ObservedNetwork {
  return {
    id: name,
    name,
    scope: 'swarm',
    labels: {},
    driver: '',
    internal: false,
    attachable: false,
    options: {},
    ipamDriver: '',
    subnets: [],
  };
}
