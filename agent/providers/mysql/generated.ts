import { createHash } from 'node:crypto';

import { AUTH_LABEL, keptSecretName, OWNER_LABEL, PLAIN_LABEL } from '../../core/kept-secret.ts';
import type { Id } from '../../core/kind.ts';
import { type Account, accountKey, isMarked } from './account.ts';
import { authDigest, type AuthString } from './hash.ts';
import type { UserSpec } from './spec.ts';

// A password that the agent makes is nowhere but in a Swarm secret, which gives nothing back, and as a hash on the server. What
// ties the two is a label with the digest of that hash: whichever secret has the digest of what the server keeps is the current
// one, whoever died in between. A secret that matches nothing was made and never came to the server.

/** On each Swarm secret that holds a password of ours. */
export const LABELS = {
  /** The id of the unit. */
  owner: OWNER_LABEL,
  /** The plain name, by which stacks ask for it. */
  secret: PLAIN_LABEL,
  /** `authDigest` of what the server keeps for it. */
  auth: AUTH_LABEL,
  /** The server as the agent's settings name it; absent: the only one that they name. */
  server: 'understudy.server',
  /** `rotateDigest` of the text for which it was made. */
  rotate: 'understudy.rotate',
} as const;

/** A secret of the Swarm; its content is not to be had. */
export interface SwarmSecret {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Pure. Of the text that asks for another password; of none where there is none. Hex, short. */
export function rotateDigest(rotate: string | undefined): string {
  return rotate === undefined ? '' : createHash('sha256').update(rotate).digest('hex').slice(0, 16);
}

type Generated = Extract<UserSpec['password'], { readonly from: 'generated' }>;

/** What is known of the password of an account. */
export type PasswordState =
  /** The server has what this secret holds. */
  | { readonly is: 'current'; readonly secret: string; readonly auth: AuthString }
  /**
   * There is none, `rotate` asks for another one, or nobody has what the server keeps. `keepEarlier`: the account is there, and
   * somebody may use what it had.
   */
  | {
      readonly is: 'wanted';
      readonly why: 'first' | 'rotate' | 'lost' | 'plugin';
      readonly keepEarlier: boolean;
    };

interface Asked {
  readonly id: Id;
  readonly spec: Pick<UserSpec, 'name' | 'hosts' | 'rotate' | 'server'>;
  readonly password: Generated;
  readonly plugin: string;
}

/**
 * Pure. By what the server has first for each host: where a change came to some of the hosts alone, what was asked for last is
 * current.
 */
export function passwordState(
  { id, spec, password, plugin }: Asked,
  accounts: ReadonlyMap<string, Account>,
  secrets: Iterable<SwarmSecret>,
): PasswordState {
  const own = [...secrets].filter((one) => isOf(one, id, password.secret));
  const lives = spec.hosts
    .flatMap((host) => accounts.get(accountKey({ user: spec.name, host })) ?? [])
    .filter((live) => isMarked(live));
  const heldIn = (auths: readonly AuthString[]) =>
    auths.flatMap((auth) => {
      const digest = authDigest(auth);
      const found = own.find(({ labels }) => labels[LABELS.auth] === digest);
      return found === undefined ? [] : [{ auth, found }];
    });
  const held = heldIn(lives.flatMap(({ authentication }) => authentication.slice(0, 1)));
  const wanted = rotateDigest(spec.rotate);
  const isAsked = ({ found }: { readonly found: SwarmSecret }): boolean =>
    found.labels[LABELS.rotate] === wanted;
  const asked = held.filter(isAsked);
  // What is asked for again may be good still beside a later one; and what other hosts have goes along to new ones.
  const beside = lives.flatMap(({ authentication, retained }) => [
    ...authentication.slice(1),
    ...(retained === undefined ? [] : [retained]),
  ]);
  const elsewhere = lives.length > 0 ? [] : firstElsewhere(spec.name, accounts);
  const current = [...asked, ...heldIn([...beside, ...elsewhere]).filter(isAsked)].find(
    ({ auth }) => auth.plugin === plugin,
  );
  if (current !== undefined) {
    return { is: 'current', secret: current.found.name, auth: current.auth };
  }
  const keepEarlier = lives.length > 0;
  if (!keepEarlier) return { is: 'wanted', why: 'first', keepEarlier };
  if (held.length === 0) return { is: 'wanted', why: 'lost', keepEarlier };
  return { is: 'wanted', why: asked.length > 0 ? 'plugin' : 'rotate', keepEarlier };
}

/** What accounts of ours by that name have first, at whatever host: none of those that the document has is there yet. */
function firstElsewhere(
  name: string,
  accounts: ReadonlyMap<string, Account>,
): readonly AuthString[] {
  return [...accounts.values()]
    .filter((live) => live.user === name && live.isRole === 'no' && isMarked(live))
    .flatMap(({ authentication }) => authentication.slice(0, 1));
}

/** Pure. Whether a secret was made for that unit under that plain name. */
function isOf({ labels }: SwarmSecret, id: Id, plain: string): boolean {
  return labels[LABELS.owner] === id && labels[LABELS.secret] === plain;
}

/** Pure. The name for a new password. */
export function secretName(plain: string, auth: AuthString, taken: Iterable<SwarmSecret>): string {
  return keptSecretName(plain, authDigest(auth), taken);
}

/** Pure. What marks the secret of a new password. */
export function secretLabels(
  {
    id,
    spec,
    password,
  }: Pick<Asked, 'id' | 'spec'> & { readonly password: { readonly secret: string } },
  auth: AuthString,
): Readonly<Record<string, string>> {
  return {
    [LABELS.owner]: id,
    [LABELS.secret]: password.secret,
    [LABELS.auth]: authDigest(auth),
    [LABELS.rotate]: rotateDigest(spec.rotate),
    ...(spec.server !== undefined && { [LABELS.server]: spec.server }),
  };
}
