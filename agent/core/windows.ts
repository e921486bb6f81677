import { type CronFields, lastBeginning, nextBeginning } from './cron.ts';
import { globFits } from './glob.ts';
import type { Id } from './kind.ts';
import { civilDay, DAY_MINUTES, Zone } from './zone.ts';

/** When units may change: from each beginning on, for so long. */
export interface WindowRule {
  readonly cron: CronFields;
  readonly durationMs: number;
  /** As IANA names it. */
  readonly timeZone: string;
  /** Patterns of names of stacks. */
  readonly stacks: readonly string[];
}

/** Why a unit may not change now, and when it may. */
export interface Shut {
  /** For people: `window: opens 2026-11-30 02:00 (Europe/Berlin)`. The same as long as nothing changes. */
  readonly why: string;
  /** Infinity where no such time is near. */
  readonly inMs: number;
}

const MINUTE_MS = 60_000;

/** What is computed once for a rule, as long as the revision is followed that brought it. */
interface Kept {
  readonly zone: Zone;
  /** The next beginning after every minute from `since` until then. */
  since: number;
  next: number | undefined;
}

const keptOf = new WeakMap<WindowRule, Kept>();

/**
 * The windows at one moment of the wall clock. Nothing is computed before somebody asks, and then once a window, whatever
 * the number of units.
 */
export class Windows {
  readonly #rules: readonly WindowRule[];
  readonly #wallMs: number;
  readonly #known = new Map<WindowRule, Shut | undefined>();
  #wakeMs = Infinity;

  constructor(rules: readonly WindowRule[] = [], wallMs = 0) {
    this.#rules = rules;
    this.#wallMs = wallMs;
  }

  /** Undefined where the unit may change now: one of its windows is open, or none is for it. */
  shut(id: Id): Shut | undefined {
    const name = id.startsWith('stack/') ? id.slice('stack/'.length) : id;
    const rules = this.#rules.filter(({ stacks }) => stacks.some((one) => globFits(one, name)));
    let soonest: Shut | undefined;
    for (const rule of rules) {
      const shut = this.#stateOf(rule);
      if (shut === undefined) return undefined;
      if (soonest === undefined || shut.inMs < soonest.inMs) soonest = shut;
    }
    if (soonest !== undefined) this.#wakeMs = Math.min(this.#wakeMs, soonest.inMs);
    return soonest;
  }

  /** How soon the first window opens of those that held somebody up. */
  get wakeMs(): number {
    return this.#wakeMs;
  }

  #stateOf(rule: WindowRule): Shut | undefined {
    if (!this.#known.has(rule)) this.#known.set(rule, stateAt(rule, this.#wallMs));
    return this.#known.get(rule);
  }
}

/** Undefined while the window is open: its last beginning is less than its duration ago. */
function stateAt(rule: WindowRule, wallMs: number): Shut | undefined {
  const { cron, durationMs, timeZone } = rule;
  const kept = keptOf.get(rule) ?? { zone: new Zone(timeZone), since: Infinity, next: undefined };
  keptOf.set(rule, kept);
  const { zone } = kept;
  const now = Math.floor(wallMs / MINUTE_MS);
  const last = lastBeginning(cron, zone, now, Math.ceil(durationMs / MINUTE_MS));
  if (last !== undefined && wallMs - last * MINUTE_MS < durationMs) return undefined;
  if (now < kept.since || now >= (kept.next ?? Infinity)) {
    kept.since = now;
    kept.next = nextBeginning(cron, zone, now);
  }
  const { next } = kept;
  if (next === undefined) return { why: 'window: does not open', inMs: Infinity };
  const why = `window: opens ${inWords(zone.shown(next))} (${timeZone})`;
  return { why, inMs: Math.max(1, next * MINUTE_MS - wallMs) };
}

function two(part: number): string {
  return String(part).padStart(2, '0');
}

function inWords(shown: number): string {
  const { year, month, day } = civilDay(Math.floor(shown / DAY_MINUTES));
  const minute = shown - Math.floor(shown / DAY_MINUTES) * DAY_MINUTES;
  const date = [year, two(month), two(day)].join('-');
  return `${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
