import type { Difference, Health, Id, Rendered } from './kind.ts';
import { healthNow, type Look, type Moved, seenBy, unmoved } from './look.ts';
import { wayBack } from './step-back.ts';
import { withoutProofs } from './prove.ts';
import { isQuarantined, isWayBack, targetOf, type UnitRecord } from './unit.ts';
import { lostNodes, type Watch } from './watch.ts';

/** Why nothing may be called for a unit now, whatever is due: for people. */
export interface Gate {
  readonly of: 'suspended' | 'frozen';
  readonly why: string;
}

/** Pure. The gate that is shut for this unit: the freeze of everything, or its own suspension by a person or the repository. */
export function gateOf<Spec>(
  frozen: string | undefined,
  unit: Rendered<Spec> | undefined,
  record: UnitRecord | undefined,
): Gate | undefined {
  if (frozen !== undefined) return { of: 'frozen', why: frozen };
  const by = record?.suspended?.by ?? (unit?.suspended === true ? 'the repository' : undefined);
  return by === undefined ? undefined : { of: 'suspended', why: `suspended by ${by}` };
}

/** A unit that is not to move. */
interface Standing<Spec> {
  readonly unit: Rendered<Spec> | undefined;
  readonly record: UnitRecord | undefined;
  readonly watch: Watch;
}

/**
 * Pure. A unit that is not to move: nothing is called and nothing recorded, its phase stays and its clocks stand. What
 * differs is shown, and how it does is looked at.
 */
export function stand<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  id: Id,
  standing: Standing<Spec>,
  gate: Gate,
): Moved<Call> {
  const { record } = standing;
  const watch: Watch = { ...standing.watch, stands: true };
  const target = wanted(look, id, standing);
  const difference = differenceOf(look, id, standing, target);
  const isNew = record === undefined && isDue(standing, difference);
  const health = isNew ? undefined : target && healthOf(look, standing, target);
  const shown = {
    ...unmoved<Call>(record, watch),
    gate: gate.of,
    ...(health && { health }),
  };
  if (gate.of === 'frozen') {
    return isDue(standing, difference) ? { ...shown, held: gate.why } : shown;
  }
  return { ...shown, held: gate.why, blocked: difference.blocked, notes: notesOf(difference) };
}

/** Pure. Nodes that go away meanwhile are nobody's failure either. */
export function withLost<Spec, Observed, Call>(
  { absent }: Look<Spec, Observed, Call>,
  watch: Watch,
  record: UnitRecord | undefined,
): Watch {
  return record?.attempt === undefined ? watch : lostNodes(watch, absent, record.attempt.absent);
}

/** What it would be brought to, were it free to move. */
function wanted<Spec, Observed, Call>(
  { kind }: Look<Spec, Observed, Call>,
  id: Id,
  { unit, record }: Standing<Spec>,
): Rendered<Spec> | undefined {
  if (record === undefined) return unit;
  const { attempt, releases } = record;
  const failed = unit !== undefined && isQuarantined(record, unit.digest);
  if (attempt === undefined || !isWayBack(record)) {
    const [release] = releases;
    return failed ? release && kind.restore(id, release) : unit;
  }
  const release = targetOf(record, attempt);
  return release && kind.restore(id, release);
}

function differenceOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  id: Id,
  { unit, record }: Standing<Spec>,
  target: Rendered<Spec> | undefined,
): Difference<Call> {
  // What a failed attempt made is to stand still, unless something new is on its way.
  const isForward = target === unit && record?.releases[0]?.digest !== unit?.digest;
  const made = isForward ? [] : (record?.made ?? []);
  const { operations, ...rest } = wayBack(look, target, made, id);
  return { ...rest, operations: operations.filter(({ reruns }) => isForward || reruns !== true) };
}

/** By its own attempt where one is under way, so that what is asked of it goes on being asked. */
function healthOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { record, watch }: Standing<Spec>,
  target: Rendered<Spec>,
): Health | undefined {
  const { kind, observed } = look;
  const { phase, attempt } = record ?? {};
  if (record === undefined && !kind.isThere(target, observed)) return undefined;
  if (attempt !== undefined && (phase === 'verifying' || phase === 'reverting')) {
    return kind.health(target, observed, seenBy(look, attempt, watch));
  }
  return healthNow(look, target);
}

function isDue<Spec, Call>(
  { unit, record }: Standing<Spec>,
  { operations, blocked }: Difference<Call>,
): boolean {
  if (record?.phase === 'stuck') return false;
  if (record?.attempt !== undefined || record?.phase === 'removing') return true;
  if (operations.length > 0 || blocked.length > 0) return true;
  if (record === undefined || unit === undefined) return false;
  return !isQuarantined(record, unit.digest) && record.releases[0]?.digest !== unit.digest;
}

const NOTES_MAX = 10;

/** What differs, for people: it is left as it is. */
function notesOf<Call>({ operations, notes = [] }: Difference<Call>): readonly string[] {
  const { known, notes: open } = withoutProofs(operations);
  const differing = known.map(({ target, verb, fields }) => {
    if (verb === 'create') return `${target} is not there`;
    if (verb === 'remove') return `${target} is not wanted`;
    const paths = fields.map(({ path }) => path).slice(0, NOTES_MAX);
    return paths.length === 0 ? `${target} differs` : `${target} differs: ${paths.join(', ')}`;
  });
  const shown = [...notes, ...open.slice(0, NOTES_MAX), ...differing.slice(0, NOTES_MAX)];
  const more = differing.length - NOTES_MAX;
  return more > 0 ? [...shown, `and ${String(more)} more differ`] : shown;
}
