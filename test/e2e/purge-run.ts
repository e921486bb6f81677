import { purgeCommand } from '../../agent/cli/purge.ts';
import type { PurgeIo } from '../../agent/cli/purge-ports.ts';
import { Secret } from '../../agent/core/secret.ts';
import { purgeIo } from '../../agent/purging.ts';
import { sightOn } from '../../agent/sight.ts';
import type { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm } from '../fakes/swarm-modem.ts';

/** How `understudy purge` ended. */
export interface PurgeRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What it asked a person. */
  readonly asked: readonly string[];
}

export interface PurgeScene {
  /** The Swarm with the record. */
  readonly engine: FakeEngine;
  /** What a person types; absent: there is no terminal. */
  readonly types?: readonly string[] | undefined;
  /** What happens between the first look and the second. */
  readonly between?: (() => Promise<unknown>) | undefined;
}

/** Runs the command as the program does, against real places, with the record of a Swarm in memory. */
export async function runPurge(
  args: readonly string[],
  { engine, types, between }: PurgeScene,
): Promise<PurgeRun> {
  const text = { out: '', err: '' };
  const asked: string[] = [];
  const answers = [...(types ?? [])];
  const answer = async (question: string): Promise<string | undefined> => {
    asked.push(question);
    return Promise.resolve(answers.shift());
  };
  const output = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: false,
  };
  let reads = 0;
  const io: PurgeIo = {
    ...purgeIo(output, {}, undefined),
    openSight: () => {
      const desk = sightOn(directSwarm(engine));
      reads += 1;
      const isSecond = reads === 2;
      return {
        ...desk,
        sight: async (signal) => {
          if (isSecond) await between?.();
          return await desk.sight(signal);
        },
      };
    },
    ...(types && {
      terminal: {
        ask: answer,
        askSecret: async (question) => {
          const typed = await answer(question);
          return typed === undefined ? undefined : new Secret(typed);
        },
      },
    }),
  };
  const code = await purgeCommand(args, io, AbortSignal.timeout(60_000));
  return { code, ...text, asked };
}
