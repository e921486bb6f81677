import type { Sight, SightDesk, SightIo } from './cli/sight-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { openSwarm } from './providers/stack/client.ts';
import { stackLive } from './providers/stack/live.ts';
import { indexState } from './providers/stack/observed.ts';
import { shelfIn } from './providers/stack/shelf.ts';
import type { Swarm, SwarmState } from './providers/stack/swarm.ts';
import { HEAD_NAME } from './record/head.ts';

/** The Swarm for one who only looks: one call a list, nothing is written. Closing it closes `swarm`. */
export function sightOn(swarm: Pick<Swarm, 'observe'> & { close(): void }): SightDesk {
  return {
    sight: async (signal) => {
      const read = await swarm.observe(signal);
      return read.status === 'ok' ? { status: 'ok', value: sightOf(read.value) } : read;
    },
    close: () => swarm.close(),
  };
}

function sightOf(state: SwarmState): Sight {
  const observed = indexState(state, undefined);
  const head = state.configs.find(({ name }) => name === HEAD_NAME);
  return {
    shelf: shelfIn({ state }, HEAD_NAME),
    ...(head?.updatedAt !== undefined && { headAt: head.updatedAt }),
    live: (id, release) => stackLive(id, release, observed),
  };
}

/** What a command that looks takes from this machine. `columns`: of the terminal, absent where there is none. */
export function sightIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
  columns: number | undefined,
): SightIo {
  return {
    ...output,
    clock: systemClock,
    environment,
    ...(columns !== undefined && { columns }),
    open: (socket) => sightOn(openSwarm({ socket }, systemClock)),
  };
}
