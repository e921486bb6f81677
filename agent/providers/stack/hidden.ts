import type { FieldDiff } from '../../core/kind.ts';

const ENV = 'TaskTemplate.ContainerSpec.Env';
const SECRET = '[secret]';

/**
 * Pure. The same differences without values of variables that come from encrypted files. What a service has and the
 * repository has no more may have come from one, too.
 */
export function withoutHidden(
  fields: readonly FieldDiff[],
  service: string,
  hidden: readonly string[] | undefined,
): readonly FieldDiff[] {
  const all = `${service}.${ENV}`;
  const names = new Set(hidden);
  return fields.map((field) => {
    const { path, observed, desired } = field;
    const isGone = path.startsWith(`${all}.`) && desired === undefined;
    const isHidden = path.startsWith(`${all}.`) && names.has(path.slice(all.length + 1));
    // As a whole: a name comes twice.
    const isList = path === all && names.size > 0;
    if (!isGone && !isHidden && !isList) return field;
    return {
      path,
      ...(observed !== undefined && { observed: SECRET }),
      ...(desired !== undefined && { desired: SECRET }),
    };
  });
}
