import type { ComposeResult } from '../../../../agent/providers/stack/compose/render.ts';
import { adoptStack } from '../../../../agent/providers/stack/compose-back/proof.ts';
import type { StackObserved } from '../../../../agent/providers/stack/observed.ts';
import { blogNetwork, observed } from '../../../fakes/stack.ts';
import { storedSpec } from '../../../fakes/swarm-defaults.ts';

/** A Swarm of engine 20.10 to which all of a stack was sent, and in which what it needs was there before. */
export function swarmOf(result: ComposeResult): StackObserved {
  const outside = result.needs.map((need) => {
    const [noun = '', name = ''] = need.split(':');
    return { noun, name };
  });
  const foreign = (noun: string) =>
    outside.filter((one) => one.noun === noun).map(({ name }) => ({ name, labels: {} }));
  const networks = Object.values(result.networks).map((body) => ({
    id: `id-${body.Name}`,
    name: body.Name,
    scope: 'swarm',
    labels: body.Labels,
    driver: body.Driver,
    internal: body.Internal,
    attachable: body.Attachable,
    options: { ...blogNetwork.options, ...body.Options },
    ipamDriver:
      body.IPAM?.Driver === undefined || body.IPAM.Driver === '' ? 'default' : body.IPAM.Driver,
    subnets: subnetsOf(body.IPAM?.Config ?? []),
  }));
  const files = <Body extends object>(bodies: readonly Body[]) =>
    bodies.map((body, at) => ({ id: `file-${String(at)}`, version: 1, ...body }));
  return observed({
    services: Object.values(result.services).map((spec) => ({
      id: `id-${spec.Name}`,
      version: 1,
      spec: storedSpec(spec, (name) => (name === 'host' ? 'hidden' : `id-${name}`)),
    })),
    networks: [
      ...networks,
      ...foreign('network').map((one) => ({ ...blogNetwork, ...one, id: `id-${one.name}` })),
    ],
    configs: files([
      ...Object.values(result.configs),
      ...foreign('config').map((one) => ({ ...one, data: 'eA==' })),
    ]),
    secrets: files([
      ...Object.values(result.secrets).map(({ name, labels }) => ({ name, labels })),
      ...foreign('secret'),
    ]),
  });
}

/** Configs without a subnet get one; without any config there is one. */
function subnetsOf(configs: readonly { readonly Subnet?: string }[]): readonly string[] {
  const given = configs.map(({ Subnet }, at) => Subnet ?? `10.0.${String(at)}.0/24`);
  return given.length === 0 ? ['10.0.9.0/24'] : given;
}

/** What is written of a stack, as text, and what is left to do with it. */
export function adopted(stack: string, there: StackObserved) {
  const { written, proof } = adoptStack(stack, there);
  const compose = new TextDecoder().decode(written.files.get('compose.yaml'));
  return { ...written, compose, ...proof, told: written.notes };
}
