import { CephCrushRule, CephPool } from '../../../schemas/ceph-pool.ts';
import {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../../schemas/ceph.ts';
import type { Place } from '../../core/diagnostic.ts';
import { digestOf } from '../../core/digest.ts';
import { thingOf } from '../../core/document-id.ts';
import { documentKind } from '../../core/document-kind.ts';
import type {
  DocumentFolder,
  DocumentInput,
  DocumentResult,
  Want,
} from '../../core/document-kind.ts';
import { type Path, pathText } from '../../core/path.ts';
import {
  capsRisks,
  clientMistakes,
  filesystemMistakes,
  poolRisks,
  ruleRisks,
} from './document-checks.ts';
import { documentMistakes } from './document-mistakes.ts';
import { NO_GROUP } from './observed.ts';
import type { CephSpec } from './spec.ts';

const POOL = 'pool';
const RULE = 'crush-rule';
const FILESYSTEM = 'filesystem';
const GROUP = 'subvolume-group';

/** Rules that clusters have by themselves. */
const RULES_OF_CEPH = new Set(['replicated_rule', 'erasure-code']);

type Result = DocumentResult<CephSpec>;

const rule = documentKind<CephCrushRule, CephSpec>(
  { kind: 'CephCrushRule', unit: 'ceph-crush-rule', makes: RULE },
  CephCrushRule,
  (written, input) => ({ spec: ownOf(written, input), diagnostics: ruleRisks(written, input) }),
);

const pool = documentKind<CephPool, CephSpec>(
  { kind: 'CephPool', unit: 'ceph-pool', makes: POOL },
  CephPool,
  (written, input): Result => {
    const { crushRule } = written;
    return {
      spec: ownOf(written, input),
      wants: crushRule === undefined ? [] : [ruleIn(crushRule, input)],
      places: placesOf([['crushRule']], input),
      diagnostics: poolRisks(written, input),
    };
  },
);

const filesystem = documentKind<CephFilesystem, CephSpec>(
  { kind: 'CephFilesystem', unit: 'ceph-filesystem', makes: FILESYSTEM },
  CephFilesystem,
  (written, input): Result => {
    const data = written.dataPools.map((name, at) => [['dataPools', at], name] as const);
    const pools = [[['metadataPool'], written.metadataPool] as const, ...data];
    return {
      spec: ownOf(written, input),
      wants: pools.map(([path, name]) => poolIn(path, name, input)),
      places: placesOf(
        pools.map(([path]) => path),
        input,
      ),
      diagnostics: filesystemMistakes(written, input),
    };
  },
);

const group = documentKind<CephSubvolumeGroup, CephSpec>(
  {
    kind: 'CephSubvolumeGroup',
    unit: 'ceph-subvolume-group',
    makes: GROUP,
    within: [{ key: 'filesystem' }],
  },
  CephSubvolumeGroup,
  (written, input): Result => ({
    spec: ownOf(written, input),
    wants: folderWants(written, input),
    places: placesOf([['dataPool']], input),
    diagnostics: [],
  }),
);

const subvolume = documentKind<CephSubvolume, CephSpec>(
  {
    kind: 'CephSubvolume',
    unit: 'ceph-subvolume',
    within: [{ key: 'filesystem' }, { key: 'group', otherwise: NO_GROUP }],
  },
  CephSubvolume,
  (written, input): Result => ({
    spec: ownOf(written, input),
    wants: [...folderWants(written, input), ...groupIn(written, input)],
    places: placesOf([['dataPool']], input),
    ...(written.output !== undefined && { variable: written.output }),
    diagnostics: [],
  }),
);

const client = documentKind<CephClient, CephSpec>(
  { kind: 'CephClient', unit: 'ceph-client' },
  CephClient,
  renderClient,
);

/** Pure. The folder `ceph/`. */
export const cephDocuments: DocumentFolder<CephSpec> = {
  folder: 'ceph',
  serverKey: 'cluster',
  kinds: [pool, rule, filesystem, group, subvolume, client],
  mistakes: documentMistakes,
};

function renderClient(written: CephClient, input: DocumentInput): Result {
  const { located } = input;
  const thing = `secret:${written.secret}`;
  const depends = (written.subvolumes ?? []).map(({ id }, at) => ({
    on: id,
    place: located.place(['subvolumes', at, 'id'], 'value'),
  }));
  const place = located.place(['secret'], 'value');
  return {
    spec: ownOf(written, input),
    gives: [thing],
    // What stacks find under the name is another text then. A key is what it is from the beginning.
    ...(written.format !== 'key' && { rotations: new Map([[thing, digestOf(written.format)]]) }),
    // The Swarm has one secret of a name, whatever its capitals; clusters stand beside each other.
    claims: [{ name: thing.toLowerCase(), place }],
    depends,
    places: placesOf(
      depends.map((_, at) => ['subvolumes', at, 'id']),
      input,
    ),
    diagnostics: [...clientMistakes(written, input), ...capsRisks(written, input)],
  };
}

interface Common {
  readonly dependsOn: unknown;
  readonly suspend: unknown;
  readonly cluster: unknown;
}

/** Without what every document has and no cluster is told. */
function ownOf<Document extends Common>(document: Document, { server }: DocumentInput) {
  const { dependsOn: _edges, suspend: _suspend, cluster: _cluster, ...own } = document;
  return { ...own, ...(server !== undefined && { cluster: server }) };
}

function onCluster({ named }: DocumentInput): { readonly server?: string } {
  return named === undefined ? {} : { server: named };
}

/** Nobody is told where nothing makes it: clusters are older than repositories. */
function poolIn(path: Path, name: string, input: DocumentInput): Want {
  return {
    on: thingOf(POOL, { name, ...onCluster(input) }),
    place: input.located.place(path, 'value'),
  };
}

function ruleIn(name: string, input: DocumentInput): Want {
  return {
    on: thingOf(RULE, { name, ...onCluster(input) }),
    place: input.located.place(['crushRule'], 'value'),
    ...(!RULES_OF_CEPH.has(name) && { named: `rule \`${name}\`` }),
  };
}

/** What a folder of a file system waits for. */
function folderWants(
  { filesystem: name, dataPool }: Pick<CephSubvolume, 'filesystem' | 'dataPool'>,
  input: DocumentInput,
): readonly Want[] {
  const place = input.located.place(['filesystem'], 'value');
  return [
    { on: thingOf(FILESYSTEM, { name, ...onCluster(input) }), place },
    ...(dataPool === undefined ? [] : [poolIn(['dataPool'], dataPool, input)]),
  ];
}

function groupIn(
  { filesystem: outer, group: name }: CephSubvolume,
  input: DocumentInput,
): readonly Want[] {
  if (name === undefined) return [];
  const on = thingOf(GROUP, { name, within: [outer], ...onCluster(input) });
  const place = input.located.place(['group'], 'value');
  return [{ on, place, named: `group \`${name}\` of \`${outer}\`` }];
}

/** Where these stand, by their paths as people write them. */
function placesOf(paths: readonly Path[], { located }: DocumentInput): ReadonlyMap<string, Place> {
  return new Map(paths.map((path) => [pathText(path), located.place(path, 'value')]));
}
