import type { Diagnostic } from './diagnostic.ts';
import type { FolderOutput } from './folder-kind.ts';

/** Pure. `a_b` + `c` and `a` + `b_c` are one service to Swarm, and so are names that differ only in case. */
export function clashes<Spec>(outputs: readonly FolderOutput<Spec>[]): readonly Diagnostic[] {
  const owners = new Map<string, string>();
  return outputs.flatMap(({ rendered, claims, claimedAt }) =>
    claims.flatMap((claim): readonly Diagnostic[] => {
      if (rendered === undefined) return [];
      const owner = owners.get(claim);
      owners.set(claim, rendered.id);
      if (owner === undefined || owner === rendered.id) return [];
      const [what, name] = [
        claim.slice(0, claim.indexOf(':')),
        claim.slice(claim.indexOf(':') + 1),
      ];
      const message = `the ${what} \`${name}\` is also made by \`${owner}\``;
      const place = claimedAt?.get(claim) ?? rendered.place;
      return [{ severity: 'error', code: 'name-conflict', message, place }];
    }),
  );
}
