import type { CephCrushRule, CephPool } from '../../../schemas/ceph-pool.ts';
import type { CephClient, CephFilesystem } from '../../../schemas/ceph.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { DocumentInput } from '../../core/document-kind.ts';
import type { Path } from '../../core/path.ts';
import { capsRisk } from './caps-risk.ts';

// What one document says that a cluster takes and should not, or that no schema sees.

type Said = Omit<Diagnostic, 'place'>;

function at(
  path: Path,
  { located }: DocumentInput,
  said: Said,
  on: 'key' | 'value' = 'value',
): Diagnostic {
  return { ...said, place: located.place(path, on) };
}

/** Ceph loses data with these when one more thing breaks than people think: its own pages warn of them. */
const RISK = { severity: 'warning', code: 'data-risk' } as const;
const WRONG = { severity: 'error', code: 'wrong-value' } as const;

/** Pure. Too few copies, or what takes writes that only one disk has. */
export function poolRisks(
  { replicated, erasureCoded }: CephPool,
  input: DocumentInput,
): readonly Diagnostic[] {
  const risks: Diagnostic[] = [];
  if (replicated?.size !== undefined && replicated.size <= 2) {
    const message =
      replicated.size === 1
        ? 'with one copy data are lost with any disk that breaks'
        : 'with two copies data are lost with a disk that breaks while another one is away';
    const hint = 'write `size: 3`, or leave it out';
    risks.push(at(['replicated', 'size'], input, { ...RISK, message, hint }));
  } else if (replicated?.minSize === 1) {
    const message = 'with `minSize: 1` data are written that one disk alone has';
    const hint = 'write `minSize: 2`, or leave it out';
    risks.push(at(['replicated', 'minSize'], input, { ...RISK, message, hint }));
  }
  if (erasureCoded?.codingChunks === 1) {
    const message =
      'with one coding chunk data are written that nothing can restore while a disk is away';
    const hint = 'write `codingChunks: 2`: that never changes once the pool is there';
    risks.push(at(['erasureCoded', 'codingChunks'], input, { ...RISK, message, hint }));
  }
  return risks;
}

/** Pure. */
export function ruleRisks(
  { type, erasureProfile }: CephCrushRule,
  input: DocumentInput,
): readonly Diagnostic[] {
  if (type === 'erasure' || erasureProfile === undefined) return [];
  const message = '`erasureProfile` has no effect on a rule for replicated pools';
  const hint = 'write `type: erasure` as well, or leave it out';
  const said = { severity: 'warning', code: 'ignored-key', message, hint } as const;
  return [at(['erasureProfile'], input, said, 'key')];
}

/** Pure. */
export function filesystemMistakes(
  { metadataPool, dataPools }: CephFilesystem,
  input: DocumentInput,
): readonly Diagnostic[] {
  const index = dataPools.indexOf(metadataPool);
  if (index < 0) return [];
  const message = 'metadata and data of a file system lie in different pools';
  return [at(['dataPools', index], input, { ...WRONG, message })];
}

/** Pure. */
export function clientMistakes(
  { subvolumes = [] }: CephClient,
  input: DocumentInput,
): readonly Diagnostic[] {
  const ids = subvolumes.map(({ id }) => id);
  return ids.flatMap((id, index) => {
    if (ids.indexOf(id) === index) return [];
    const said = { ...WRONG, message: 'write each subvolume once' };
    return [at(['subvolumes', index, 'id'], input, said)];
  });
}

/** Pure. Whether Ceph reads the caps is Ceph's to say; what opens everything is told. */
export function capsRisks({ caps }: CephClient, input: DocumentInput): readonly Diagnostic[] {
  return Object.entries(caps ?? {}).flatMap(([service, words]) => {
    const risk = capsRisk(service, words ?? '');
    if (risk === undefined) return [];
    const { words: said, why } = risk;
    const message = `\`${said}\` lets whoever has the key ${why}`;
    const hint = 'write what it needs, or `subvolumes` in place of `caps`';
    return [at(['caps', service], input, { ...ALL_RIGHTS, message, hint })];
  });
}

const ALL_RIGHTS = { severity: 'warning', code: 'all-rights' } as const;
