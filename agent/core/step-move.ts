import { approveWith } from './approve.ts';
import { digestOf } from './digest.ts';
import type { Failure, Id } from './kind.ts';
import type { Member } from './member.ts';
import { type Look, type Moved, unmoved } from './look.ts';
import { stopsOf, type Successor } from './moves.ts';
import { goBack } from './step-back.ts';
import { beginRemoving, type Left } from './step-remove.ts';
import { refusedAt } from './step-rest.ts';
import { goingBack, MAKING_PLACE, makingPlace } from './unit.ts';
import { newWatch, type Watch } from './watch.ts';

/** So long it stands still for one that may not begin; then it comes back. Milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Pure. A unit that left the repository and whose place another one takes. It is brought to a standstill when the other
 * one would begin, stays so while that is tried, comes back where that failed, and goes when the other one is in place.
 */
export function makePlace<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: Left,
  successor: Successor,
  refusal: Failure | undefined,
): Moved<Call> {
  const { record, watch } = left;
  const stands = record.movedTo === successor.id;
  switch (successor.stage) {
    case 'ready':
      return stands ? stop(look, left, refusal) : judged(look, left, successor, stopFor);
    case 'under-way':
    case 'ending':
      return stands ? stop(look, left, refusal) : unmoved(record, watch);
    case 'in-the-way':
      return judged(look, left, successor, removeFirst);
    case 'taken':
      return stands && look.removalsOff !== undefined
        ? withHeld(stop(look, left, refusal), `its removal waits: ${look.removalsOff}`)
        : judged(look, left, successor, remove);
    case 'stuck':
      return stands
        ? {
            ...withHeld(
              stop(look, left, refusal),
              `it stands still for ${successor.id}, which is stuck`,
            ),
            patient: true,
          }
        : stays(left, `${successor.id}, which takes its place, is stuck`);
    case 'failed':
      return stands
        ? bringBack(look, left, successor.id)
        : stays(left, `${successor.id}, which takes its place, failed`);
    case 'waits':
      if (!stands) return unmoved(record, watch);
      return look.nowMs - watch.progressAtMs >= PATIENCE_MS
        ? bringBack(look, left, successor.id)
        : { ...stop(look, left, refusal), watch };
  }
}

/** Pure. It stood still for another one, which may not have its place now, or is not wanted any more: it runs again. */
export function bringBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record }: Left,
  because: Id,
): Moved<Call> {
  const { observed, nowMs, absent, kind } = look;
  const { movedTo: _movedTo, ...free } = record;
  const [release] = record.releases;
  const unit = release && kind.restore(id, release);
  const baseline = unit === undefined ? [] : kind.baseline(unit, observed);
  const back = goingBack(free, { baseline, absent });
  const watch = newWatch(`back ${back.attempt.digest}`, nowMs);
  const standing = { unit: undefined, record: back, watch, refusal: undefined };
  const moved = goBack(look, id, standing, back.attempt);
  return { ...moved, events: [{ event: 'unit coming back', id, because }, ...moved.events] };
}

type Act = typeof stopFor;

/** What begins only where nothing speaks against a removal; that it is a move is said, so it counts for no limit. */
function judged<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: Left,
  { id: to }: Successor,
  act: Act,
): Moved<Call> {
  const { id, record, watch } = left;
  const members = look.kind.members(id, look.observed);
  // What it was stopped for was released then.
  const why = record.movedTo === to ? undefined : whyHeld(look, left);
  const digest =
    why === undefined ? undefined : digestOf({ move: id, to, objects: idsOf(members) });
  const approval = digest === undefined ? {} : { approval: digest };
  if (digest !== undefined && !look.approvals.has(digest)) {
    const held = `that ${to} takes its place is held: ${why ?? ''}; ${approveWith(digest)}`;
    return { ...unmoved(record, watch), held, ...approval, patient: true };
  }
  if (look.removalsOff !== undefined) {
    const held = `that ${to} takes its place waits: ${look.removalsOff}`;
    return { ...unmoved(record, watch), held, ...approval };
  }
  return act(look, left, { to, members });
}

function whyHeld<Spec, Observed, Call>(
  { rewound = false }: Look<Spec, Observed, Call>,
  { record }: Left,
): string | undefined {
  if (rewound) return 'it left with a revision that does not descend from the one before';
  return record.removal === 'hold' ? 'its `stack.yaml` said `removal: hold`' : undefined;
}

function idsOf(members: readonly Member[]): readonly string[] {
  return members.map(({ id }) => id).toSorted();
}

/** What an act needs beside the unit. */
interface Target {
  readonly to: Id;
  readonly members: readonly Member[];
}

/** Recorded before anything of it is stopped. */
function stopFor<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record }: Left,
  { to, members }: Target,
): Moved<Call> {
  const targets = members.map(({ target }) => target);
  const next = makingPlace(record, to, targets);
  const watch = newWatch(MAKING_PLACE, look.nowMs);
  const moved = stop(look, { id, record: next, watch }, undefined);
  return { ...moved, events: [{ event: 'unit making place', id, to }] };
}

function remove<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: Left,
  { members }: Target,
): Moved<Call> {
  return beginRemoving(look, left, members);
}

/** Both want the same names, so it cannot stay: but what others use would keep the new one out for as long. */
function removeFirst<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: Left,
  target: Target,
): Moved<Call> {
  const users = look.kind.users(left.id, look.observed);
  if (users.length === 0) return remove(look, left, target);
  const why = `both have the same names, and ${users.join('; ')}`;
  return stays(left, `${target.to} cannot take its place: ${why}`);
}

/** What is to stop is stopped, also where somebody started it meanwhile. */
function stop<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record, watch }: Left,
  refusal: Failure | undefined,
): Moved<Call> {
  const { nowMs } = look;
  const seen = refusal === undefined ? watch : refusedAt(watch, refusal, nowMs);
  const operations = nowMs >= seen.retryAtMs ? stopsOf(look, id) : [];
  const refused =
    nowMs < seen.retryAtMs && seen.refused !== undefined ? { held: seen.refused } : {};
  const next = { ...withoutOutage(look, seen), progressAtMs: nowMs };
  return { ...unmoved(record, next), operations, soon: true, ...refused };
}

/** So much time does not count at most: until it stands still nothing runs at its place. Milliseconds. */
const OUTAGE_MS = 300_000;

/**
 * Whether it still runs on a node that is away nobody knows: that is no failure of the one that waits for its place, so the
 * clock stands (`membersSinceMs`: since when it is waited for).
 */
function withoutOutage<Spec, Observed, Call>(
  { absent, nowMs }: Look<Spec, Observed, Call>,
  watch: Watch,
): Watch {
  const { lookedAtMs, membersSinceMs, sinceMs } = watch;
  const left = OUTAGE_MS - (membersSinceMs - sinceMs);
  const outMs = absent.length > 0 ? Math.max(0, Math.min(nowMs - lookedAtMs, left)) : 0;
  return { ...watch, lookedAtMs: nowMs, membersSinceMs: membersSinceMs + outMs };
}

function stays<Call>({ record, watch }: Left, held: string): Moved<Call> {
  return { ...unmoved(record, watch), held, patient: true };
}

function withHeld<Call>(moved: Moved<Call>, held: string): Moved<Call> {
  return { ...moved, held: moved.held ?? held };
}
