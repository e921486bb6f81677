import type { FieldDiff } from '../../core/kind.ts';
import { Secret } from '../../core/secret.ts';
import { type PasswordState, passwordState, type SwarmSecret } from './generated.ts';
import type { AuthString } from './hash.ts';
import { diffHolders } from './holder-diff.ts';
import type { PasswordCall } from './observed.ts';
import type { UserSpec } from './spec.ts';
import type { Step } from './step.ts';
import { type Diff, nothing, type One, targetOf } from './unit-parts.ts';
import { pluginOf, wantedUser } from './wanted.ts';

const WHY: Readonly<Record<Extract<PasswordState, { readonly is: 'wanted' }>['why'], string>> = {
  first: 'made for the first time',
  rotate: 'made anew, as `rotate` asks',
  lost: 'made anew: no secret holds what the server has',
  plugin: 'made anew for another plugin',
};

/**
 * Pure. What separates an account with a password of ours from its document. Where there is no current password one call makes it:
 * the secret, then the server, at all hosts.
 */
export function diffGenerated(one: One<UserSpec>, secrets: Iterable<SwarmSecret>): Diff {
  const { unit, spec, seen } = one;
  const { password } = spec;
  if (password.from !== 'generated') return nothing;
  const plugin = pluginOf(spec, seen.server);
  const state = passwordState({ id: unit.id, spec, password, plugin }, seen.accounts, secrets);
  if (state.is === 'current') return withPassword(one, state.auth);
  // As it will be, but for the hash: what keeps it from being so is known before anything is made.
  const planned = withPassword(one, { plugin, stored: new Secret('-') });
  if (planned.blocked.length > 0) return { ...nothing, blocked: planned.blocked };
  const made: FieldDiff = { path: 'password', desired: `[secret] (${WHY[state.why]})` };
  const fields = [made, ...planned.operations.flatMap((operation) => operation.fields)];
  const isNew = state.why === 'first';
  const { server } = spec;
  return {
    ...nothing,
    operations: [
      {
        target: targetOf(spec),
        verb: isNew ? 'create' : 'update',
        phase: isNew ? 'add' : 'change',
        effect: 'none',
        fields,
        call: {
          op: 'password',
          unit: { ...unit, spec },
          seen,
          ...(server !== undefined && { server }),
        },
      },
    ],
  };
}

/** Pure. What gives a server the password that was made, or that is written. */
export function passwordStatements(
  { unit, seen, given }: Pick<PasswordCall, 'unit' | 'seen' | 'given'>,
  auth: AuthString,
): readonly Step[] {
  const { keepEarlier = true } = given ?? {};
  const { operations } = withPassword({ unit, spec: unit.spec, seen }, auth, keepEarlier);
  return operations.flatMap(({ call }) => (call.op === 'statements' ? call.statements : []));
}

/** The earlier one stays good until nothing uses it. */
function withPassword(one: One<UserSpec>, fresh: AuthString, keepEarlier = true): Diff {
  return diffHolders(one, wantedUser(one.spec, { fresh, keepEarlier }, one.seen));
}
