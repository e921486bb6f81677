import type { FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import type { PlannedOperation, PlanWords } from '../../core/plan.ts';
import { composePath, IMAGE_LABEL } from './compose-paths.ts';
import { fieldDiffs } from './fields.ts';
import { isVersionOf } from './names.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';
import { veiledFields } from './veil.ts';

/** How the plan of stacks reads. */
export const stackWords: PlanWords<StackSpec, StackCall> = {
  beside: (before, after) => {
    const fields = fieldDiffs('stack', besideObjects(before), besideObjects(after));
    return veiledFields(before.spec.veiled === true ? before.spec : after.spec, fields);
  },
  operation: plannedOperation,
};

/** What `stack.yaml` says of a stack. Times in milliseconds. */
function besideObjects({ spec, dependsOn, suspended }: Rendered<StackSpec>) {
  const { health, rollback, removal, prune, ignore } = spec;
  return { health, rollback, removal, prune, ignore, suspended, dependsOn };
}

/**
 * Content of a config or a secret goes under a name with digits of its digest. Those are left out: they say nothing to
 * people, and of a secret nobody should see any that he could compare with.
 */
function plannedOperation(
  { target, verb, effect, fields, call }: Operation<StackCall>,
  unit: Rendered<StackSpec> | undefined,
): PlannedOperation {
  if (call.op === 'config-create' || call.op === 'secret-create') {
    const plain = plainName(call.op === 'config-create' ? 'configs' : 'secrets', call.name, unit);
    if (plain === call.name) return { target, verb, effect, fields };
    const noun = call.op === 'config-create' ? 'config' : 'secret';
    return {
      target: `${noun} ${plain}`,
      verb: 'update',
      effect,
      fields: [{ path: 'content', observed: '[not shown]', desired: '[not shown]' }],
    };
  }
  return { target, verb, effect, fields: readable(fields, unit) };
}

type Files = 'configs' | 'secrets';

function plainName(of: Files, name: string, unit: Rendered<StackSpec> | undefined): string {
  const files: readonly { readonly name: string }[] = Object.values(unit?.spec[of] ?? {});
  const plain = files.map((one) => one.name);
  return plain.find((one) => one === name) ?? plain.find((one) => isVersionOf(name, one)) ?? name;
}

function readable(
  fields: readonly FieldDiff[],
  unit: Rendered<StackSpec> | undefined,
): readonly FieldDiff[] {
  const hasImage = fields.some(({ path }) => path.endsWith('.TaskTemplate.ContainerSpec.Image'));
  return fields.flatMap((field): FieldDiff[] => {
    if (hasImage && field.path.endsWith(`.${IMAGE_LABEL}`)) return [];
    const path = composePath(field.path);
    const of = path.endsWith('.credential_spec.Config')
      ? 'configs'
      : /^services\.[^.]+\.(configs|secrets)\./.exec(path)?.[1];
    return of === 'configs' || of === 'secrets'
      ? [{ ...field, path, ...contents(of, field, unit) }]
      : [{ ...field, path }];
  });
}

/** Which content a service gets, without the digits. */
function contents(
  of: Files,
  { observed, desired }: FieldDiff,
  unit: Rendered<StackSpec> | undefined,
): Pick<FieldDiff, 'observed' | 'desired'> {
  const before = observed === undefined ? undefined : plainName(of, observed, unit);
  const after = desired === undefined ? undefined : plainName(of, desired, unit);
  const isChanged = before === after && before !== undefined;
  return {
    ...(before !== undefined && { observed: before }),
    ...(after !== undefined && { desired: isChanged ? `${after} (changed)` : after }),
  };
}
