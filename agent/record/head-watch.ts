import { frozenLine } from '../core/freeze.ts';
import type { Guard, Labels } from '../reconcile/lease-ports.ts';
import type { Clock } from '../reconcile/ports.ts';
import { FREEZE_LABEL, readFreeze } from './freeze.ts';
import { isAsked } from './requests.ts';

/** What the labels of the head said last, read beside the passes: a freeze is seen in the middle of one. */
export class HeadWatch implements Guard {
  readonly #clock: Pick<Clock, 'date'>;
  #labels: Labels = {};

  constructor(clock: Pick<Clock, 'date'>) {
    this.#clock = clock;
  }

  /** Notes the labels. Whether a pass should look: a freeze came, changed or went, or somebody asks for something. */
  heard(labels: Labels): boolean {
    const before = this.#labels;
    const changed = before[FREEZE_LABEL] !== labels[FREEZE_LABEL];
    this.#labels = labels;
    if (changed) return true;
    // Nothing is taken while everything is frozen.
    return isAsked(labels, before) && this.refusal() === undefined;
  }

  /** Why no call may be made now: of however long a call, a freeze is a freeze. */
  refusal(): string | undefined {
    const freeze = readFreeze(this.#labels, this.#clock.date());
    return freeze && frozenLine(freeze);
  }
}
