import type { Collection } from '../core/collect.ts';
import type { Step } from '../core/step.ts';
import type { UnitView } from '../core/view.ts';
import type { Comparison } from './comparison.ts';
import type { Desired, Memory } from './pass.ts';
import type { Loaded } from './ports.ts';

/** So long a decision is believed without being made again, although nothing changed. Milliseconds. */
const BELIEVED_MS = 5 * 60 * 1000;

/** What a pass decides from, but for time. */
export interface Grounds<Spec, Observed> {
  readonly desired: Desired<Spec>;
  readonly observed: Observed;
  readonly loaded: Loaded;
  /** This agent leads for long enough. */
  readonly mayRemove: boolean;
}

/** What it came to. */
interface Outcome<Call> {
  readonly next: Step<Call>;
  readonly spare: Collection<Call>;
  readonly rewound: string | undefined;
}

/**
 * Remembers a pass after which every unit was settled and nothing waited for a clock, so that the next one over the very
 * same things need not decide again. In memory only, of one time in which we lead; whatever is not plainly the same is decided.
 */
export class AtRest<Spec, Observed> {
  readonly #looks: Comparison<Observed>;
  #last: (Grounds<Spec, Observed> & { readonly atMs: number }) | undefined;

  constructor(looks: Comparison<Observed>) {
    this.#looks = looks;
  }

  /** Whether deciding would come to nothing once more. Where not, what was noted is forgotten. */
  holds(now: Grounds<Spec, Observed>, memory: Memory, nowMs: number): boolean {
    const last = this.#last;
    const holds =
      last !== undefined &&
      nowMs - last.atMs < BELIEVED_MS &&
      memory.refusals.size === 0 &&
      memory.untold === undefined &&
      memory.blind === 0 &&
      last.mayRemove === now.mayRemove &&
      isSameWish(last.desired, now.desired) &&
      isSameRecord(last.loaded, now.loaded) &&
      this.#looks.isSame(last.observed, now.observed);
    if (!holds) this.#last = undefined;
    return holds;
  }

  /** Notes a pass that was recorded and called nothing. */
  note<Call>(grounds: Grounds<Spec, Observed>, outcome: Outcome<Call>, nowMs: number): void {
    this.#last = isQuiet(grounds, outcome) ? { ...grounds, atMs: nowMs } : undefined;
  }
}

function isSameWish<Spec>(before: Desired<Spec>, now: Desired<Spec>): boolean {
  return (
    before.units === now.units &&
    before.revision === now.revision &&
    before.settings === now.settings &&
    before.behind === now.behind &&
    !now.remembered
  );
}

/** As long as nobody wrote to it the record is made of the same objects. */
function isSameRecord(before: Loaded, now: Loaded): boolean {
  return (
    before.units === now.units &&
    before.history === now.history &&
    before.elsewhere === now.elsewhere &&
    before.notes.join('\n') === now.notes.join('\n') &&
    now.requests.length === 0 &&
    now.freeze === undefined &&
    now.incomplete === undefined
  );
}

/** Nothing is done, told, asked or waited for, and whether a window is open is nothing that anybody asks. */
function isQuiet<Spec, Observed, Call>(
  { desired, loaded }: Grounds<Spec, Observed>,
  { next, spare, rewound }: Outcome<Call>,
): boolean {
  const { settings } = desired;
  const said = [next.work, next.events, next.asks, next.unapproved, settings.windows ?? []];
  return (
    said.every(({ length }) => length === 0) &&
    next.wakeMs >= settings.intervalMs &&
    !next.overLimit &&
    next.stopped === undefined &&
    rewound === undefined &&
    spare.since.size === 0 &&
    loaded.requests.length === 0 &&
    next.views.every(isSettled) &&
    next.units.size === loaded.units.size &&
    next.units.entries().every(([id, unit]) => loaded.units.get(id) === unit)
  );
}

function isSettled(view: UnitView): boolean {
  const { phase, pending, quarantined, held, waits, gate, leftOut, blocked, health, left } = view;
  const said = [held, waits, gate, leftOut, left];
  return (
    phase === 'none' &&
    !pending &&
    !quarantined &&
    said.every((one) => one === undefined) &&
    blocked.length === 0 &&
    (health === undefined || health.status === 'converged')
  );
}
