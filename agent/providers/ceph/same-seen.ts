import { Secret } from '../../core/secret.ts';
import type { ClusterSeen } from './observed.ts';

// Who decided over the very same object need not decide again, so what changes by itself each second must not make another one of
// it. What decides counts exactly. What is measured counts as the same as long as it is nearly so: it decides whether something is
// empty, and whether a new limit is below what is stored.

/** Measured, by the name of the field, and how much of it never matters: bytes, or objects. */
const MEASURED: Readonly<Record<string, number>> = {
  storedBytes: 2 ** 24,
  usedBytes: 2 ** 24,
  availableBytes: 2 ** 24,
  objects: 100,
};
const SHARE = 0.01;

/** Text for people, with numbers in it; its code beside it counts. */
const SHOWN = 'summary';

/** What placement groups do by themselves all the time, and how many do so. */
const UPKEEP = /\+(?:scrubbing|deep|snaptrim(?:_wait)?)(?=\+|$)/g;

/** Pure. Whether a later look shows nothing else that anything is decided by. */
export function isSameSeen(before: ClusterSeen, now: ClusterSeen): boolean {
  const { placement: were, ...rest } = before;
  const { placement: are, ...others } = now;
  return isSame(rest, others) && isSame(statesOf(were), statesOf(are));
}

/** Without their numbers: those change as long as anything is done. */
function statesOf(placement: ClusterSeen['placement']): ReadonlySet<string> {
  return new Set([...placement.keys()].map((state) => state.replaceAll(UPKEEP, '')));
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (one instanceof Map) return other instanceof Map && isSameMap(one, other);
  if (one instanceof Set) {
    return other instanceof Set && one.size === other.size && one.isSubsetOf(other);
  }
  if (one instanceof Secret) return other instanceof Secret && one.isSame(other);
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return false;
  }
  const [fields, others] = [Object.entries(one), new Map<string, unknown>(Object.entries(other))];
  return (
    fields.length === others.size &&
    fields.every(([name, value]) => others.has(name) && isSameField(name, value, others.get(name)))
  );
}

function isSameMap(one: Map<unknown, unknown>, other: Map<unknown, unknown>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([key, value]) => other.has(key) && isSame(value, other.get(key)))
  );
}

function isSameField(name: string, one: unknown, other: unknown): boolean {
  const least = MEASURED[name];
  if (least !== undefined && typeof one === 'number' && typeof other === 'number') {
    const isEmpty = one === 0;
    return isEmpty === (other === 0) && Math.abs(one - other) <= Math.max(one * SHARE, least);
  }
  return name === SHOWN || isSame(one, other);
}
