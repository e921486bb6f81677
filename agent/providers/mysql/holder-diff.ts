import type { Operation } from '../../core/kind.ts';
import { type Account, accountKey, isAccount, isMarked } from './account.ts';
import { apartWords } from './apart.ts';
import { difference, type Wanted } from './diff.ts';
import { accountGuard, adoptionGuard, grantGuard, roleGuard } from './guards.ts';
import { isHeldAsRole } from './left-place.ts';
import { begun, ledgerOf, noted } from './noted.ts';
import { keptHost } from './names.ts';
import type { MysqlCall } from './observed.ts';
import type { RoleSpec, UserSpec } from './spec.ts';
import type { AccountName } from './sql.ts';
import { EndSessions, sessionsNote } from './sessions.ts';
import { dropped, lock } from './statements.ts';
import type { Step } from './step.ts';
import {
  callOf,
  type Diff,
  FOREIGN,
  hold,
  nothing,
  type One,
  operation,
  shown,
  takenAway,
  targetOf,
} from './unit-parts.ts';
import type { WantedOnServer } from './wanted.ts';

/** Pure. What separates a role, or an account at each of its hosts, from what is wanted. */
export function diffHolders(one: One<RoleSpec | UserSpec>, asked: WantedOnServer): Diff {
  const { spec } = one;
  if ('refusals' in asked) return hold(spec, asked.refusals);
  const guarded = asked.wanted.flatMap(({ grants, roles }) => [
    grantGuard(grants),
    roleGuard(roles, one.seen),
  ]);
  const problem = guarded.find((why) => why !== undefined);
  if (problem !== undefined) return hold(spec, [problem]);
  const parts = asked.wanted.map((wanted) => diffHolder(one, wanted));
  return joined([...parts, leftHosts(one, asked.wanted), onOtherNodes(one)]);
}

/** What other nodes of the server's cluster keep otherwise, at whatever host. */
function onOtherNodes(one: One<RoleSpec | UserSpec>): Diff {
  const { spec, seen } = one;
  if (seen.apart === undefined || !ledgerOf(one).isOurs) return nothing;
  const isRole = spec.kind === 'MySQLRole';
  const own = seen.apart.filter((apart) => {
    return apart.account.user === spec.name && apart.isRole === isRole;
  });
  const notes = own.map((apart) => {
    return apartWords(targetOf(spec, isRole ? undefined : apart.account.host), apart);
  });
  return { ...nothing, notes };
}

/** Accounts of ours with the same name at hosts that the document does not have any more: each still lets somebody in. */
function leftHosts(one: One<RoleSpec | UserSpec>, wanted: readonly Wanted[]): Diff {
  const { spec, seen } = one;
  if (spec.kind !== 'MySQLUser' || !ledgerOf(one).isOurs) return nothing;
  const kept = new Set(wanted.map((name) => accountKey(name)));
  const left = [...seen.accounts.values()].filter(
    (live) =>
      live.user === spec.name &&
      // A role of that name is another unit's.
      isAccount(live) &&
      isMarked(live) &&
      !kept.has(accountKey(live)),
  );
  if (left.length === 0) return nothing;
  const going = left.filter((live) => accountGuard(live, seen) === undefined);
  const goesOn = sessionsNote(going, seen);
  const [held, free] = partition(going, (live) => isHeldAsRole(live, seen));
  const later = [
    ...free.map((live) => leftHost(spec, live, dropped(live))),
    ...held
      .filter(({ locked }) => !locked)
      .map((live) => leftHost(spec, live, [lock(live), new EndSessions(live)])),
  ];
  const stays = held.map(
    ({ host }) => `${targetOf(spec, host)} is locked until nobody has it as a role any more`,
  );
  const notes = [...stays, ...(goesOn === undefined ? [] : [goesOn])];
  return { ...nothing, later, ...(notes.length > 0 && { notes }) };
}

function leftHost(spec: UserSpec, { host }: Account, steps: readonly Step[]): Operation<MysqlCall> {
  return {
    target: targetOf(spec, host),
    verb: 'remove',
    phase: 'remove',
    effect: 'destructive',
    fields: shown(steps),
    call: callOf(spec, steps),
  };
}

function partition(
  all: readonly Account[],
  is: (one: Account) => boolean,
): readonly [readonly Account[], readonly Account[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

function joined(parts: readonly Diff[]): Diff {
  const later = parts.flatMap((part) => part.later ?? []);
  const notes = parts.flatMap((part) => part.notes ?? []);
  return {
    operations: parts.flatMap(({ operations }) => operations),
    blocked: parts.flatMap(({ blocked }) => blocked),
    ...(later.length > 0 && { later }),
    ...(notes.length > 0 && { notes }),
  };
}

/** One account, or a role. */
function diffHolder(one: One<RoleSpec | UserSpec>, wanted: Wanted): Diff {
  const { spec, seen } = one;
  const live = seen.accounts.get(accountKey(wanted));
  const { isOurs, isNoted } = ledgerOf(one);
  if (live !== undefined) {
    const guarded = accountGuard(live, seen);
    if (guarded !== undefined) return hold(spec, [guarded]);
    // The line is written before the account: a foreign one of that name may have come in between. One that may do nothing
    // is what we leave behind where we die before the mark.
    const isKnown = isOurs && (isMarked(live) || isBare(live));
    if (!isKnown && !spec.adopt) return hold(spec, [FOREIGN]);
    const kept = isMarked(live) ? undefined : adoptionGuard(live, seen);
    if (kept !== undefined) return hold(spec, [kept]);
  }
  const { first, refusals, left } = difference(wanted, live, seen.server);
  const { later } = difference(withoutEarlier(wanted), live, seen.server);
  if (refusals.length > 0) return hold(spec, refusals);
  const target = targetOf(spec, hostOf(wanted));
  const isDue = first.length > 0 || !isNoted;
  const isShut = live !== undefined && wanted.login?.locked === true;
  const steps = isShut ? [...first, new EndSessions(live)] : first;
  const said = isShut ? [begun(one), ...steps, noted(one)] : [noted(one), ...steps];
  const goesOn = isDue && isShut ? sessionsNote(shutNames(spec), seen) : undefined;
  const notes = [...left, ...(goesOn === undefined ? [] : [goesOn])];
  const taken = later.length === 0 ? [] : [takenAway(spec, target, later)];
  return {
    operations: isDue ? [operation(spec, { live, said, fields: shown(steps), target })] : [],
    blocked: [],
    ...(taken.length > 0 && { later: taken }),
    ...(notes.length > 0 && { notes: notes.map((why) => `${target}: ${why}`) }),
  };
}

/** All hosts of a document are locked together. */
function shutNames(spec: RoleSpec | UserSpec): readonly AccountName[] {
  if (spec.kind !== 'MySQLUser') return [];
  return spec.hosts.map((host) => ({ user: spec.name, host: keptHost(host) }));
}

function isBare({ grants, roles, proxies }: Account): boolean {
  return grants.size === 0 && roles.length === 0 && proxies.length === 0;
}

/** Once nothing uses it, an earlier password goes. */
function withoutEarlier(wanted: Wanted): Wanted {
  const { login } = wanted;
  if (login === undefined) return wanted;
  return { ...wanted, login: { ...login, password: { ...login.password, keepEarlier: false } } };
}

function hostOf({ host, login }: Wanted): AccountName['host'] | undefined {
  return login === undefined ? undefined : host;
}
