import type { FieldDiff } from '../../core/kind.ts';
import { LABELS, type SwarmSecret } from './generated.ts';
import { authDigest, type AuthString } from './hash.ts';
import { diffHolders } from './holder-diff.ts';
import type { UserSpec } from './spec.ts';
import { type Diff, nothing, type One, targetOf } from './unit-parts.ts';
import { wantedUser } from './wanted.ts';

/** What an account is to be opened with. */
interface Opened {
  readonly fresh: AuthString;
  readonly keepEarlier: boolean;
}

/**
 * Pure. What separates an account whose password is written from its document. Where stacks are to find it in a Swarm secret, and
 * none is there for what the server has or gets, one call makes that first, then gives the server the hash.
 */
export function diffDelivered(
  one: One<UserSpec>,
  opened: Opened,
  secrets: Iterable<SwarmSecret>,
): Diff {
  const { unit, spec, seen } = one;
  const { password, server } = spec;
  const planned = diffHolders(one, wantedUser(spec, opened, seen));
  if (password.from !== 'file' || password.secret === undefined) return planned;
  if (planned.blocked.length > 0) return planned;
  const labels = { [LABELS.owner]: unit.id, [LABELS.secret]: password.secret };
  const wanted = { ...labels, [LABELS.auth]: authDigest(opened.fresh) };
  if (isThere(secrets, wanted)) return planned;
  const [first] = planned.operations;
  const made: FieldDiff = { path: 'password', desired: `[secret] (into ${password.secret})` };
  return {
    ...nothing,
    operations: [
      {
        target: targetOf(spec),
        verb: first?.verb ?? 'update',
        phase: first?.phase ?? 'change',
        effect: 'none',
        fields: [made, ...planned.operations.flatMap(({ fields }) => fields)],
        call: {
          op: 'password',
          unit: { ...unit, spec },
          seen,
          given: { password: password.password, ...opened },
          ...(server !== undefined && { server }),
        },
      },
    ],
  };
}

function isThere(
  secrets: Iterable<SwarmSecret>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  const entries = Object.entries(wanted);
  for (const { labels } of secrets) {
    if (entries.every(([label, value]) => labels[label] === value)) return true;
  }
  return false;
}
