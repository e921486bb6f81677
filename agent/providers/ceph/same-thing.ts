import type { Id } from '../../core/kind.ts';
import { isId, markAt } from './marks.ts';
import { type Thing, namedBy, thingKey } from './named.ts';
import type { ClusterSeen } from './observed.ts';

/**
 * Pure. Our other units that are about the same thing, by their marks. Where another cluster becomes the default one a unit gets
 * another id: both have a mark then, and only the thing is one.
 */
export function otherIds(
  id: Id,
  thing: Thing,
  { marks }: Pick<ClusterSeen, 'marks'>,
  owner: string,
): readonly Id[] {
  const key = thingKey(thing);
  return [...marks.keys()].filter((other): other is Id => {
    if (other === id || !isId(other)) return false;
    const named = namedBy(other);
    if (named === undefined || thingKey(named) !== key) return false;
    const mark = markAt(other, { marks });
    return mark !== undefined && mark !== 'unreadable' && mark.owner === owner;
  });
}
