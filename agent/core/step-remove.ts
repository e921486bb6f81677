import { type Approval, approveWith, liveApprovals } from './approve.ts';
import type { Failure, Id } from './kind.ts';
import type { Member } from './member.ts';
import { type Look, type Moved, type Standing, unmoved } from './look.ts';
import {
  judgeRemovals,
  type Leaving,
  type Others,
  type Removals,
  type Verdict,
} from './removal.ts';
import { refusedAt } from './step-rest.ts';
import { removing, settled, type UnitRecord, wasHealthy } from './unit.ts';
import type { UnitView } from './view.ts';
import { newWatch, type Watch } from './watch.ts';

/** A unit that is not in the repository and of which nothing but its removal can be under way. */
export interface Left {
  readonly id: Id;
  readonly record: UnitRecord;
  readonly watch: Watch;
}

/** What units that left are judged by. */
export interface Leave {
  readonly removals: Removals;
  readonly units: ReadonlyMap<Id, UnitRecord>;
  /** Of the units that the repository has. */
  readonly views: readonly UnitView[];
  readonly approved: readonly Approval[];
  /** Units that left too, of which something is under way. */
  readonly going: number;
}

/**
 * Pure. Units that left the repository and that nothing is done with yet: those that may go are recorded with all that goes,
 * and their first calls are due; the others say why not.
 */
export function leaveAll<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: readonly Left[],
  leave: Leave,
): ReadonlyMap<Id, Moved<Call>> {
  const { kind, observed, removalsOff } = look;
  const leaving = left.map(({ id, record }): Leaving => ({
    id,
    members: kind.members(id, observed),
    hold: record.removal === 'hold',
  }));
  const verdicts = verdictsOn(leaving, leave, removalsOff);
  return new Map(
    left.flatMap((unit, at): [Id, Moved<Call>][] => {
      const verdict = verdicts.get(unit.id);
      const members = leaving[at]?.members ?? [];
      return verdict === undefined ? [] : [[unit.id, begin(look, unit, members, verdict)]];
    }),
  );
}

function verdictsOn(
  leaving: readonly Leaving[],
  { removals, units, views, approved, going }: Leave,
  off: string | undefined,
): ReadonlyMap<Id, Verdict> {
  // One that begins only when these are gone is in nobody's way.
  const staying = views.filter(({ heldBy }) => heldBy !== 'move');
  const others: Others = {
    recorded: units.size,
    going,
    restless: restlessOf(staying, units),
    failed: failedOf(staying),
    approved: liveApprovals(approved),
  };
  return judgeRemovals(leaving, { ...removals, ...(off !== undefined && { off }) }, others);
}

/** Why a unit that stays is not settled: what needs the leaving ones, or takes their place, comes first. */
function restlessOf(
  views: readonly UnitView[],
  units: ReadonlyMap<Id, UnitRecord>,
): string | undefined {
  const changing = views.find(({ pending, leftOut }) => pending || leftOut === true);
  if (changing !== undefined) return `${changing.id} is not settled`;
  const unwell = views.find(({ id }) => !wasHealthy(units.get(id)));
  return unwell && `${unwell.id} was never healthy`;
}

/** Where a unit that stays is not what the repository wants, and nothing is under way to make it so. */
function failedOf(views: readonly UnitView[]): string | undefined {
  const failed = views.find(
    ({ phase, quarantined, waits }) => phase === 'stuck' || quarantined || waits !== undefined,
  );
  if (failed === undefined) return undefined;
  return failed.waits === undefined
    ? `${failed.id} failed`
    : `${failed.id} waits for one that failed`;
}

function begin<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record, watch }: Left,
  members: readonly Member[],
  verdict: Verdict,
): Moved<Call> {
  const { digest } = verdict;
  const open = digest === undefined ? {} : { approval: digest };
  switch (verdict.status) {
    case 'held': {
      const held = `its removal is held: ${verdict.why}; ${approveWith(verdict.digest)}`;
      return { ...unmoved(record, watch), held, ...open, patient: true };
    }
    case 'waits': {
      const held = `its removal waits: ${verdict.why}`;
      // What has to settle first does so in a pass of its own.
      const patient = look.removalsOff === undefined ? ({ patient: true } as const) : {};
      return { ...unmoved(record, watch), held, ...open, ...patient };
    }
    case 'open': {
      const hidden = look.kind.hidden?.(id, look.observed);
      const shut = hidden ?? look.windows?.shut(id)?.why;
      if (shut === undefined) return beginRemoving(look, { id, record, watch }, members);
      const held = `its removal waits: ${shut}`;
      return { ...unmoved(record, watch), held, ...open, patient: true };
    }
  }
}

/** Pure. All that goes is recorded with it, and the first calls are due. */
export function beginRemoving<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record }: Left,
  members: readonly Member[],
): Moved<Call> {
  const next = removing(record, members);
  const targets = members.map(({ target }) => target);
  const unit = { id, record: next, watch: newWatch('removing', look.nowMs) };
  const moved = goOnRemoving(look, unit, undefined);
  return { ...moved, events: [{ event: 'unit removing', id, targets }, ...moved.events] };
}

/** What ends by itself is told only when it takes longer than this. Milliseconds. */
const ENDING_MS = 60_000;

/** Pure. A unit that is being removed: what may go now goes, and with the last of it the unit leaves the record. */
export function goOnRemoving<Spec, Observed, Call>(
  { kind, observed, nowMs, removalsOff }: Look<Spec, Observed, Call>,
  { id, record, watch }: Left,
  refusal: Failure | undefined,
): Moved<Call> {
  const removal = kind.remove(id, record.removing ?? [], observed);
  if (removal.left.length === 0) {
    const { stays } = removal;
    const ms = nowMs - watch.sinceMs;
    const event = { event: 'unit removed', id, ms, ...(stays && { stays }) } as const;
    return { ...unmoved(record, watch), gone: true, events: [event] };
  }
  const seen = refusal === undefined ? watch : refusedAt(watch, refusal, nowMs);
  const isLong = nowMs - watch.sinceMs >= ENDING_MS;
  const waits = isLong && removal.ending !== undefined ? [removal.ending] : removal.waits;
  const held =
    removalsOff ??
    (nowMs < seen.retryAtMs ? seen.refused : undefined) ??
    (waits.length > 0 ? waits.join('; ') : undefined);
  const ready = removalsOff === undefined && nowMs >= seen.retryAtMs;
  return {
    ...unmoved(record, seen),
    operations: ready ? removal.operations : [],
    ...(held !== undefined && { held: `its removal waits: ${held}` }),
  };
}

/**
 * Pure. A unit that was being removed is wanted again: nothing more of it goes. What it has lost is made anew by an ordinary
 * attempt; a release that lost something which cannot be made anew is none any more.
 */
export function comeBack<Spec, Observed, Call>(
  { kind, observed }: Look<Spec, Observed, Call>,
  { id, record }: Pick<Standing<Spec>, 'record'> & { readonly id: Id },
): UnitRecord {
  const { removing: _removing, ...rest } = settled(record);
  const releases = rest.releases.filter((release) => {
    const unit = kind.restore(id, release);
    return unit !== undefined && kind.diff(unit, observed).blocked.length === 0;
  });
  return { ...rest, releases };
}
