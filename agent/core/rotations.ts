import { digestOf } from './digest.ts';
import type { FolderOutput } from './folder-kind.ts';
import type { Rendered } from './kind.ts';

/** By what others need, in lower case (`secret:blog_db`): a digest of what is behind that name. */
export type Rotations = ReadonlyMap<string, string>;

/** Pure. What documents give under a name that stays while what is behind it may change. */
export function rotationsOf(
  outputs: Iterable<{ readonly output: Pick<FolderOutput<unknown>, 'rotations'> }>,
): Rotations {
  const rotations = new Map<string, string>();
  for (const { output } of outputs) {
    for (const [name, digest] of output.rotations ?? []) rotations.set(name.toLowerCase(), digest);
  }
  return rotations;
}

/**
 * Pure. The unit as it is with what it needs: when that becomes another one under the same name the unit is another one too, so
 * that it gets it by an attempt, in its turn, and looked at. The same object where nothing of it is of the kind.
 */
export function withRotations<Spec>(unit: Rendered<Spec>, rotations: Rotations): Rendered<Spec> {
  if (rotations.size === 0) return unit;
  const behind = new Map(
    unit.needs.flatMap((need): [string, string][] => {
      const digest = rotations.get(need.toLowerCase());
      return digest === undefined ? [] : [[need.toLowerCase(), digest]];
    }),
  );
  if (behind.size === 0) return unit;
  return { ...unit, digest: digestOf([unit.digest, Object.fromEntries(behind)]) };
}
