import type { Failure, Id, Release } from './kind.ts';
import type { Member } from './member.ts';

/**
 * Where a unit stands. `none`: nothing is under way. `applying`, `verifying`: a digest of the repository. `rolling-back`,
 * `reverting`: the same for the last healthy release. `stuck`: needs a person. `removing`: it left the repository.
 */
export type Phase =
  'none' | 'applying' | 'verifying' | 'rolling-back' | 'reverting' | 'stuck' | 'removing';

/** What is being tried. */
export interface Attempt {
  readonly digest: string;
  readonly revision: string;
  /** Tasks that were there before. */
  readonly baseline: readonly string[];
  /** Nodes that were away before. */
  readonly absent: readonly string[];
}

/** A digest that failed: not tried again until it changes or a person says `retry`. */
export interface Quarantined extends Failure {
  readonly digest: string;
  /** The revision that brought it. */
  readonly revision: string;
  /** For people, ISO 8601. */
  readonly at: string;
}

/** Why a unit needs a person. */
export interface Stuck extends Failure {
  /** What the repository wanted then: another digest ends it. */
  readonly digest: string;
  readonly at: string;
}

/** Who asked that nothing be called for a unit, and when. */
export interface Suspended {
  readonly by: string;
  /** For people, ISO 8601. */
  readonly at: string;
}

/** What is kept of one unit, whoever leads. Plain JSON. */
export interface UnitRecord {
  readonly phase: Phase;
  /** In every phase but `none`, `stuck` and `removing`. */
  readonly attempt?: Attempt;
  /** What the repository wants first, if it is among them; then the newest first. */
  readonly quarantine: readonly Quarantined[];
  readonly stuck?: Stuck;
  /** A person wants nothing called for it, in whatever phase it is. */
  readonly suspended?: Suspended;
  /** Targets that failed attempts made and no healthy one had: a rollback stops them. */
  readonly made: readonly string[];
  /** Healthy ones, newest first; the first is what a rollback brings back. */
  readonly releases: readonly Release[];
  /** What is taken away, noted before the first of it goes: all of the unit while `removing`, else what left it. */
  readonly removing?: readonly Member[];
  /** What is noted there left with a revision that does not descend from the one before: it waits for a person. */
  readonly rewound?: true;
  /** It takes this one's place, as long as its own file says so. */
  readonly movedFrom?: Id;
  /** It stands still, so that this one can take its place. */
  readonly movedTo?: Id;
  /** Its own file wanted that, as long as there was one: the whole unit is not removed without a person. */
  readonly removal?: 'hold';
}

/** A unit of which something is under way. */
export type Moving = UnitRecord & { readonly attempt: Attempt };

/** A unit of which nothing is known. */
export const unknownUnit: UnitRecord = { phase: 'none', quarantine: [], made: [], releases: [] };

const QUARANTINE_MAX = 5;

/** Pure. Whether this digest failed before and nobody asked for another try. */
export function isQuarantined({ quarantine }: UnitRecord, digest: string): boolean {
  return quarantine.some((one) => one.digest === digest);
}

/** Pure. Whether it is on its way to a healthy release, not to what the repository wants. */
export function isWayBack({ phase }: UnitRecord): boolean {
  return phase === 'rolling-back' || phase === 'reverting';
}

/** Pure. An attempt at a digest of the repository begins; what it makes anew is noted before it is made. */
export function applying(unit: UnitRecord, attempt: Attempt, made: readonly string[]): UnitRecord {
  return {
    ...withoutStuck(unit),
    phase: 'applying',
    attempt,
    made: [...new Set([...unit.made, ...made])],
  };
}

/** Pure. The way back to a healthy release begins, the last one unless told, or to a standstill where there is none. */
export function goingBack(
  unit: UnitRecord,
  from: { readonly baseline: readonly string[]; readonly absent: readonly string[] },
  target: Release | undefined = unit.releases[0],
): Moving {
  const { digest, revision } = target ?? { digest: '', revision: '' };
  return { ...withoutStuck(unit), phase: 'rolling-back', attempt: { ...from, digest, revision } };
}

