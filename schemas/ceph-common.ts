import { z } from 'zod';

import { Flag, Name, UnitId, text, whole } from './common.ts';

/** Most units that one document may name. */
const DEPENDENCIES_MAX = 100;
const NAME_MAX = 128;
const ID_MAX = 2 ** 32 - 2;

/**
 * What Ceph's own command line takes as the name of anything (`goodchars` of its commands). Its monitors check nothing: they take
 * blanks and slashes, and a name that begins with a dot is theirs.
 */
export function cephName(what: string) {
  const error = `write ${what} of letters, digits, \`-\`, \`_\` and \`.\` that begins with a letter or digit`;
  return z
    .string({ error })
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error })
    .max(NAME_MAX, { error: `write ${what} of at most ${String(NAME_MAX)} characters` });
}

/** Keys that every document about a cluster has. */
export const common = {
  adopt: Flag.default(false),
  dependsOn: z.array(UnitId).max(DEPENDENCIES_MAX).default([]),
  suspend: Flag.default(false),
  cluster: Name.default('default'),
};

/** Of what holds no data. */
export const deletionPolicy = z
  .enum(['Orphan', 'Delete'], { error: 'write `Orphan` or `Delete`' })
  .default('Orphan');

/** Of what holds data. */
export function kept(what: string) {
  const error = `write \`Orphan\`: there is no code that deletes ${what}`;
  return z.literal('Orphan', { error }).default('Orphan');
}

const MODE = "write a mode as text, such as `'0755'`";

/** Permissions of a folder; the number after parsing. As text: YAML reads `0755` as 755. */
export const Mode = z
  .string({ error: MODE })
  .regex(/^0?[0-7]{3,4}$/, { error: MODE })
  .transform((written) => Number.parseInt(written, 8));

/** A user or a group by its number. */
export const Numeric = whole(0, ID_MAX);

/** Free text without line breaks, in what Ceph keeps as text. */
export function line(what: string) {
  return text(what).regex(/^[^\p{Cc}]+$/u, { error: `write ${what} in one line` });
}
