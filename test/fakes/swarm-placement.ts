import { isDeepStrictEqual } from 'node:util';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import type { FakeNode, FakeService, FakeTask, World } from './swarm-world.ts';

type Fit = 'same' | 'placement' | 'other';
const fits = new WeakMap<FakeTask, { readonly spec: ServiceSpec; readonly fit: Fit }>();

/** Specs are replaced, never changed: what was compared once needs no comparing again. */
function fitOf(task: FakeTask, spec: ServiceSpec): Fit {
  const known = fits.get(task);
  if (known?.spec === spec) return known.fit;
  const { Placement: _old, ...template } = task.template;
  const { Placement: _new, ...wanted } = spec.TaskTemplate;
  const same =
    isDeepStrictEqual(template, wanted) && isDeepStrictEqual(task.endpoint, spec.EndpointSpec);
  const placed = isDeepStrictEqual(task.template.Placement, spec.TaskTemplate.Placement);
  const fit = same ? (placed ? 'same' : 'placement') : 'other';
  fits.set(task, { spec, fit });
  return fit;
}

/** Whether a task fits the current spec of its service: what the engine's `_up-to-date` filter asks. */
export function isFresh(
  nodes: ReadonlyMap<string, FakeNode>,
  task: FakeTask,
  service: FakeService | undefined,
): boolean {
  if (service === undefined) return false;
  const fit = fitOf(task, service.spec);
  if (fit !== 'placement') return fit === 'same';
  const node = nodes.get(task.nodeId ?? '');
  return node !== undefined && meets(node, service.spec);
}

/** Whether a node may have tasks of a service by its constraints. */
export function meets(node: FakeNode, spec: ServiceSpec): boolean {
  return (spec.TaskTemplate.Placement.Constraints ?? []).every((constraint) => {
    const [, key = '', how = '', wanted = ''] = /^(.*?)\s*(==|!=)\s*(.*)$/.exec(constraint) ?? [];
    return (fieldOf(node, key).toLowerCase() === wanted.toLowerCase()) === (how === '==');
  });
}

function fieldOf(node: FakeNode, key: string): string {
  if (key === 'node.id') return node.id;
  if (key === 'node.hostname') return node.hostname;
  if (key === 'node.role') return node.role;
  return node.labels[key.replace(/^node\.labels\./, '')] ?? '';
}

/** Whether a node takes new tasks. */
export function takes({ availability, state }: FakeNode): boolean {
  return availability === 'active' && state === 'ready';
}

/** Whether a task's node is away or must be left. */
export function isLost(world: World, task: FakeTask): boolean {
  const node = world.nodes.get(task.nodeId ?? '');
  return node !== undefined && (node.state === 'down' || node.availability === 'drain');
}

/** The node that gets a task, or why none does, as the scheduler says it. */
export function place(world: World, task: FakeTask): FakeNode | string {
  const spec = world.services.get(task.serviceId)?.spec;
  const all = [...world.nodes.values()];
  const there = all.filter(takes);
  const fit = there.filter((node) => spec === undefined || meets(node, spec));
  const node = fit[(task.slot ?? 1) % Math.max(fit.length, 1)];
  if (node !== undefined) return node;
  const [unfit, away] = [there.length, all.length - there.length];
  const reasons = [
    { count: unfit, text: `scheduling constraints not satisfied on ${nodes(unfit)}` },
    { count: away, text: `${nodes(away)} not available for new tasks` },
  ];
  const said = reasons.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
  return `no suitable node (${said.map(({ text }) => text).join('; ')})`;
}

function nodes(count: number): string {
  return `${String(count)} node${count === 1 ? '' : 's'}`;
}
