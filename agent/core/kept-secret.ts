/** On each Swarm secret that holds a password of an account: the id of the account's unit. */
export const OWNER_LABEL = 'understudy.owner';
/** On the same: the plain name, by which stacks ask for it. */
export const PLAIN_LABEL = 'understudy.secret';
/** On the same: a digest of what is in it, or of what a server keeps of that. Hex. */
export const AUTH_LABEL = 'understudy.auth';

/** Longest name of a secret (swarmkit api/validation). */
const NAME_MAX = 64;
const SUFFIX_LENGTH = 9;
const TRIES = 24;

/**
 * Pure. The name for new content: the plain one while nothing has it, so that `docker stack deploy` finds it too; else with digits
 * of its digest. The Swarm takes names that differ only in case for one.
 */
export function keptSecretName(
  plain: string,
  digest: string,
  taken: Iterable<{ readonly name: string }>,
): string {
  const names = new Set([...taken].map(({ name }) => name.toLowerCase()));
  if (!names.has(plain.toLowerCase())) return plain;
  const base = plain.slice(0, NAME_MAX - SUFFIX_LENGTH);
  // The same content may be wanted again while the secret of before is still there, and no longer the newest.
  const free = Array.from({ length: TRIES }, (_, from) => {
    return `${base}-${digest.slice(from, from + SUFFIX_LENGTH - 1)}`;
  }).find((name) => !names.has(name.toLowerCase()));
  return free ?? `${base}-${digest.slice(0, SUFFIX_LENGTH - 1)}`;
}
