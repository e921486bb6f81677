import type { AllowRules } from '../../../core/surroundings.ts';
import { NAMESPACE, type StackObserved } from '../observed.ts';
import type { ServiceSpec } from '../engine-api.ts';
import { beginWriting, type Writing } from './context.ts';
import { neededPolicy, policyLines } from './needed-policy.ts';
import { serviceOf } from './service.ts';
import { composeText } from './text.ts';
import { fields, orAbsent, type Tree } from './tree.ts';

/** A stack that runs, as the files that ask for it. */
export interface WrittenBack {
  /** By their path from the stack's folder; `compose.yaml` is the last one. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The least that `policy.allow` must say for it. */
  readonly allow: AllowRules;
  /** What a person should know about it. */
  readonly notes: readonly string[];
}

/** Pure. The stacks of a Swarm by what their services say, sorted. */
export function stacksIn({ serviceNames }: StackObserved): readonly string[] {
  return [...serviceNames.keys()].flatMap((name) => (name === '' ? [] : (name ?? []))).toSorted();
}

/**
 * Pure. The reverse of rendering, as far as Compose can say it: what it cannot say is missing, and shows when the result
 * is compared with the Swarm (`proof.ts`). Volumes that no service mounts, and networks, configs and secrets that none uses,
 * are left out: nothing would be done about them. `more`: what the policy must allow beside what can be seen.
 */
export function writeBack(
  stack: string,
  observed: StackObserved,
  more: Partial<AllowRules> = {},
): WrittenBack {
  const members = observed.state.services
    .map(({ spec }) => spec)
    .filter(({ Labels: labels }) => labels?.[NAMESPACE] === stack)
    .toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
  const start = `${stack}_`;
  const named = members.filter(({ Name }) => Name.startsWith(start) && Name.length > start.length);
  const writing = beginWriting(stack, observed, named);
  for (const { Name } of members) {
    if (named.some((one) => one.Name === Name)) continue;
    writing.notes.add(
      `service ${Name} is left out: in a file its name would begin with \`${start}\``,
    );
  }
  const services = new Map(
    named.map((spec): [string, Tree] => {
      const key = spec.Name.slice(start.length);
      return [key, serviceOf(key, spec, writing)];
    }),
  );
  noteUnused(named, writing);
  const allow = { ...allowFor(named, writing), ...more };
  const tree = fields({
    services,
    networks: declared(writing.networks.entries()),
    volumes: orAbsent(writing.volumes.entries()),
    configs: orAbsent(writing.configs.entries()),
    secrets: orAbsent(writing.secrets.entries()),
  });
  const text = composeText(tree, comment(stack, allow));
  return {
    files: new Map([...writing.files, ['compose.yaml', Buffer.from(text)]]),
    allow,
    notes: [...writing.notes, ...subnetNote(writing)],
  };
}

function subnetNote({ subnets }: Writing): readonly string[] {
  if (subnets.length === 0) return [];
  const which = subnets.join(', ');
  return [`not written, because the engine may have chosen it: ${which}; add \`ipam\` to keep one`];
}

/** `default` is declared by being used, where there is nothing to say of it. */
function declared(networks: ReadonlyMap<string, Tree>): Tree | undefined {
  return orAbsent(
    new Map([...networks].filter(([key, entry]) => key !== 'default' || entry !== null)),
  );
}

function comment(stack: string, allow: AllowRules): readonly string[] {
  const lines = policyLines(allow);
  return [
    `Stack ${stack} as it ran, written by \`understudy adopt\`.`,
    ...(lines.length === 0
      ? []
      : ['In environments/NAME.yaml it needs:', ...lines.map((line) => `  ${line}`)]),
  ];
}

function networksOf(services: readonly ServiceSpec[], { observed }: Writing): readonly string[] {
  return services
    .flatMap(({ TaskTemplate: task }) => task.Networks ?? [])
    .map(({ Target }) => observed.networkNames.get(Target) ?? Target);
}

function allowFor(services: readonly ServiceSpec[], writing: Writing): AllowRules {
  const { observed, networks, stack } = writing;
  const own = networksOf(services, writing)
    .flatMap((name) => observed.networks.get(name.toLowerCase()) ?? [])
    .filter(({ labels }) => labels[NAMESPACE] === stack);
  return neededPolicy(services, own, networks.has('host'));
}

function noteUnused(services: readonly ServiceSpec[], writing: Writing): void {
  const { observed, stack, notes } = writing;
  const containers = services.map(({ TaskTemplate: task }) => task.ContainerSpec);
  const used = {
    network: new Set(networksOf(services, writing)),
    config: writing.configsInUse,
    secret: new Set(containers.flatMap((one) => one.Secrets ?? []).map((one) => one.SecretName)),
  };
  const there = {
    network: [...observed.networks.values()],
    config: observed.state.configs,
    secret: observed.state.secrets,
  };
  for (const noun of ['network', 'config', 'secret'] as const) {
    for (const { name, labels } of there[noun]) {
      if (labels[NAMESPACE] !== stack || used[noun].has(name)) continue;
      const then = noun === 'secret' ? 'stays as it is' : 'goes when the stack is removed';
      notes.add(`${noun} ${name} is used by no service: it is left out, and ${then}`);
    }
  }
}
