import { z } from 'zod';

import type { ServiceSpec } from '../engine-api.ts';
import type { ObservedTask } from '../swarm.ts';
import { bytesInWords } from './units.ts';

/** Seen where a node finds no address for its load balancer. */
const NO_ADDRESS = /missing network attachments, ip addresses may be exhausted/;

/** What an engine says of a task that it could not start, and what that means. The first that fits is told. */
const CAUSES: readonly { readonly text: RegExp; readonly means: string }[] = [
  {
    text: /bind source path does not exist: (\S+)/,
    means: 'the folder `$1` is not on that node: make it there, or keep the service off it',
  },
  {
    text: NO_ADDRESS,
    means:
      'the subnet of one of its networks has no address left, not even for the load balancer of that node',
  },
  {
    text: /port is already allocated|address already in use/,
    means: 'a host port is taken on that node by something that is no service of this Swarm',
  },
  {
    text: /error creating vxlan interface: file exists|subnet sandbox join failed|could not find network allocator state/,
    means: 'that node still has an old network of the same range: restart its engine',
  },
  {
    text: /network \S+ not found|no such network/i,
    means: 'that node does not know the network: it was removed, or made anew under the same name',
  },
  {
    text: /unable to get (secret|config) from \w+ store/,
    means: 'a $1 that it names was removed while it ran',
  },
  {
    text: /no such volume|error looking up volume plugin (\S+)|error while mounting volume/i,
    means: 'a volume cannot be mounted on that node: is its driver, or what it mounts, there?',
  },
  {
    text: /exec: "([^"]+)"[^]*(no such file or directory|executable file not found)/,
    means: 'the image has no command `$1`',
  },
  {
    text: /exec: "([^"]+)"[^]*permission denied/,
    means: 'the command `$1` in the image may not be executed',
  },
  { text: /exec format error/, means: 'the image is for another kind of processor' },
  { text: /no space left on device/i, means: 'the disk of that node is full' },
];

/** What ended a program, by its exit code. 128 and more: a signal. */
const EXITS: Readonly<Record<number, string>> = {
  125: 'the container could not be started',
  126: 'its command cannot be executed',
  127: 'its command was not found',
  130: 'ended by SIGINT',
  131: 'ended by SIGQUIT',
  132: 'it did something that this processor cannot do (SIGILL)',
  134: 'it gave up by itself (SIGABRT)',
  135: 'it broke off (SIGBUS)',
  136: 'it divided by nothing (SIGFPE)',
  139: 'it broke off at a wrong address (SIGSEGV)',
  141: 'it wrote to what was closed (SIGPIPE)',
  143: 'it was told to end (SIGTERM)',
};

/** Pure. What the end of a task means, for people; undefined where its own words say all. */
export function endInWords(
  { error = '', exitCode }: ObservedTask,
  { TaskTemplate: { Resources: resources } }: ServiceSpec,
): string | undefined {
  for (const { text, means } of CAUSES) {
    const match = text.exec(error);
    if (match !== null) return means.replace('$1', match[1] ?? '');
  }
  if (exitCode === 137 && !error.includes('unhealthy')) {
    const limit = resources?.Limits?.MemoryBytes ?? 0;
    return limit > 0
      ? `it was killed: probably out of memory, its limit is ${bytesInWords(limit)}`
      : 'it was killed (SIGKILL): by its node, or because it did not end when told to';
  }
  return exitCode === undefined ? undefined : EXITS[exitCode];
}

/** Pure. Whether a task could not run for want of an address. */
export function lacksAddress({ error = '' }: ObservedTask): boolean {
  return NO_ADDRESS.test(error);
}

/** Seconds that a node waits for its addresses before it rejects a task for them (moby, container executor: 30). */
const ADDRESS_WAIT = 30;

/**
 * Pure. Whether a node stopped to wait for its addresses long before it gives up: the Swarm wrote the task meanwhile, for one
 * because the task of before had ended, and the engine takes the end of the wait for a lack. Nothing is lacking then, and the
 * next task starts.
 */
export function brokeOffWaiting(task: ObservedTask): boolean {
  if (task.state !== 'rejected' || !lacksAddress(task)) return false;
  const waited = secondsOf(task.timestamp) - secondsOf(task.createdAt);
  return waited < ADDRESS_WAIT;
}

const time = z.coerce.date();

/** Since 1970; not a number for what is no time. */
function secondsOf(iso: string): number {
  const parsed = time.safeParse(iso);
  return parsed.success ? parsed.data.getTime() / 1000 : Number.NaN;
}
