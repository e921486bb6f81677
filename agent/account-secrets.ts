import type { Difference, Kind, Operation, Rendered } from './core/kind.ts';
import type { Spare } from './core/member.ts';
import { LABELS } from './providers/mysql/generated.ts';
import type { Accounts } from './providers/mysql/account.ts';
import { type Opening, openingSecrets } from './providers/mysql/opening.ts';
import type { MysqlCall, PasswordCall, ServerSight } from './providers/mysql/observed.ts';
import type { CephSpec } from './providers/ceph/spec.ts';
import type { MysqlSpec } from './providers/mysql/spec.ts';
import { familyOf, type StackObserved } from './providers/stack/observed.ts';
import { isSecretUsed, secretUser } from './providers/stack/spares.ts';
import type { ObservedSecret, StackCall } from './providers/stack/swarm.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';

// What an account of a server and the stacks that log in with it have in common: secrets of the Swarm.

type Sights = ReadonlyMap<string, ServerSight>;

/** Pure. The kind of what is on servers, where passwords go to the Swarm. */
export function withAccountSecrets(
  kind: Kind<MysqlSpec, MysqlObserved, MysqlCall>,
): Kind<MysqlSpec, StackObserved & MysqlObserved, MysqlCall | StackCall> {
  return {
    ...kind,
    diff: (unit, seen) => whileMounted(kind.diff(unit, seen), unit, seen),
    spares: (unit, seen) => [...kind.spares(unit, seen), ...spareSecrets(unit, seen)],
  };
}

/** Pure. What is observed, with what servers say of the secrets in it. Without any that holds a password servers are not looked at. */
export function withPasswords(seen: StackObserved, servers: Sights): StackObserved & MysqlObserved {
  if (seen.families.size === 0) return { ...seen, servers };
  const accounts = [...servers].flatMap(([name, sight]): OnServer[] =>
    sight.status === 'seen' ? [[name, sight.seen.accounts]] : [],
  );
  const { current, earlier } = openingOf(seen, accounts);
  const serversSeen = [...servers.values()].every(({ status }) => status === 'seen');
  return { ...seen, servers, generated: current, earlier, serversSeen };
}

type OnServer = readonly [server: string, accounts: Accounts];

interface Found {
  readonly accounts: readonly OnServer[];
  readonly opening: Opening;
}

/** What was found last of a list of secrets: a look that shows nothing new gives the same lists. */
const found = new WeakMap<readonly ObservedSecret[], Found>();

function openingOf({ state, families }: StackObserved, accounts: readonly OnServer[]): Opening {
  const before = found.get(state.secrets);
  const isSame = before?.accounts.length === accounts.length;
  if (isSame && accounts.every(([, one], at) => one === before.accounts[at]?.[1])) {
    return before.opening;
  }
  const all = new Map(accounts.map(([name, one]) => [name, one.values()]));
  const opening = openingSecrets(all, [...families.values()].flat());
  found.set(state.secrets, { accounts, opening });
  return opening;
}

/**
 * Pure. Secrets that were made for an account, that no server keeps for any account any more, and that nothing uses: earlier
 * passwords, and those that never came to a server. None while any server is not seen, or while the account has no current one.
 */
export function spareSecrets(
  { id, spec }: Rendered<MysqlSpec | CephSpec>,
  seen: StackObserved,
): readonly Spare<StackCall>[] {
  const plain = plainNameIn(spec)?.toLowerCase();
  if (plain === undefined || !seen.generated.has(plain)) return [];
  // A client has one key; an account may have what only a server that is not seen would tell.
  if (spec.kind !== 'CephClient' && !seen.serversSeen) return [];
  return ownSecrets(id, seen)
    .filter((one) => !opens(one, seen) && !isSecretUsed(one, seen))
    .map((one) => spare(one, id));
}

/**
 * Pure. What an account is to lose waits as long as something still mounts an earlier password of its that is good: that a stack is
 * settled says nothing of one that is none of ours, nor of a task that takes its time to stop.
 */
function whileMounted(
  difference: Difference<MysqlCall>,
  { id }: Rendered<MysqlSpec>,
  seen: StackObserved,
): Difference<MysqlCall> {
  const { later = [], ...rest } = difference;
  const isRotation = difference.operations.some(
    ({ call }) => call.op === 'password' && losesEarlier(call, seen),
  );
  if (later.length === 0 && !isRotation) return difference;
  const mounted = ownSecrets(id, seen)
    .filter(({ name }) => seen.earlier.has(name.toLowerCase()))
    .flatMap((one) => {
      const user = secretUser(one, seen);
      return user === undefined ? [] : `${user} mounts secret ${one.name}, an earlier password`;
    });
  if (mounted.length === 0) return difference;
  if (isRotation) {
    const target = difference.operations[0]?.target ?? id;
    const why = `another password waits, two at once are all that its server keeps: ${mounted.join('; ')}`;
    return { operations: [], blocked: [{ target, why: `${target}: ${why}`, waits: true }] };
  }
  const targets = [...new Set(later.map(({ target }) => target))].join(', ');
  const why = `${targets} has more than is wanted, which stays: ${mounted.join('; ')}`;
  return { ...rest, notes: [...(rest.notes ?? []), why] };
}

/** Whether a new password takes the place of an earlier one that is good still. Where there is no current one nothing is lost by it. */
function losesEarlier(
  { unit, seen: { server }, given }: PasswordCall,
  seen: StackObserved,
): boolean {
  const plain = plainNameIn(unit.spec)?.toLowerCase() ?? '';
  return server.flavor === 'mysql' && given === undefined && seen.generated.has(plain);
}

function plainNameIn(spec: MysqlSpec | CephSpec): string | undefined {
  if (spec.kind === 'CephClient') return spec.secret;
  if (spec.kind !== 'MySQLUser' || spec.password.from === 'hash') return undefined;
  return spec.password.secret;
}

/** All that were made for a unit, under whatever plain name. */
function ownSecrets(id: string, { state }: StackObserved): readonly ObservedSecret[] {
  return byOwner(state.secrets).get(id) ?? [];
}

/** Gathered once for each list: hundreds of accounts ask. */
const gathered = new WeakMap<
  readonly ObservedSecret[],
  ReadonlyMap<string, readonly ObservedSecret[]>
>();

function byOwner(
  secrets: readonly ObservedSecret[],
): ReadonlyMap<string, readonly ObservedSecret[]> {
  const known = gathered.get(secrets);
  const owners =
    known ??
    Map.groupBy(
      secrets.filter((one) => familyOf(one) !== undefined),
      ({ labels }) => labels[LABELS.owner] ?? '',
    );
  gathered.set(secrets, owners);
  return owners;
}

function opens(secret: ObservedSecret, { generated, earlier }: StackObserved): boolean {
  const name = secret.name.toLowerCase();
  const plain = familyOf(secret)?.toLowerCase() ?? '';
  return earlier.has(name) || generated.get(plain)?.toLowerCase() === name;
}

function spare({ id, name, labels }: ObservedSecret, account: string): Spare<StackCall> {
  const operation: Operation<StackCall> = {
    target: `secret ${name}`,
    verb: 'remove',
    phase: 'remove',
    effect: 'destructive',
    fields: [],
    call: { op: 'secret-remove', id, name, account },
  };
  // Who names the plain name wants what is current, which this one is not whatever its name.
  const isPlain = name.toLowerCase() === labels[LABELS.secret]?.toLowerCase();
  return { id, need: isPlain ? `secret-id:${id}` : `secret:${name}`, operation };
}
