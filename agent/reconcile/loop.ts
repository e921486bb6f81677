import { follow, type FollowPorts } from './follow.ts';
import { type Desired, nothingKnown, pass, type PassPorts } from './pass.ts';
import type { Source } from './ports.ts';
import { Wake } from './wake.ts';

/** What the whole agent runs on. `sourceWake` may be rung by anybody who saw the repository move. */
export interface LoopPorts<Spec, Observed, Call>
  extends
    Omit<PassPorts<Spec, Observed, Call>, 'source'>,
    Omit<FollowPorts<Spec>, 'publish' | 'wake' | 'lastSeen' | 'source'> {
  readonly source: Source;
  readonly sourceWake: Wake;
  /** Rung by whoever knows something that a pass should look at. */
  readonly wake: Wake;
}

/** Nobody asks for a pass: only a new revision, a commit or an abort ends this wait. */
const LONG_MS = 3_600_000;

/** How soon what a person asks for is seen. */
const LISTEN_MS = 1_000;

/**
 * Runs until aborted: follows the repository, passes over the Swarm whenever looking can matter, and listens for what
 * people ask. One pass at a time. Rejects only for a bug, after all parts have ended.
 */
export async function run<Spec, Observed, Call>(
  ports: LoopPorts<Spec, Observed, Call>,
  outer: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([outer, failure.signal]);
  const { wake } = ports;
  let desired: Desired<Spec> | undefined;

  async function lastSeen(ended: AbortSignal): Promise<string | undefined> {
    const observed = await ports.provider.observe(ended);
    if (observed.status !== 'ok') return undefined;
    const loaded = ports.recorder.load(observed.value);
    const seen = loaded.status === 'ok' ? loaded.value.history.seen : '';
    return seen === '' ? undefined : seen;
  }

  const following = follow(
    {
      ...ports,
      wake: ports.sourceWake,
      lastSeen,
      publish: (newest) => {
        desired = newest;
        wake.ring();
      },
    },
    signal,
  );

  async function passes(): Promise<void> {
    let memory = nothingKnown;
    while (!signal.aborted) {
      if (desired === undefined) {
        await wake.wait(LONG_MS, signal);
        continue;
      }
      const result = await pass(ports, desired, memory, signal);
      memory = result.memory;
      await wake.wait(result.wakeMs, signal);
    }
  }

  async function listening(): Promise<void> {
    const pause = new Wake(ports.clock);
    while (!signal.aborted) {
      await pause.wait(LISTEN_MS, signal);
      if (!signal.aborted && (await ports.provider.isAsked(signal))) wake.ring();
    }
  }

  const parts = [following, passes(), listening()].map((part) =>
    part.catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  const ended = await Promise.allSettled(parts);
  const bug = ended.find((part) => part.status === 'rejected');
  if (bug !== undefined && !outer.aborted) throw bug.reason;
}
