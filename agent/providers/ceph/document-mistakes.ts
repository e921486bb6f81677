import type { Diagnostic, Place } from '../../core/diagnostic.ts';
import type { SoundDocument } from '../../core/document-kind.ts';
import type { Id } from '../../core/kind.ts';
import { suggest } from '../../core/suggest.ts';
import type {
  CephSpec,
  ClientSpec,
  FilesystemSpec,
  GroupSpec,
  PoolSpec,
  RuleSpec,
  SubvolumeSpec,
} from './spec.ts';

type Document<Spec = CephSpec> = SoundDocument<Spec>;

type Known<Spec> = Pick<Document<Spec>, 'id' | 'spec'>;

/** Things by their cluster and name. What is made outside of the repository is in none of these. */
interface Index {
  readonly pools: ReadonlyMap<string, Known<PoolSpec>>;
  readonly rules: ReadonlyMap<string, Known<RuleSpec>>;
  readonly filesystems: ReadonlyMap<string, Known<FilesystemSpec>>;
  readonly clusters: ReadonlyMap<Id, string>;
}

/** Pure. What documents of a cluster say of each other that no cluster takes, as far as the repository has both. */
export function documentMistakes(documents: readonly Document[]): readonly Diagnostic[] {
  const index = indexOf(documents);
  const users = new Map<string, Id>();
  return documents.flatMap((document): readonly Diagnostic[] => {
    const { spec } = document;
    switch (spec.kind) {
      case 'CephPool':
        return ofPool({ ...document, spec }, index);
      case 'CephCrushRule':
        return [];
      case 'CephFilesystem':
        return ofFilesystem({ ...document, spec }, index, users);
      case 'CephSubvolumeGroup':
      case 'CephSubvolume':
        return ofFolder({ ...document, spec }, index);
      case 'CephClient':
        return ofClient({ ...document, spec }, index);
    }
  });
}

function indexOf(documents: readonly Document[]): Index {
  const pools = new Map<string, Known<PoolSpec>>();
  const rules = new Map<string, Known<RuleSpec>>();
  const filesystems = new Map<string, Known<FilesystemSpec>>();
  const clusters = new Map<Id, string>();
  for (const { id, spec } of documents) {
    const key = keyOf(spec, spec.name);
    clusters.set(id, spec.cluster ?? '');
    if (spec.kind === 'CephPool') pools.set(key, { id, spec });
    if (spec.kind === 'CephCrushRule') rules.set(key, { id, spec });
    if (spec.kind === 'CephFilesystem') filesystems.set(key, { id, spec });
  }
  return { pools, rules, filesystems, clusters };
}

/** Neither clusters nor names have blanks. */
function keyOf({ cluster = '' }: CephSpec, name: string): string {
  return `${cluster} ${name}`;
}

function wrong(place: Place, message: string, hint?: string): Diagnostic {
  const said = { severity: 'error', code: 'wrong-value', message, place } as const;
  return { ...said, ...(hint !== undefined && { hint }) };
}

function placeIn({ places, place }: Document, path: string): Place {
  return places.get(path) ?? place;
}

function ofPool(document: Document<PoolSpec>, { rules }: Index): readonly Diagnostic[] {
  const { spec } = document;
  const rule = rules.get(keyOf(spec, spec.crushRule ?? ''))?.spec;
  const type = spec.erasureCoded === undefined ? 'replicated' : 'erasure';
  if (rule === undefined || rule.type === type) return [];
  const pools = type === 'erasure' ? 'erasure coded' : 'replicated';
  const message = `the rule \`${rule.name}\` has \`type: ${rule.type}\`, and this pool is ${pools}`;
  return [wrong(placeIn(document, 'crushRule'), message, `name a rule with \`type: ${type}\``)];
}

/** A pool of a file system, and as what. */
interface Use {
  readonly path: string;
  readonly name: string;
  readonly as: 'metadata' | 'first' | 'further';
}

function ofFilesystem(
  document: Document<FilesystemSpec>,
  { pools }: Index,
  users: Map<string, Id>,
): readonly Diagnostic[] {
  const { id, spec } = document;
  const uses: readonly Use[] = [
    { path: 'metadataPool', name: spec.metadataPool, as: 'metadata' },
    ...spec.dataPools.map((name, at): Use => {
      return { path: `dataPools[${String(at)}]`, name, as: at === 0 ? 'first' : 'further' };
    }),
  ];
  return uses.flatMap((use): readonly Diagnostic[] => {
    const place = placeIn(document, use.path);
    const key = keyOf(spec, use.name);
    const pool = pools.get(key);
    const other = users.get(key) ?? id;
    users.set(key, other);
    const shared =
      other === id ? [] : [wrong(place, `the pool \`${use.name}\` is one of \`${other}\` already`)];
    return [...shared, ...(pool === undefined ? [] : misused(use, pool, place))];
  });
}

function misused(
  { as }: Use,
  { id, spec: { name, application, erasureCoded } }: Known<PoolSpec>,
  place: Place,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  if (application !== 'cephfs') {
    const message = `the pool \`${name}\` is for \`${application}\`, not for a file system`;
    found.push(wrong(place, message, `\`${id}\` needs \`application: cephfs\``));
  }
  if (erasureCoded === undefined) return found;
  if (as === 'metadata') {
    const message = `the pool \`${name}\` is erasure coded: metadata need a replicated one`;
    found.push(wrong(place, message));
  } else if (as === 'first') {
    const message = `the pool \`${name}\` is erasure coded: the first data pool is a replicated one`;
    found.push(wrong(place, message, 'name a replicated pool before it'));
  } else if (!erasureCoded.overwrites) {
    const message = `the pool \`${name}\` is erasure coded, and files in it could not be changed`;
    const hint = `write \`overwrites: true\` in \`erasureCoded\` of \`${id}\``;
    found.push(wrong(place, message, hint));
  }
  return found;
}

function ofFolder(
  document: Document<GroupSpec | SubvolumeSpec>,
  { filesystems }: Index,
): readonly Diagnostic[] {
  const { spec } = document;
  const { dataPool } = spec;
  const outer = filesystems.get(keyOf(spec, spec.filesystem));
  if (dataPool === undefined || outer === undefined) return [];
  const { dataPools, name } = outer.spec;
  if (dataPools.includes(dataPool)) return [];
  const meant = suggest(dataPool, dataPools);
  const hint =
    meant === undefined
      ? `add it to \`dataPools\` of \`${outer.id}\``
      : `did you mean \`${meant}\`?`;
  const message = `the file system \`${name}\` has no data pool \`${dataPool}\``;
  return [wrong(placeIn(document, 'dataPool'), message, hint)];
}

/** One key opens one cluster. */
function ofClient(document: Document<ClientSpec>, { clusters }: Index): readonly Diagnostic[] {
  const { spec } = document;
  return (spec.subvolumes ?? []).flatMap(({ id }, at) => {
    const cluster = clusters.get(id);
    if (cluster === undefined || cluster === (spec.cluster ?? '')) return [];
    const place = placeIn(document, `subvolumes[${String(at)}].id`);
    return [wrong(place, `\`${id}\` is on another cluster than the client`)];
  });
}
