import type { Secret } from '../../core/secret.ts';
import type { Account } from './account.ts';
import { compared } from './hash.ts';
import type { AuthString, Verdict } from './hash.ts';

/** The password that an account is to have. */
export interface WantedPassword {
  /** Absent where only a hash is declared: then the text of the hash is compared. */
  readonly password?: Secret;
  /** What is written if the account has another. Its plugin is the declared one. */
  readonly fresh: AuthString;
  /** The earlier password stays good beside: something uses it still. */
  readonly keepEarlier: boolean;
}

/** What to do about a password. `later`: when nothing uses what it takes away. */
export type PasswordStep =
  | { readonly step: 'none' }
  | { readonly step: 'refused'; readonly reason: string }
  /** MySQL. */
  | { readonly step: 'write'; readonly retain: boolean; readonly thenDiscard: boolean }
  | { readonly step: 'discard' }
  /** MariaDB: these and no others open the account. */
  | { readonly step: 'state'; readonly auths: readonly AuthString[]; readonly later: boolean };

const NONE: PasswordStep = { step: 'none' };

/** So many earlier passwords MariaDB keeps beside a new one. */
const EARLIER_MAX = 4;

/**
 * Pure. MySQL. A repeated `RETAIN CURRENT PASSWORD` would retain the new password and lose the earlier one, so it is only
 * said while the account has another password than the wanted: after a lost answer the rows say which.
 */
export function mysqlPassword(wanted: WantedPassword, live: Account): PasswordStep {
  const [current] = live.authentication;
  const verdict = current === undefined ? 'other' : judged(wanted, current);
  if (verdict === 'same') {
    return live.retained !== undefined && !wanted.keepEarlier ? { step: 'discard' } : NONE;
  }
  const hasEarlier = current !== undefined && current.stored.reveal() !== '';
  if (!wanted.keepEarlier || !hasEarlier) {
    return { step: 'write', retain: false, thenDiscard: live.retained !== undefined };
  }
  if (current.plugin !== wanted.fresh.plugin) {
    const reason = `the earlier password cannot stay good: it is kept by \`${current.plugin}\``;
    return { step: 'refused', reason };
  }
  if (verdict === 'unknown') {
    const reason =
      'the password is kept in a form that is not compared: it might be the wanted one';
    return { step: 'refused', reason };
  }
  return { step: 'write', retain: true, thenDiscard: false };
}

/** Pure. MariaDB: the statement says the full set, so it may be repeated. The new one comes first. */
export function mariadbPassword(wanted: WantedPassword, live: Account): PasswordStep {
  const same = live.authentication.find((auth) => judged(wanted, auth) === 'same');
  if (same !== undefined && same !== live.authentication[0]) {
    // It is good already, beside a later one: which is first says which one counts.
    const others = live.authentication.filter((auth) => auth !== same);
    return { step: 'state', auths: [same, ...others], later: false };
  }
  if (same !== undefined) {
    const done = wanted.keepEarlier || live.authentication.length === 1;
    return done ? NONE : { step: 'state', auths: [same], later: true };
  }
  const earlier = live.authentication.filter(({ stored }) => stored.reveal() !== '');
  // All of them: whatever is mounted somewhere stays good.
  const kept = wanted.keepEarlier ? earlier.slice(0, EARLIER_MAX) : [];
  return { step: 'state', auths: [wanted.fresh, ...kept], later: false };
}

/** Another plugin is another password, whatever its text. */
function judged({ password, fresh }: WantedPassword, kept: AuthString): Verdict {
  if (kept.plugin !== fresh.plugin) return 'other';
  if (password !== undefined) return compared(kept, password);
  return kept.stored.reveal() === fresh.stored.reveal() ? 'same' : 'other';
}
