/** On each Swarm secret that holds a password of an account: the id of the account's unit. */
export const OWNER_LABEL = 'understudy.owner';
/** On the same: the plain name, by which stacks ask for it. */
export const PLAIN_LABEL = 'understudy.secret';
