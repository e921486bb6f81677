import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';

import type { AskIo, Desk } from './cli/ask-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { openSwarm } from './providers/stack/client.ts';
import { indexState } from './providers/stack/observed.ts';
import { swarmShelf } from './providers/stack/shelf.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import { HEAD_NAME } from './record/head.ts';

/** The Swarm for one who asks something of the agents; closing it closes `swarm`. */
export function deskOn(swarm: Swarm & { close(): void }): Desk {
  const keeper = swarmShelf(swarm, HEAD_NAME);
  return {
    shelf: async (signal) => {
      const state = await swarm.observe(signal);
      if (state.status !== 'ok') return state;
      return { status: 'ok', value: keeper.look(indexState(state.value, undefined)) };
    },
    labels: (signal) => swarm.configLabels(HEAD_NAME, signal),
    swap: (head, labels, signal) => keeper.swap(head, labels, signal),
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