/** Pure. The release that a way back leads to. */
export function targetOf({ releases }: UnitRecord, { digest }: Attempt): Release | undefined {
  return releases.find((one) => one.digest === digest) ?? releases[0];
}

/** Pure. What a way back led to is healthy: it is the last healthy release now. */
export function atFront(unit: UnitRecord, attempt: Attempt): UnitRecord {
  const target = targetOf(unit, attempt);
  if (target === undefined) return unit;
  if (target === unit.releases[0]) return proven(unit);
  return proven({ ...unit, releases: [target, ...unit.releases.filter((one) => one !== target)] });
}

/** Pure. What is in place was seen healthy. The same object where that is known. */
export function proven(unit: UnitRecord): UnitRecord {
  const [first, ...others] = unit.releases;
  if (first?.unproven === undefined) return unit;
  const { unproven: _unproven, ...release } = first;
  return { ...unit, releases: [release, ...others] };
}

/** Pure. Whether this digest is in place and at rest, and was seen healthy there. */
export function isInPlace(unit: UnitRecord | undefined, digest: string): boolean {
  if (unit?.phase !== 'none' || isQuarantined(unit, digest)) return false;
  const [release] = unit.releases;
  return release?.digest === digest && release.unproven !== true;
}

/** Pure. Whether it was healthy at least once. */
export function wasHealthy(unit: UnitRecord | undefined): boolean {
  return unit?.releases.some(({ unproven }) => unproven !== true) === true;
}

/** Pure. The same attempt, one phase on. */
export function inPhase(unit: UnitRecord, phase: 'verifying' | 'reverting'): UnitRecord {
  return { ...unit, phase };
}

/** Pure. Nothing is under way any more. */
export function settled(unit: UnitRecord): UnitRecord {
  const { attempt: _attempt, ...rest } = withoutStuck(unit);
  return { ...rest, phase: 'none' };
}

/**
 * Pure. A digest of the repository became healthy: its release goes to the front, `keep` of them stay, and what was only
 * found goes. `made`: what earlier attempts made and it does not have.
 */
export function healthy(
  unit: UnitRecord,
  release: Release,
  keep: number,
  made: readonly string[] = [],
): UnitRecord {
  const others = unit.releases.filter(
    ({ digest, unproven }) => digest !== release.digest && unproven !== true,
  );
  return { ...settled(unit), made, releases: [release, ...others].slice(0, keep) };
}

/** Pure. It left the repository: these are taken away, and it leaves the record when they are gone. */
export function removing(unit: UnitRecord, members: readonly Member[]): UnitRecord {
  const { rewound: _rewound, movedTo: _movedTo, ...rest } = settled(unit);
  return { ...rest, phase: 'removing', removing: members };
}

/** The direction of a unit that stands still for another one. */
export const MAKING_PLACE = 'making place';

/**
 * Pure. It left the repository and is brought to a standstill, so that this one can take its place. `stopped`: what is
 * stopped of it, so that nobody takes the 0 for what an autoscaler wants.
 */
export function makingPlace(unit: UnitRecord, movedTo: Id, stopped: readonly string[]): UnitRecord {
  return { ...settled(unit), movedTo, made: [...new Set([...unit.made, ...stopped])] };
}

/** Pure. Whose place the unit takes, as its file says now. The same object where it is noted so. */
export function withMovedFrom(unit: UnitRecord, movedFrom: Id | undefined): UnitRecord {
  if (unit.movedFrom === movedFrom) return unit;
  const { movedFrom: _movedFrom, ...rest } = unit;
  return movedFrom === undefined ? rest : { ...rest, movedFrom };
}

