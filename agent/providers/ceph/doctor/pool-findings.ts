import { type Finding, namesInWords } from '../../../core/finding.ts';
import type { ClusterSeen, ObservedPool } from '../observed.ts';

/** A pool of ours. */
export interface OwnPool {
  readonly name: string;
  readonly pool: ObservedPool;
}

/** Pure. What of pools makes it easy to lose them, or data in them. */
export function poolFindings(
  where: string,
  all: readonly OwnPool[],
  profiles: ClusterSeen['profiles'],
): readonly Finding[] {
  return [...open(where, all), ...fewCopies(where, all), ...bareChunks(where, all, profiles)];
}

function open(where: string, all: readonly OwnPool[]): readonly Finding[] {
  const names = all.filter(({ pool }) => !pool.flags.has('nodelete')).map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'ceph-pool-open',
      where,
      what: `pools of ours without \`nodelete\`: ${namesInWords(names)}`,
      why: 'a person with every right deletes them with one command',
      advice: 'the agent sets it with its next change of them; or set it now',
      command: `ceph osd pool set ${names[0] ?? ''} nodelete true`,
    },
  ];
}

const FEW = {
  severity: 'note',
  code: 'ceph-pool-few-copies',
} as const;

function fewCopies(where: string, all: readonly OwnPool[]): readonly Finding[] {
  const names = all
    .filter(({ pool }) => pool.type === 'replicated' && (pool.size < 3 || pool.minSize < 2))
    .map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    {
      ...FEW,
      where,
      what: `pools of ours with fewer than three copies, or written with one: ${namesInWords(names)}`,
      why: 'a disk that breaks while another one is away takes data with it',
      advice: 'write `size: 3` and `minSize: 2` in their documents',
    },
  ];
}

/** Written with as many chunks as it takes to read data. Ceph makes pools with one more where they have two coding chunks. */
function bareChunks(
  where: string,
  all: readonly OwnPool[],
  profiles: ClusterSeen['profiles'],
): readonly Finding[] {
  const bare = all.flatMap(({ name, pool }) => {
    const dataChunks = Number(profiles.get(pool.profile ?? '')?.get('k'));
    const isBare = pool.type === 'erasure' && pool.minSize <= dataChunks;
    return isBare ? [{ name, dataChunks, canMore: pool.size > dataChunks + 1 }] : [];
  });
  const said = {
    ...FEW,
    where,
    why: 'what is written while a disk is away goes with the next one that breaks',
  };
  const raisable = bare.filter(({ canMore }) => canMore);
  const fixed = bare.filter(({ canMore }) => !canMore);
  const [first] = raisable;
  return [
    ...(first === undefined
      ? []
      : [
          {
            ...said,
            what: `erasure coded pools of ours that are written with no chunk to spare: ${listed(raisable)}`,
            advice: 'let `min_size` be one more than the data chunks, as Ceph makes such pools',
            command: `ceph osd pool set ${first.name} min_size ${String(first.dataChunks + 1)}`,
          },
        ]),
    ...(fixed.length === 0
      ? []
      : [
          {
            ...said,
            what: `erasure coded pools of ours with one coding chunk, written with none to spare: ${listed(fixed)}`,
            advice:
              'make a pool with `codingChunks: 2` and copy what is in this one: chunks never change',
          },
        ]),
  ];
}

function listed(pools: readonly Pick<OwnPool, 'name'>[]): string {
  return namesInWords(pools.map(({ name }) => name));
}
