import type { Id } from '../../../core/kind.ts';
import type { PurgeGround } from '../../../core/purge.ts';
import type { Account } from '../account.ts';
import { OWN_SCHEMA } from '../guards.ts';
import { namedBy } from '../named.ts';
import { databaseProblem } from '../names.ts';
import type { ServerSeen } from '../observed.ts';
import { holdersOf, seesDatabases } from './use.ts';

/** A database, and the server that it is on, as the agent's settings name it. */
export interface DatabasePlace {
  readonly name: string;
  readonly server: string;
}

/** All that is looked at before a person may drop a database. */
export interface DatabaseLook {
  /** By the eyes of the environment whose agents write there. */
  readonly seen: ServerSeen;
  /** The ledger is one of the first version. */
  readonly isOldLedger: boolean;
  /** Which accounts have sessions in it, host by host; or why nobody knows that of a host. */
  readonly sessions: readonly HostSessions[];
  /** Databases that refer to tables of it. */
  readonly references: readonly string[];
}

export type HostSessions = { readonly host: string } & (
  { readonly words: readonly string[] } | { readonly why: string }
);

/** Pure. Why it stays, by what the repository has; undefined: it has no document of it. */
export function keptInGit(place: DatabasePlace, { units }: PurgeGround): string | undefined {
  // Some servers take names for one that differ by capitals.
  const found = [...units].find((id) => {
    const named = namedBy(id);
    if (named?.what !== 'database' || !isNamed(named.name, place.name)) return false;
    return named.server === undefined || named.server === place.server;
  });
  return found && `its document is in the repository, or about to leave it (\`${found}\`)`;
}

/** Pure. Lines of the ledger that go with it. */
export function linesOf(
  { name }: DatabasePlace,
  { owned, foreign = new Map() }: Pick<ServerSeen, 'owned' | 'foreign'>,
): readonly Id[] {
  return [...owned.keys(), ...foreign.keys()].filter((id) => isOf(id, name));
}

/** Pure. Why it is not to go now; empty: it may. `taken`: whose the lines are while a person drops it. */
export function refusalsOf(
  place: DatabasePlace,
  look: DatabaseLook,
  { ground, taken }: { readonly ground: PurgeGround; readonly taken: string },
): readonly string[] {
  const system =
    place.name.toLowerCase() === OWN_SCHEMA
      ? `\`${OWN_SCHEMA}\` is where the agents keep what is theirs`
      : databaseProblem(place.name);
  const git = keptInGit(place, ground);
  return [
    ...(system === undefined ? [] : [system]),
    ...(git === undefined ? [] : [git]),
    ...hiddenRefusals(place, look),
    ...ledgerRefusals(place, look, taken),
    ...sessionRefusals(look),
    ...accountRefusals(place, look, ground),
    ...look.references.map((other) => `tables of ${other} refer to tables of it`),
  ];
}

/** What an account has no right on it does not see either: that it is gone must be known before its lines go. */
function hiddenRefusals({ name }: DatabasePlace, { seen }: DatabaseLook): readonly string[] {
  const { self, accounts, server } = seen;
  if (seen.databases.has(name) || seesDatabases(self, accounts, server)) return [];
  return [
    'whether it is there is not known: GRANT SHOW DATABASES ON *.* is missing to the account that looks',
  ];
}

function ledgerRefusals(
  place: DatabasePlace,
  { seen, isOldLedger }: DatabaseLook,
  taken: string,
): readonly string[] {
  if (isOldLedger) {
    return [
      'the ledger on its server is of an earlier version: an agent changes that with its next write',
    ];
  }
  const lines = linesOf(place, seen);
  if (lines.length === 0) {
    return [
      'the ledger on its server does not name it: understudy neither made it nor took it over; who wants it gone drops it by hand',
    ];
  }
  return lines.flatMap((id) => {
    const owner = seen.foreign?.get(id);
    if (owner === taken) return [];
    if (owner !== undefined) {
      return [
        `the ledger on its server says that it belongs to \`${owner}\`: purge it where that is`,
      ];
    }
    return seen.owned.get(id)?.leftAt === undefined
      ? [
          `the ledger on its server does not say that \`${id}\` left the repository: an agent notes that`,
        ]
      : [];
  });
}

function sessionRefusals({ sessions }: DatabaseLook): readonly string[] {
  return sessions.flatMap((one) => {
    if ('why' in one) return [`whether a session uses it on ${one.host} is not known: ${one.why}`];
    return one.words.length === 0
      ? []
      : [`sessions use it on ${one.host}: ${one.words.join(', ')}`];
  });
}

/** Of units that are in the repository: who took the database out and left the account in has forgotten one of the two. */
function accountRefusals(
  place: DatabasePlace,
  { seen }: DatabaseLook,
  { units }: PurgeGround,
): readonly string[] {
  return holders(place, seen).flatMap((one) => {
    const unit = [...units].find((id) => isUnitOf(id, one, place));
    return unit === undefined ? [] : [`\`${unit}\` has rights on it (${accountWords(one)})`];
  });
}

/** Pure. What stays when it is gone. */
export function notesOf(
  place: DatabasePlace,
  { seen }: Pick<DatabaseLook, 'seen'>,
): readonly string[] {
  const words = holders(place, seen).map(accountWords);
  if (words.length === 0) return [];
  return [`rights on it stay, also on one that is made later by that name: ${words.join(', ')}`];
}

function holders({ name }: DatabasePlace, seen: ServerSeen): readonly Account[] {
  return holdersOf(name, seen.accounts, seen.server);
}

function accountWords({ user, host, isRole, locked }: Account): string {
  const name = host === '' || isRole === 'yes' ? user : `${user}@${host}`;
  return locked && isRole === 'no' ? `${name}, locked` : name;
}

function isUnitOf(id: Id, { user }: Account, { server }: DatabasePlace): boolean {
  const named = namedBy(id);
  if (named === undefined || named.what === 'database' || named.name !== user) return false;
  return named.server === undefined || named.server === server;
}

function isOf(id: Id, name: string): boolean {
  const named = namedBy(id);
  return named?.what === 'database' && named.name === name;
}

function isNamed(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
