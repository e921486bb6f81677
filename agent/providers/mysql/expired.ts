import type { Leftover } from '../../core/member.ts';
import { roleName } from './diff.ts';
import {
  goes,
  isElsewhere,
  isHeldAsRole,
  ownHolders,
  type Place,
  type Servers,
  wordsOf,
} from './left-place.ts';
import { release } from './ledger.ts';
import { namedBy } from './named.ts';
import type { MysqlCall, ServerSeen } from './observed.ts';
import type { AccountName } from './sql.ts';
import { dropped, droppedRole } from './statements.ts';
import { shown } from './unit-parts.ts';

/** Pure. What left the repository so long ago that it goes now, with its line. Whether it is back in it is for the caller to say. */
export function expired({ servers }: Servers): readonly Leftover<MysqlCall>[] {
  return [...servers].flatMap(([on, sight]) =>
    sight.status === 'seen' && sight.nowS !== undefined ? dueOn(on, sight.seen, sight.nowS) : [],
  );
}

function dueOn(on: string, seen: ServerSeen, nowS: number): readonly Leftover<MysqlCall>[] {
  const places = [...seen.owned].flatMap(([id, row]): Place[] => {
    const named = row.leftAt === undefined ? undefined : namedBy(id);
    return named !== undefined && goes({ ...named, row }) ? [{ ...named, id, on, seen, row }] : [];
  });
  return places.filter((place) => isDue(place, nowS)).map(leftoverOf);
}

function isDue(place: Place, nowS: number): boolean {
  const { what, row } = place;
  const { leftAtS = Infinity, retentionS = Infinity } = row;
  if (nowS - leftAtS < retentionS || isElsewhere(place)) return false;
  // What others have by it they would lose without a word.
  if (thingsOf(place).some((one) => isHeldAsRole(one, place.seen))) return false;
  if (what === 'role') return true;
  // Whoever unlocked it by hand wants it; it does not go behind his back.
  return ownHolders(place).every(({ locked }) => locked);
}

/** The role by its name, there or not; the accounts that are there. */
function thingsOf(place: Place): readonly AccountName[] {
  return place.what === 'role' ? [roleName(place.name, place.seen.server)] : ownHolders(place);
}

function leftoverOf(place: Place): Leftover<MysqlCall> {
  const { id, on, what, seen } = place;
  const own = ownHolders(place);
  const drops = own.flatMap((one) =>
    what === 'role' ? [droppedRole(roleName(one.user, seen.server))] : dropped(one),
  );
  const target = own.map((one) => wordsOf(place, one)).join(', ');
  return {
    unit: id,
    id: `${on} ${id}`,
    operation: {
      target: target === '' ? `the ledger's line of ${id}` : target,
      verb: 'remove',
      phase: 'remove',
      effect: 'destructive',
      fields: shown(drops),
      // The line goes last: whoever dies in between finds it, and nothing to drop.
      call: { op: 'statements', server: on, statements: [...drops, release(id, seen.owner)] },
    },
  };
}