/** Pure. Parts of the unit that are taken away beside all else; none of them: that is over. `rewound`: once a person says so. */
export function pruning(
  unit: UnitRecord,
  members: readonly Member[],
  { rewound }: { readonly rewound: boolean } = { rewound: false },
): UnitRecord {
  const { removing: _removing, rewound: _rewound, ...rest } = unit;
  if (members.length === 0) return rest;
  return { ...rest, removing: members, ...(rewound && { rewound }) };
}

/** Pure. Whether the unit may go without a person, as its file says now. The same object where it is noted so. */
export function withRemoval(unit: UnitRecord, hold: boolean): UnitRecord {
  if ((unit.removal === 'hold') === hold) return unit;
  const { removal: _removal, ...rest } = unit;
  return hold ? { ...rest, removal: 'hold' } : rest;
}

/** Pure. A digest failed: it is tried no more. */
export function quarantined(unit: UnitRecord, entry: Quarantined): UnitRecord {
  const others = unit.quarantine.filter(({ digest }) => digest !== entry.digest);
  return { ...unit, quarantine: [entry, ...others].slice(0, QUARANTINE_MAX) };
}

/** Pure. What the repository wants comes first among what failed: a person sees what a retry means, and it is dropped last. */
export function wantedFirst(unit: UnitRecord, digest: string): UnitRecord {
  const entry = unit.quarantine.find((one) => one.digest === digest);
  if (entry === undefined || entry === unit.quarantine[0]) return unit;
  return { ...unit, quarantine: [entry, ...unit.quarantine.filter((one) => one !== entry)] };
}

/** Pure. A person asked for another try. */
export function released(unit: UnitRecord, digest: string): UnitRecord {
  const quarantine = unit.quarantine.filter((one) => one.digest !== digest);
  if (unit.stuck === undefined) return { ...settled(unit), quarantine };
  // It stands as it failed until it may begin: at rest it would be brought back to its last healthy release meanwhile.
  return { ...unit, quarantine, stuck: { ...unit.stuck, digest: '' } };
}

/** Pure. Nothing is called for it from now on. */
export function suspended(unit: UnitRecord, by: string, at: string): UnitRecord {
  return { ...unit, suspended: { by, at } };
}

/** Pure. It goes on where it stood. */
export function resumed(unit: UnitRecord): UnitRecord {
  const { suspended: _suspended, ...rest } = unit;
  return rest;
}

/** Pure. Only a person or another digest helps. */
export function stuck(unit: UnitRecord, why: Stuck): UnitRecord {
  const { attempt: _attempt, ...rest } = unit;
  return { ...rest, phase: 'stuck', stuck: why };
}

function withoutStuck(unit: UnitRecord): UnitRecord {
  const { stuck: _stuck, ...rest } = unit;
  return rest;
}

/** What a person asks of one unit. */
export type UnitRequest = { readonly id: Id; readonly by: string } & (
  | {
      readonly verb: 'retry';
      /** What is meant, as the person saw it; absent: whatever the repository wants by then. */
      readonly digest?: string;
    }
  | {
      readonly verb: 'rollback';
      /** The first characters of a release's digest or revision; absent: the last healthy one before this. */
      readonly release?: string;
      /** What was wanted or in place, as the person saw it; absent: whatever is by then. */
      readonly digest?: string;
    }
  | { readonly verb: 'suspend' }
  | { readonly verb: 'resume' }
);

/** What a person asks of what is held: the operations whose digest begins so are released. */
export interface ApproveRequest {
  readonly verb: 'approve';
  readonly digest: string;
  readonly by: string;
}

/** What a person asks of the whole: that the repository is looked at now. */
export interface ReconcileRequest {
  readonly verb: 'reconcile';
  readonly by: string;
  /** 8 hex digits; the answer bears it. */
  readonly nonce: string;
  /** What agents remember for minutes of what they read is read anew. */
  readonly full?: true;
}

/** What a person asks. */
export type Request = UnitRequest | ApproveRequest | ReconcileRequest;
