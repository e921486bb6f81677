import type { Kind } from './kind.ts';

/** Milliseconds. What is asked for is carried out or not: there is nothing to wait for once it is. */
const TIMES = { timeoutMs: 300_000, stableForMs: 0 };

/** What each kind says of its own things. */
type Own = 'kind' | 'release' | 'restore' | 'parts';

/**
 * Pure. A kind of things on servers or clusters that nobody looks at: nothing is said to differ, and all are well. They only go forward, and
 * nothing of them is a part that leaves.
 */
export function unlookedKind<Spec, Call>(
  own: Pick<Kind<Spec, unknown, Call>, Own>,
): Kind<Spec, unknown, Call> {
  return {
    ...own,
    diff: () => ({ operations: [], blocked: [] }),
    baseline: () => [],
    absent: () => [],
    health: () => ({ status: 'converged', members: '', summary: 'not looked at' }),
    givenUp: () => undefined,
    resume: () => [],
    times: () => TIMES,
    rollback: () => ({ mode: 'forward', keep: 1 }),
    // What is there and not ours is held by the difference itself: no `approve` takes it over.
    isThere: () => false,
    stop: () => [],
    // What was made for a thing and nothing needs may be collected.
    removal: () => ({ hold: false, prune: true }),
    makes: () => [],
    members: () => [],
    remove: () => ({ operations: [], left: [], waits: [] }),
    runs: () => undefined,
    users: () => [],
    spares: () => [],
    sizes: () => ({}),
  };
}
