import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import { suggest } from '../../core/suggest.ts';
import { IMAGE_LABEL, NAMESPACE_LABEL } from './compose/labels.ts';
import type { ServiceSpec } from './engine-api.ts';
import type { StackSpec } from './spec.ts';

/** What is left to others of one service. */
export interface Ignored {
  readonly replicas: boolean;
  /** Names of labels of the service (`deploy.labels`), not of its containers. */
  readonly labels: readonly string[];
}

const FORM = /^services\.([^.]+)\.(?:(replicas)|deploy\.labels\.(.+))$/;
const HINT =
  'write `services.NAME.replicas`, or `services.NAME.deploy.labels.LABEL`: nothing else can be left to others';
const OWN: ReadonlySet<string> = new Set([NAMESPACE_LABEL, IMAGE_LABEL]);

/**
 * Pure. `ignore` of a stack.yaml. The list of fields is closed: what runs (images, commands, limits) cannot be left to
 * others, because a rollback could not bring it back and health would be judged of something that nobody wrote.
 */
export function convertIgnore(
  written: readonly string[],
  stack: { readonly services: Readonly<Record<string, ServiceSpec>>; readonly single: boolean },
  placeOf: (index: number) => Place,
): { readonly fields: readonly string[]; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics = written.flatMap((field, index): readonly Diagnostic[] => {
    const mistake = mistakeIn(field, stack);
    return mistake === undefined ? [] : [{ severity: 'error', ...mistake, place: placeOf(index) }];
  });
  return { fields: [...new Set(written)].toSorted(), diagnostics };
}

function mistakeIn(
  field: string,
  { services, single }: Parameters<typeof convertIgnore>[1],
): Pick<Diagnostic, 'code' | 'message' | 'hint'> | undefined {
  const [, name, replicas, label] = FORM.exec(field) ?? [];
  if (name === undefined) {
    return { code: 'wrong-value', message: 'this field cannot be ignored', hint: HINT };
  }
  if (!Object.hasOwn(services, name)) {
    const meant = suggest(name, Object.keys(services));
    return {
      code: 'undefined-service',
      message: `the stack has no service \`${name}\``,
      ...(meant !== undefined && { hint: `did you mean \`${meant}\`?` }),
    };
  }
  if (replicas !== undefined && services[name]?.Mode?.Replicated === undefined) {
    const message = `the service \`${name}\` has no replicas that somebody could change`;
    return { code: 'conflict', message, hint: 'its `deploy.mode` is not `replicated`' };
  }
  if (replicas !== undefined && single) {
    const message = 'the stack has `instances: single`: nobody else may give it more replicas';
    return { code: 'conflict', message, hint: 'leave it out' };
  }
  if (label !== undefined && OWN.has(label)) {
    const message = `the label \`${label}\` says to which stack a service belongs or from what it runs`;
    return { code: 'wrong-value', message, hint: 'leave it out' };
  }
  return undefined;
}

/** Pure. What is left to others of the service with this Compose key; undefined where nothing is. */
export function ignoredOf({ ignore }: StackSpec, key: string): Ignored | undefined {
  const own = (ignore ?? []).map((field) => FORM.exec(field)).filter((found) => found?.[1] === key);
  if (own.length === 0) return undefined;
  return {
    replicas: own.some((found) => found?.[2] !== undefined),
    labels: own.flatMap((found) => found?.[3] ?? []),
  };
}

/** Pure. The spec with the live value of all that is left to others. */
export function withLive(desired: ServiceSpec, live: ServiceSpec, ignored: Ignored): ServiceSpec {
  const labels = new Map(Object.entries(desired.Labels ?? {}));
  for (const label of ignored.labels) {
    const value = Object.hasOwn(live.Labels ?? {}, label) ? live.Labels?.[label] : undefined;
    if (value === undefined) labels.delete(label);
    else labels.set(label, value);
  }
  const [own, there] = [desired.Mode?.Replicated, live.Mode?.Replicated];
  return {
    ...desired,
    ...(desired.Labels && { Labels: Object.fromEntries(labels) }),
    ...(ignored.replicas &&
      own !== undefined &&
      there !== undefined && { Mode: { ...desired.Mode, Replicated: { ...own, ...there } } }),
  };
}

/** Pure. Nothing of it is to run. */
export function standsStill({ Mode: mode }: ServiceSpec): boolean {
  return mode?.Replicated?.Replicas === 0;
}
