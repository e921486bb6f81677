import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { BenchAgent } from './bench-agent.ts';
import type { Wanted } from './options.ts';

const TIMES = 5;

/** The action, with a profile of the agent meanwhile where one is wanted. */
export async function profiled<Value>(
  { wanted: { profile }, signal }: { readonly wanted: Wanted; readonly signal: AbortSignal },
  agent: BenchAgent,
  name: string,
  action: () => Promise<Value>,
): Promise<Value> {
  if (profile === undefined) return await action();
  await mkdir(profile, { recursive: true });
  agent.ask({ ask: 'profile' });
  const value = await action();
  await agent.endProfile(join(profile, `${name}.cpuprofile`), signal);
  return value;
}

/** One after the other; each is told its number, from 2 on: what is there is the first edition. */
export async function times(
  take: (edition: number) => Promise<number>,
): Promise<readonly number[]> {
  const all: number[] = [];
  for (let time = 0; time < TIMES; time += 1) all.push(await take(time + 2));
  return all;
}
