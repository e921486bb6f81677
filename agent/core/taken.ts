// Whose something is while a person deletes it. Agents read it where they ask whose a thing is; what deletes is elsewhere.

/**
 * Pure. Whose a thing is while a person deletes it: no environment can be called so, and what another one has the agents leave alone. So
 * a document that comes back in this moment does not take up what goes.
 */
export function purgeOwner(environment: string): string {
  return `understudy purge of ${environment}`;
}

/** Pure. Whether something belongs to one who deletes it there. */
export function isPurges(owner: string, environment: string): boolean {
  const mine = purgeOwner(environment);
  return owner === mine || owner === `${mine}${DOWN}`;
}

const DOWN = ', taken down';

/** Pure. The same of what was looked into, and then taken from whoever could change it. */
export function downOwner(environment: string): string {
  return `${purgeOwner(environment)}${DOWN}`;
}
