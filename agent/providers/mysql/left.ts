import type { Id, Operation } from '../../core/kind.ts';
import type { Member, Removal } from '../../core/member.ts';
import { type Account, accountKey } from './account.ts';
import { leave } from './ledger.ts';
import {
  goes,
  isElsewhere,
  ownHolders,
  type Place,
  placesOf,
  type Servers,
  wordsOf,
} from './left-place.ts';
import { staysOf } from './left-words.ts';
import type { MysqlCall } from './observed.ts';
import { EndSessions } from './sessions.ts';
import { lock } from './statements.ts';
import { shown } from './unit-parts.ts';

// A unit whose document is gone: what the ledger on its server keeps of it says what becomes of it. It is noted there that it left,
// and when; an account that is to go is locked before that. What goes later needs no record: the line stays until then.

/** Pure. Why what is there of it cannot be known now. */
export function hiddenLeft(id: Id, observed: Servers): string | undefined {
  return placesOf(id, observed).hidden;
}

/** Pure. The accounts and the role that go; what stays is not in it. */
export function membersLeft(id: Id, observed: Servers): readonly Member[] {
  return placesOf(id, observed).places.flatMap((place) =>
    goes(place) && place.row.leftAt === undefined && !isElsewhere(place)
      ? ownHolders(place).map((one) => memberOf(place, one))
      : [],
  );
}

/** Pure. Notes that it left, and locks what is to go, each on its server. Over when every one of them says so. */
export function removeLeft(
  id: Id,
  members: readonly Member[],
  observed: Servers,
): Removal<MysqlCall> {
  const { places, hidden } = placesOf(id, observed);
  const away = hidden ?? awayOf(members, observed);
  if (away !== undefined) {
    const unknown = members.length > 0 ? members : [{ target: id, id }];
    return { operations: [], left: unknown, waits: [away] };
  }
  const open = places.filter(({ row }) => row.leftAt === undefined);
  if (open.length === 0) {
    const stays = places.flatMap(staysOf);
    return { operations: [], left: [], waits: [], ...(stays.length > 0 && { stays }) };
  }
  const known = new Set(members.map((one) => one.id));
  const operations = open.map((place) => noteOf(place, known));
  const left = members.length > 0 ? members : [{ target: lineOf(id), id }];
  return { operations, left, waits: [] };
}

/** A server on which something was to go, and that is not reached now. One that the settings name no more is nobody's. */
function awayOf(members: readonly Member[], { servers }: Servers): string | undefined {
  for (const [name, sight] of servers) {
    if (sight.status === 'seen') continue;
    if (members.some(({ id }) => id.startsWith(`${name} `))) return `${name}: ${sight.why}`;
  }
  return undefined;
}

function noteOf(place: Place, members: ReadonlySet<string>): Operation<MysqlCall> {
  const { id, on, what } = place;
  const isDue = what === 'account' && goes(place) && !isElsewhere(place);
  const due = ownHolders(place).filter((one) => isDue && members.has(memberOf(place, one).id));
  const open = due.filter(({ locked }) => !locked);
  const locks = open.map(lock);
  // Also of one that is locked already: whoever locked it may have died before this.
  const ends = due.map((one) => new EndSessions(one));
  const target = open.map((one) => wordsOf(place, one)).join(', ');
  return {
    target: target === '' ? lineOf(id) : target,
    verb: 'update',
    phase: 'remove',
    effect: 'none',
    fields: shown([...locks, ...ends]),
    // Whoever dies in between finds the line as it was, and does all of it once more.
    call: {
      op: 'statements',
      server: on,
      statements: [...locks, ...ends, leave(id, place.seen.owner)],
    },
  };
}

function lineOf(id: Id): string {
  return `the ledger's line of ${id}`;
}

function memberOf(place: Place, one: Account): Member {
  return { target: wordsOf(place, one), id: `${place.on} ${place.what} ${accountKey(one)}` };
}
