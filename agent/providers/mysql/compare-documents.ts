import type { Id, Kind, Rendered } from '../../core/kind.ts';
import { documentFields } from './document-lines.ts';
import { unknownServers } from './kind.ts';
import type { MysqlCall } from './observed.ts';
import type { MysqlSpec } from './spec.ts';
import { callOf, nothing, targetOf } from './unit-parts.ts';

/** A world of which nothing is known but what earlier documents say. */
export interface EarlierDocuments {
  readonly documents: ReadonlyMap<Id, Rendered<MysqlSpec>>;
}

/** Two revisions of documents beside each other, without any server: what their texts say differently. Nothing is to be called. */
export const comparedDocuments: Kind<MysqlSpec, EarlierDocuments, MysqlCall> = {
  ...unknownServers,
  isThere: ({ id }, { documents }) => documents.has(id),
  diff: (unit, { documents }) => {
    const { spec } = unit;
    const before = documents.get(unit.id);
    const fields = documentFields(before?.spec, spec);
    if (before !== undefined && fields.length === 0) return nothing;
    const how = before === undefined ? NEW : CHANGED;
    const call = callOf(spec, []);
    const operation = { target: targetOf(spec), ...how, effect: 'none', fields, call } as const;
    return { operations: [operation], blocked: [] };
  },
};

const NEW = { verb: 'create', phase: 'add' } as const;
const CHANGED = { verb: 'update', phase: 'change' } as const;
