import type { Finding } from '../../../core/finding.ts';
import type { CallOutcome } from '../../../core/kind.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import { openModem } from '../transport.ts';
import { examine } from './examine.ts';
import { inspectSwarm } from './read.ts';

const MIB = 1024 * 1024;
/** A Swarm that is ill answers late, and this is when it is asked. Milliseconds, for each list. */
const READ_MS = 15_000;

/** The Swarm behind one engine's socket, for one who looks for trouble. Nothing is written. */
export interface SwarmDoctor {
  examine(
    stuckMs: number,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly swarmId: string; readonly findings: readonly Finding[] }>>;
  close(): void;
}

/** Opens it; connections are made when needed. */
export function openSwarmDoctor(socket: string, clock: Clock): SwarmDoctor {
  const modem = openModem(
    {
      socket,
      version: '1.41',
      atOnce: 8,
      deadlinesMs: { read: READ_MS, write: READ_MS },
      answerBytesMax: { configs: MIB, other: 64 * MIB },
    },
    clock,
  );
  return {
    examine: async (stuckMs, signal) => {
      const read = await inspectSwarm(modem, signal);
      if (read.status !== 'ok') return read;
      const nowMs = clock.instant().wallMs;
      const { swarmId } = read.value.settings;
      return {
        status: 'ok',
        value: { swarmId, findings: examine(read.value, { nowMs, stuckMs }) },
      };
    },
    close: () => modem.close(),
  };
}
