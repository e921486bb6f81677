import { randomBytes } from 'node:crypto';

import type { AdoptDesk, AdoptIo, Adoption } from './cli/adopt-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { Secret } from './core/secret.ts';
import { openSwarm } from './providers/stack/client.ts';
import { policyLines } from './providers/stack/compose-back/needed-policy.ts';
import { adoptStack } from './providers/stack/compose-back/proof.ts';
import { stacksIn } from './providers/stack/compose-back/write-back.ts';
import { indexState } from './providers/stack/observed.ts';
import type { Swarm, SwarmState } from './providers/stack/swarm.ts';
import { HEAD_NAME, parseHead } from './record/head.ts';

const KEY_BYTES = 32;

/** What the command `adopt` takes from this machine. */
export function adoptIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
): AdoptIo {
  return {
    ...output,
    environment,
    open: (socket) => adoptOn(openSwarm({ socket }, systemClock)),
  };
}

/** The Swarm for one who adopts: of `swarm` nothing is used but what reads. Closing it closes `swarm`. */
export function adoptOn(swarm: Pick<Swarm, 'observe'> & { close(): void }): AdoptDesk {
  return {
    adopt: async (stack, signal) => {
      const read = await swarm.observe(signal);
      return read.status === 'ok' ? { status: 'ok', value: adoption(stack, read.value) } : read;
    },
    close: () => swarm.close(),
  };
}

function adoption(stack: string, state: SwarmState): Adoption {
  const observed = indexState(state, digestKeyOf(state));
  const stacks = stacksIn(observed);
  if (!stacks.includes(stack)) return { stacks };
  const { written, proof } = adoptStack(stack, observed);
  const { files, allow } = written;
  const { notes, ...rest } = proof;
  const said = [...written.notes, ...notes];
  return { adopted: { files, policy: policyLines(allow), notes: said, ...rest } };
}

/** Where no agent made one yet, no name in the Swarm has digits by it: any key will do. */
function digestKeyOf({ configs }: SwarmState): Secret {
  const head = parseHead(configs.find(({ name }) => name === HEAD_NAME)?.data);
  if (head.status === 'there') return head.digestKey;
  return new Secret(randomBytes(KEY_BYTES).toString('base64'));
}
