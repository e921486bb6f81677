import type { FieldDiff, Id, Kind, Operation, Rendered } from './kind.ts';

/** What earlier documents say. */
export type Earlier<Spec> = ReadonlyMap<Id, Rendered<Spec>>;

/** What a kind says of its documents. */
interface Own<Spec, Observed, Call> {
  /** The kind for one who looks at nothing. */
  readonly unlooked: Kind<Spec, unknown, Call>;
  readonly earlier: (observed: Observed) => Earlier<Spec>;
  readonly fields: (before: Spec | undefined, after: Spec) => readonly FieldDiff[];
  /** What it is done to, and how that would be called. */
  readonly about: (spec: Spec) => Pick<Operation<Call>, 'target' | 'call'>;
}

/** Pure. Two revisions of documents beside each other, and no place where they are: what their texts say differently. Nothing is to be called. */
export function comparedKind<Spec, Observed, Call>({
  unlooked,
  earlier,
  fields: fieldsOf,
  about,
}: Own<Spec, Observed, Call>): Kind<Spec, Observed, Call> {
  return {
    ...unlooked,
    isThere: ({ id }, observed) => earlier(observed).has(id),
    diff: ({ id, spec }, observed) => {
      const before = earlier(observed).get(id);
      const fields = fieldsOf(before?.spec, spec);
      if (before !== undefined && fields.length === 0) return { operations: [], blocked: [] };
      const how = before === undefined ? NEW : CHANGED;
      return { operations: [{ ...about(spec), ...how, effect: 'none', fields }], blocked: [] };
    },
  };
}

const NEW = { verb: 'create', phase: 'add' } as const;
const CHANGED = { verb: 'update', phase: 'change' } as const;
