import { AtRest } from './at-rest.ts';
import { follow, type FollowPorts } from './follow.ts';
import type { LeaseKeeper, Reign } from './lease-ports.ts';
import type { Looks } from './looks.ts';
import { Newest } from './newest.ts';
import { type Memory, nothingKnown, pass, type PassPorts } from './pass.ts';
import type { Source } from './ports.ts';
import type { Wake } from './wake.ts';

/** What the whole agent runs on. `sourceWake` may be rung by anybody who saw the repository move. */
export interface LoopPorts<Spec, Observed, Call>
  extends
    Omit<PassPorts<Spec, Observed, Call>, 'lease' | 'source' | 'looks' | 'atRest'>,
    Omit<FollowPorts<Spec>, 'publish' | 'confirm' | 'wake' | 'lastSeen' | 'source' | 'looks'> {
  readonly source: Source;
  readonly lease: LeaseKeeper;
  readonly looks: Looks;
  readonly sourceWake: Wake;
  /** Rung by whoever knows something that a pass should look at: also when somebody else leads from now on. */
  readonly wake: Wake;
  /** Is told how long each pass took. Milliseconds. */
  readonly passed?: (ms: number) => void;
}

/** Nobody asks for a pass: only a new revision, a commit, the lease or an abort ends this wait. */
const LONG_MS = 3_600_000;
/** While the lease has run out and nobody took it. */
const EXPIRED_MS = 1_000;
/** Asked to stop, what is under way may end by itself for so long. Milliseconds. */
const STOP_MS = 1_500;

/**
 * Runs until aborted: keeps the lease, or watches who does; follows the repository either way, so that whoever leads next
 * has it at hand; passes over the Swarm while it leads. One pass at a time. At the end the lease is given back, unless a
 * call was broken off. Rejects only for a bug, after all parts have ended.
 */
export async function run<Spec, Observed, Call>(
  ports: LoopPorts<Spec, Observed, Call>,
  outer: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const impatience = new AbortController();
  const stop = AbortSignal.any([outer, failure.signal]);
  const breakOff = AbortSignal.any([failure.signal, impatience.signal]);
  const { wake, lease, clock } = ports;
  const newest = new Newest<Spec>(ports);

  async function passes(): Promise<void> {
    while (!stop.aborted) {
      const reign = lease.reign();
      if (reign === undefined) {
        await wake.wait(LONG_MS, stop);
        continue;
      }
      await rule(ports, newest, { reign, stop, breakOff }).catch((error: unknown) => {
        if (!reign.signal.aborted || error !== reign.signal.reason) throw error;
      });
      ports.prober.ask([]);
    }
  }

  const cancel = onAbort(outer, () => clock.after(STOP_MS, () => impatience.abort(outer.reason)));
  const lastSeen = (ended: AbortSignal): Promise<string | undefined> => seenLast(ports, ended);
  const following = follow(
    {
      ...ports,
      wake: ports.sourceWake,
      lastSeen,
      publish: (one) => newest.publish(one),
      confirm: (revision) => newest.confirm(revision),
    },
    stop,
  );
  const [followed, ...acting] = [following, passes(), lease.keep(stop)].map((part) =>
    part.catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  const acted = await Promise.allSettled(acting);
  cancel();
  // Whoever waits for Git or a child to end keeps nobody else from acting.
  if (!breakOff.aborted) await lease.release();
  const ended = [...acted, ...(await Promise.allSettled([followed]))];
  const bug = ended.find((part) => part.status === 'rejected');
  if (bug !== undefined && !outer.aborted) throw bug.reason;
}

/** One time in which we lead. Nothing that was seen before it counts. */
async function rule<Spec, Observed, Call>(
  ports: LoopPorts<Spec, Observed, Call>,
  newest: Newest<Spec>,
  ends: { readonly reign: Reign; readonly stop: AbortSignal; readonly breakOff: AbortSignal },
): Promise<void> {
  const { lease, wake, clock } = ports;
  const { reign, stop, breakOff } = ends;
  const signal = AbortSignal.any([breakOff, reign.signal]);
  let memory: Memory = nothingKnown;
  const passing = { ...ports, atRest: new AtRest<Spec, Observed>(ports.provider) };
  await newest.askAnew(stop);
  while (!stop.aborted && lease.reign() === reign) {
    let waitMs = LONG_MS;
    if (lease.refusal(0) !== undefined) {
      waitMs = EXPIRED_MS;
    } else if (newest.desired !== undefined) {
      const beganMs = clock.nowMs();
      const passed = await pass(passing, newest.desired, memory, signal);
      ports.passed?.(clock.nowMs() - beganMs);
      ({ memory } = passed);
      waitMs = passed.wakeMs;
    } else {
      lease.expect('idle');
    }
    await wake.wait(waitMs, stop);
  }
}

/** The newest valid revision that was ever looked at, by the record. */
async function seenLast<Spec, Observed, Call>(
  { provider, recorder }: LoopPorts<Spec, Observed, Call>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const observed = await provider.observe(signal);
  if (observed.status !== 'ok') return undefined;
  const loaded = recorder.load(observed.value);
  const seen = loaded.status === 'ok' ? loaded.value.history.seen : '';
  return seen === '' ? undefined : seen;
}

/** Starts something when the signal is aborted; the returned function ends it. */
function onAbort(signal: AbortSignal, start: () => () => void): () => void {
  let end: (() => void) | undefined;
  const begin = (): void => {
    end = start();
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return () => {
    signal.removeEventListener('abort', begin);
    end?.();
  };
}
