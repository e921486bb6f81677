import type { Allow as Written } from '../../../../schemas/environment.ts';

/**
 * What the environment's policy allows to stacks (`policy.allow`), with nothing left open: whatever does not stand here
 * is refused.
 */
export type Allow = { readonly [Key in keyof Written]-?: NonNullable<Written[Key]> };
