import { broughtBy, takeBack, whyNot } from './dependants.ts';
import type { Rendered } from './kind.ts';
import type { Look, Moved } from './look.ts';
import { isMoving, type Rollout } from './rollout.ts';
import { gateOf } from './step-stand.ts';
import { isQuarantined, type UnitRecord } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';

/**
 * Pure. With `rollout.onFailure: rollback` a unit goes back too to what ran before this revision, healthy or not yet, when
 * too many others failed: no more of them at once than may change. Nothing of it failed, so nothing is quarantined: what
 * keeps it where it is then is the brake, as long as this revision is followed. Undefined where it stays.
 */
export function rollBackWith<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord | undefined,
  rollout: Rollout<Spec>,
): Moved<Call> | undefined {
  if (rollout.policy.onFailure !== 'rollback' || !rollout.isBroken || record === undefined)
    return undefined;
  const { revision } = look;
  if (broughtBy(record) !== revision || isQuarantined(record, unit.digest)) return undefined;
  if (gateOf(look.frozen, unit, record) !== undefined) return undefined;
  if (!isMoving(unit, record) && !rollout.hasPlace) return undefined;
  const target = record.releases.find((one) => one.revision !== revision);
  if (target === undefined || whyNot(look, unit, target) !== undefined) return undefined;
  const moved = takeBack(look, unit, record, target);
  const event: UnitEvent = { event: 'unit taken back', id: unit.id, because: 'rollout', revision };
  return { ...moved, events: [event, ...moved.events] };
}
