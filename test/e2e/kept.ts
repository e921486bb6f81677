import { Secret } from '../../agent/core/secret.ts';
import type { Difference } from '../../agent/core/kind.ts';
import { diffStack } from '../../agent/providers/stack/diff.ts';
import { indexState, type StackObserved } from '../../agent/providers/stack/observed.ts';
import { stackProvider } from '../../agent/providers/stack/provider.ts';
import type { StackCall, Swarm } from '../../agent/providers/stack/swarm.ts';
import { stackFromWire, stackToWire } from '../../agent/providers/stack/wire.ts';
import { digestKey, network, unit } from '../fakes/stack.ts';
import { outside, rendered, type Pair } from '../providers/stack/every-key/file.ts';

/** Stacks on a real engine: sent by our own client, read back, compared. */

export type Side = 'before' | 'after';

const AT_ONCE = 8;
const never = new AbortController().signal;

/** Anew each time: what a unit remembers to be equal must not answer here. */
export function wanted({ stack, ...pair }: Pair, side: Side) {
  const { result, diagnostics } = rendered(stack, pair[side]);
  if (result === undefined) throw new Error(JSON.stringify(diagnostics));
  const { needs, ...parts } = result;
  const { spec, ...rest } = unit({ ...parts, name: stack });
  // As it comes to the agent: through the pipe from the process that renders.
  const received = stackFromWire.parse(JSON.parse(JSON.stringify(stackToWire(spec))));
  return { ...rest, spec: received, id: `stack/${stack}` as const, needs };
}

export async function observed(swarm: Swarm): Promise<StackObserved> {
  const seen = await swarm.observe(never);
  if (seen.status !== 'ok') throw new Error(seen.why);
  return indexState(seen.value, digestKey);
}

async function carriedOut(
  swarm: Swarm,
  now: StackObserved,
  operations: Difference<StackCall>['operations'],
): Promise<readonly string[]> {
  const format = { name: '', parse: () => ({ status: 'missing' }) as const, make: () => '' };
  const caller = stackProvider(swarm, format).caller(now);
  for (const { call, target } of operations) {
    const outcome = await caller.call(call, never);
    if (outcome.status !== 'ok') return [`${target}: ${outcome.why}: ${JSON.stringify(call)}`];
  }
  return [];
}

/** All stacks, some at once; gives what was refused, and how many calls there were to make. */
export async function apply(swarm: Swarm, all: readonly Pair[], side: Side) {
  const now = await observed(swarm);
  const queue = all.values();
  const refused: string[] = [];
  let called = 0;
  const worker = async (): Promise<void> => {
    for (const pair of queue) {
      const { operations } = diffStack(wanted(pair, side), now);
      called += operations.length;
      refused.push(...(await carriedOut(swarm, now, operations)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { refused, called };
}

/** What is said where a file wants more than this machine has: no difference. */
const TOO_LARGE = /and the largest node has .*: it (?:cannot be placed|limits nothing)$/;

/** What the stacks are said to need, in words. */
export function differences(all: readonly Pair[], side: Side, now: StackObserved) {
  return all.flatMap((pair) => {
    const { operations, blocked, notes = [] } = diffStack(wanted(pair, side), now);
    return [
      ...operations.map(({ verb, target, fields }) => [verb, target, fields]),
      ...blocked.map(({ target, why }) => ['blocked', target, why]),
      ...notes.filter((note) => !TOO_LARGE.test(note)),
    ];
  });
}

/** What the files name as external. */
export async function makeOutside(swarm: Swarm): Promise<void> {
  const data = Buffer.from('x').toString('base64');
  const calls: readonly StackCall[] = [
    ...outside.networks.map((Name): StackCall => ({
      op: 'network-create',
      body: { ...network(Name), Labels: {} },
    })),
    ...outside.configs.map((name): StackCall => ({ op: 'config-create', name, labels: {}, data })),
    ...outside.secrets.map((name): StackCall => ({
      op: 'secret-create',
      name,
      labels: {},
      data: new Secret(data),
    })),
  ];
  for (const call of calls) {
    const outcome = await swarm.call(call, never);
    if (outcome.status !== 'ok') throw new Error(outcome.why);
  }
}
