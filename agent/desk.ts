import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

import type { AskIo, Desk } from './cli/ask-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { openSwarm } from './providers/stack/client.ts';
import { swarmHead } from './providers/stack/head.ts';
import { shelfIn } from './providers/stack/shelf.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import { HEAD_NAME, headFormat } from './record/head.ts';

/** The Swarm for one who asks something of the agents; closing it closes `swarm`. */
export function deskOn(swarm: Swarm & { close(): void }): Desk {
  const head = swarmHead(
    swarm,
    headFormat((bytes) => randomBytes(bytes)),
  );
  return {
    shelf: async (signal) => {
      const state = await swarm.observe(signal);
      if (state.status !== 'ok') return state;
      return { status: 'ok', value: shelfIn({ state: state.value }, HEAD_NAME) };
    },
    labels: async (signal) => {
      const read = await head.read(signal);
      if (read.status !== 'ok') return read;
      if (read.value !== undefined) return { status: 'ok', value: read.value };
      const why = `config ${HEAD_NAME} is not there`;
      return { status: 'refused', why, retry: 'after-replan' };
    },
    swap: (seen, labels, signal) => head.swap(seen, labels, signal),
    close: () => swarm.close(),
  };
}

/** What a command that asks takes from this machine. */
export function askIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
): AskIo {
  return {
    ...output,
    clock: systemClock,
    environment,
    by: `${userName()}@${hostname()}`.replace(/\p{C}/gu, '').slice(0, 100),
    random: () => randomBytes(4).toString('hex'),
    open: (socket) => deskOn(openSwarm({ socket }, systemClock)),
  };
}

/** In a container a user may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? 0)}`;
  }
}
