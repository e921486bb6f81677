import type { Id, Kind } from '../core/kind.ts';
import {
  defaultRemovals,
  type RemovalPolicy,
  type Removals,
  shrunkList,
  stricter,
} from '../core/removal.ts';
import { losesParts } from '../core/step-prune.ts';
import type { Step } from '../core/step.ts';
import type { History } from './history.ts';
import type { Leadership } from './lease-ports.ts';
import type { Desired } from './pass.ts';
import type { Known, Loaded, Source } from './ports.ts';

/** How long each list was that was read. */
export type Sizes = Readonly<Record<string, number>>;

/** By what the removals of a pass are judged, and what is remembered of it. */
export interface JudgedBy {
  readonly removals: Removals;
  readonly sizes: Sizes;
  /** The revision since which what left waits for a person. */
  readonly rewound: string | undefined;
}

/** What may keep anything from being removed, by what was read. Asks the source only when a revision is new and something left with it. */
export async function judgedBy<Spec, Observed, Call>(
  { kind, source }: { kind: Kind<Spec, Observed, Call>; source: Pick<Source, 'descends'> },
  seen: { desired: Desired<Spec>; observed: Observed; loaded: Loaded; before: Sizes | undefined },
  signal: AbortSignal,
): Promise<JudgedBy> {
  const { desired, observed, loaded, before } = seen;
  const sizes = kind.sizes(observed);
  const off = whyOff(desired, loaded, shrunkList(before, sizes));
  const leaves = (): boolean => isLeft({ kind, observed }, loaded.units, desired);
  const rewound = await rewoundBy(source, desired, { ...loaded, leaves }, signal);
  const { removals = defaultRemovals, overLimit = false } = loaded.history;
  const policy = stricter(removals, desired.settings.removals);
  return {
    removals: {
      policy,
      rewound: rewound !== undefined,
      overLimit,
      ...(off !== undefined && { off }),
    },
    sizes,
    rewound,
  };
}

function whyOff<Spec>(
  { remembered, behind }: Desired<Spec>,
  { incomplete }: Loaded,
  shrunk: string | undefined,
): string | undefined {
  if (remembered) return 'the repository cannot be read';
  if (behind !== undefined) return behind;
  if (incomplete === true) return 'a part of the record cannot be read';
  return shrunk && `the list of ${shrunk} is much shorter than it was a moment ago`;
}

/** What is known of how the repository came to be as it is. */
interface Came extends Pick<Loaded, 'history' | 'elsewhere'> {
  /** Whether anything left it. */
  readonly leaves: () => boolean;
}

/** Stays as it is until nothing is left that went with it: the revisions after it descend from it. */
async function rewoundBy<Spec>(
  source: Pick<Source, 'descends'>,
  { revision }: Desired<Spec>,
  { history: { seen, rewound }, elsewhere, leaves }: Came,
  signal: AbortSignal,
): Promise<string | undefined> {
  const isOld = seen === '' || (seen === revision && elsewhere !== true);
  if ((isOld && rewound === undefined) || !leaves()) return undefined;
  if (rewound !== undefined) return rewound;
  // Another branch or folder: that it descends says nothing.
  if (elsewhere === true) return revision;
  return (await source.descends(seen, revision, signal)) ? undefined : revision;
}

/** Whether a unit left, or a part of one that is not healthy without it yet: from then on its own record says how it left. */
function isLeft<Spec, Observed, Call>(
  sight: { readonly kind: Kind<Spec, Observed, Call>; readonly observed: Observed },
  units: Known['units'],
  { units: wanted }: Desired<Spec>,
): boolean {
  if (hasLeft(units, wanted)) return true;
  return wanted.some((unit) => {
    const record = units.get(unit.id);
    return record !== undefined && losesParts(sight, unit, record);
  });
}

function hasLeft(units: Known['units'], wanted: readonly { readonly id: Id }[]): boolean {
  const ids = new Set(wanted.map(({ id }) => id));
  return [...units.keys()].some((id) => !ids.has(id));
}

/** Pure. The history with what the step made of approvals, and of a rewind. */
export function withRemovals<Spec, Observed, Call>(
  history: History,
  { approved, units, overLimit }: Step<Call>,
  { rewound }: JudgedBy,
  seen: {
    readonly kind: Kind<Spec, Observed, Call>;
    readonly observed: Observed;
    readonly desired: Desired<Spec>;
  },
): History {
  const { approved: _approved, rewound: _rewound, overLimit: was, removals, ...rest } = history;
  const { revision, settings, units: wanted } = seen.desired;
  const isOver = (overLimit || was === true) && hasLeft(units, wanted);
  const policy = history.settled === revision ? settings.removals : removals;
  return {
    ...rest,
    ...(isOver && { overLimit: true as const }),
    ...(policy !== undefined && !isDefault(policy) && { removals: policy }),
    ...(approved.length > 0 && { approved }),
    ...(rewound !== undefined && isLeft(seen, units, seen.desired) && { rewound }),
  };
}

function isDefault({ max, share }: RemovalPolicy): boolean {
  return max === defaultRemovals.max && share === defaultRemovals.share;
}

/** From when on this agent may remove anything, by the monotonic clock: whoever took the lease over looks on first. */
export function removalsFromMs(lease: Pick<Leadership, 'reign'>): number {
  return lease.reign()?.removalsFromMs ?? Infinity;
}

/** How soon that is, where anything waits to be removed. Milliseconds. */
export function untilRemovals<Spec>(
  lease: Pick<Leadership, 'reign'>,
  units: Known['units'],
  { units: wanted }: Desired<Spec>,
  nowMs: number,
): number {
  const waitMs = removalsFromMs(lease) - nowMs;
  const waits = hasLeft(units, wanted) || units.values().some(({ removing }) => removing);
  return waitMs > 0 && waits ? waitMs : Infinity;
}
