import { NAMESPACE_LABEL } from '../compose/labels.ts';
import type { NetworkAttachment } from '../engine-api.ts';
import { ownOptions } from '../network-diff.ts';
import { NAMESPACE, PREDEFINED_NETWORKS } from '../observed.ts';
import type { ObservedNetwork } from '../swarm.ts';
import type { Writing } from './context.ts';
import { keysFor } from './sections.ts';
import { fields, labelsOf, orAbsent, textMap, type Tree } from './tree.ts';

/** `networks` of a service; absent where it is in the stack's `default` and nowhere else. */
export function attachmentsOf(
  service: string,
  attachments: readonly NetworkAttachment[] | undefined,
  writing: Writing,
): Tree | undefined {
  const entries = (attachments ?? []).map((one): [string, Tree] => [
    networkKey(one.Target, writing),
    attachmentOf(service, one),
  ]);
  const isPlain = entries.every(([, entry]) => entry === null);
  const keys = entries.map(([key]) => key);
  if (isPlain && keys.length === 1 && keys[0] === 'default') return undefined;
  return orAbsent(isPlain ? keys : new Map(entries));
}

function attachmentOf(service: string, attachment: NetworkAttachment): Tree {
  const aliases = attachment.Aliases ?? [];
  const own = aliases.at(-1) === service ? aliases.slice(0, -1) : aliases;
  const options = orAbsent(textMap(attachment.DriverOpts));
  return orAbsent(fields({ aliases: orAbsent(own), driver_opts: options })) ?? null;
}

function networkKey(target: string, writing: Writing): string {
  const { stack, observed, networks, notes } = writing;
  const listed = observed.networkNames.get(target);
  const name = listed ?? (PREDEFINED_NETWORKS.has(target) ? target : 'host');
  if (listed === undefined && name !== target) {
    notes.add(
      `network ${target} is in no list: taken for \`host\`, the network of the nodes; see whether that is so`,
    );
  }
  const there = observed.networks.get(name.toLowerCase());
  const isOwn = there !== undefined && there.labels[NAMESPACE] === stack;
  const wanted = isOwn ? keysFor(name, stack) : [name];
  return networks.use(name, wanted, (key) =>
    isOwn
      ? entryOf(there, key, writing)
      : fields({ external: true, name: key === name ? undefined : name }),
  );
}

function entryOf(there: ObservedNetwork, key: string, { stack, subnets }: Writing): Tree {
  const { name, driver, internal, attachable, labels } = there;
  const isStated = there.subnets.some((subnet) => !isFromPool(subnet));
  if (!isStated) subnets.push(...there.subnets.map((subnet) => `${subnet} of ${name}`));
  const ipam = fields({
    driver: ['', 'default'].includes(there.ipamDriver) ? undefined : there.ipamDriver,
    config: isStated ? there.subnets.map((subnet) => fields({ subnet })) : undefined,
  });
  return (
    orAbsent(
      fields({
        name: name === `${stack}_${key}` ? undefined : name,
        driver: ['', 'overlay'].includes(driver) ? undefined : driver,
        driver_opts: orAbsent(textMap(ownOptions(there.options))),
        ipam: orAbsent(ipam),
        internal: internal ? true : undefined,
        attachable: attachable ? true : undefined,
        labels: labelsOf(labels, [NAMESPACE_LABEL]),
      }),
    ) ?? null
  );
}

/** As Swarms give networks a subnet unless they were set up otherwise: `10.0.0.0/8` in parts of `/24`. */
function isFromPool(subnet: string): boolean {
  return /^10\.\d+\.\d+\.\d+\/24$/.test(subnet);
}
