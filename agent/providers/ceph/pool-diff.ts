import { COPIES_USUAL } from '../../../schemas/ceph-pool.ts';
import { sizeWords } from '../../core/bytes.ts';
import type { FieldDiff, Shrink } from '../../core/kind.ts';
import type { Step } from './call.ts';
import type { Command } from './commands.ts';
import { copiesObstacle, movedBytes, movementObstacle } from './data-movement.ts';
import { markAt, release } from './marks.ts';
import type { ObservedPool } from './observed.ts';
import {
  newPlacement,
  nextPlacement,
  type Placement,
  placesOf,
  placementProblem,
} from './placement.ts';
import {
  boundProblem,
  letsScale,
  poolSettings,
  raisesMinSize,
  usualMinSize,
  wantedPgNum,
} from './pool-settings.ts';
import type { PoolSpec } from './spec.ts';
import {
  type Diff,
  fieldOf,
  hold,
  type Obstacle,
  type One,
  operationOf,
  ownerProblem,
} from './unit-parts.ts';

/** Pure. What separates a pool from its document. */
export function diffPool(one: One<PoolSpec>): Diff {
  const { spec, seen } = one;
  const live = seen.pools.get(spec.name);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  return live === undefined ? made(one) : changed(one, live);
}

/** What a new pool has where its document does not say it. */
function withUsual(spec: PoolSpec): PoolSpec {
  const { replicated, quotas, pgAutoscaleMode = 'on' } = spec;
  const { size = COPIES_USUAL, minSize = usualMinSize(size) } = replicated ?? {};
  return {
    ...spec,
    pgAutoscaleMode,
    ...(replicated && { replicated: { size, minSize } }),
    quotas: { maxSize: quotas.maxSize ?? 0, maxObjects: quotas.maxObjects ?? 0 },
  };
}

function made(one: One<PoolSpec>): Diff {
  const { seen } = one;
  const spec = withUsual(one.spec);
  const placed = newPlacement(spec, seen);
  if ('why' in placed) return hold(spec, [placed]);
  const { rule, profile } = placed;
  const { name: pool, replicated } = spec;
  const size = replicated?.size === undefined ? {} : { size: replicated.size };
  const coded = profile === undefined ? {} : { profile };
  const made = fresh(spec, rule);
  const beyond = boundProblem(spec, made);
  if (beyond !== undefined) return hold(spec, [{ why: beyond }]);
  const rest = poolSettings(spec, made, undefined);
  const steps: readonly Step[] = [
    { check: 'absent', words: { prefix: 'osd pool get', pool, var: 'size' } },
    ...placed.commands,
    createCommand(spec, placed),
    // One that somebody made since the look was left as it is, without a word.
    { check: 'pool', pool, rule, ...size, ...coded, otherwise: release(one.unit.id) },
    ...rest.flatMap(({ commands }) => commands),
  ];
  return operationOf(one, undefined, { steps, fields: madeFields(spec, rule) });
}

function createCommand(spec: PoolSpec, { rule, profile }: Placement): Command {
  const { name: pool, replicated, pgNum, pgNumMin, pgNumMax, bulk } = spec;
  const { targetSizeBytes = 0, pgAutoscaleMode } = spec;
  return {
    prefix: 'osd pool create',
    pool,
    pool_type: replicated === undefined ? 'erasure' : 'replicated',
    rule,
    autoscale_mode: pgAutoscaleMode ?? 'on',
    ...(profile !== undefined && { erasure_code_profile: profile }),
    ...(replicated?.size !== undefined && { size: replicated.size }),
    ...(pgNum !== undefined && { pg_num: pgNum }),
    ...(pgNumMin !== undefined && { pg_num_min: pgNumMin }),
    ...(pgNumMax !== undefined && { pg_num_max: pgNumMax }),
    ...(targetSizeBytes > 0 && { target_size_bytes: targetSizeBytes }),
    ...(bulk === true && { bulk }),
  };
}

/** A pool as the command leaves it that makes it. With how few copies is written is for the settings of monitors to say. */
function fresh(spec: PoolSpec, rule: string): ObservedPool {
  const { pgNum = 0, pgNumMin, pgNumMax, targetSizeBytes } = spec;
  const options = Object.entries({
    pg_num_min: pgNumMin,
    pg_num_max: pgNumMax,
    target_size_bytes: targetSizeBytes,
  });
  return {
    id: 0,
    type: spec.replicated === undefined ? 'erasure' : 'replicated',
    size: placesOf(spec),
    minSize: 0,
    rule,
    pgNum,
    pgAutoscaleMode: spec.pgAutoscaleMode ?? 'on',
    flags: new Set(spec.bulk === true ? ['bulk'] : []),
    fastRead: false,
    quota: { maxBytes: 0, maxObjects: 0 },
    options: new Map(
      options.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    applications: new Map(),
  };
}

function madeFields(spec: PoolSpec, rule: string): readonly FieldDiff[] {
  const { replicated, erasureCoded, application } = spec;
  return [
    ...(replicated === undefined
      ? []
      : [
          fieldOf('size', undefined, replicated.size),
          fieldOf('min_size', undefined, replicated.minSize),
        ]),
    ...(erasureCoded === undefined
      ? []
      : [
          fieldOf('dataChunks', undefined, erasureCoded.dataChunks),
          fieldOf('codingChunks', undefined, erasureCoded.codingChunks),
        ]),
    fieldOf('crush_rule', undefined, rule),
    fieldOf('application', undefined, application),
  ];
}

function changed(one: One<PoolSpec>, live: ObservedPool): Diff {
  const { spec, seen } = one;
  const fixed = immutable(one, live);
  if (fixed.length > 0) return hold(spec, fixed);
  const placed = nextPlacement(spec, live, seen);
  if (placed !== undefined && 'why' in placed) return hold(spec, [placed]);
  const settings = poolSettings(spec, live, placed?.rule);
  const moves = movedBytes(spec, live, { placed, scales: letsScale(settings) });
  // A bound of Ceph's own may be beyond what is there.
  const beyond = wantedPgNum(spec, live) === live.pgNum ? undefined : boundProblem(spec, live);
  const obstacles = [
    ...(beyond === undefined ? [] : [{ why: beyond }]),
    ...lastCopy(spec, live),
    ...crowded(one, live, placed),
    ...(moves === undefined ? [] : movementObstacle(one, moves)),
    ...(raisesMinSize(spec, live) ? copiesObstacle(one, live) : []),
  ];
  if (obstacles.length > 0) return hold(spec, obstacles);
  const steps = [...(placed?.commands ?? []), ...settings.flatMap(({ commands }) => commands)];
  const fields = [
    ...settings.map(({ field }) => field),
    ...(moves === undefined ? [] : [fieldOf('moves', undefined, `at most ${sizeWords(moves)}`)]),
  ];
  const isLate = raisesMinSize(spec, live);
  const bytes = { ...(moves !== undefined && { movesBytes: moves }), ...(isLate && { isLate }) };
  const diff = operationOf(one, live, { steps, fields, shrinks: shrinks(one, live), ...bytes });
  const notes = notesOf(spec, live);
  return notes.length === 0 ? diff : { ...diff, notes };
}

const COPY = 'make a pool of another name, copy what is in this one, and use that';

function immutable({ spec, seen }: One<PoolSpec>, live: ObservedPool): readonly Obstacle[] {
  const { erasureCoded, application } = spec;
  const type = erasureCoded === undefined ? 'replicated' : 'erasure';
  if (type !== live.type) {
    const is = live.type === 'erasure' ? 'erasure coded' : 'replicated';
    return [{ why: `it is ${is}, and that never changes: ${COPY}` }];
  }
  const others = [...live.applications.keys()];
  if (others.length > 0 && !others.includes(application)) {
    return [{ why: `\`${others.join('`, `')}\` uses it, and not \`${application}\`` }];
  }
  if (erasureCoded === undefined) return [];
  const profile = seen.profiles.get(live.profile ?? '');
  const { dataChunks, codingChunks, algorithm } = erasureCoded;
  const wanted = { k: String(dataChunks), m: String(codingChunks), plugin: algorithm };
  return Object.entries(wanted).flatMap(([key, value]): readonly Obstacle[] => {
    const is = profile?.get(key);
    if (is === value) return [];
    return [
      {
        why: `it is made with \`${key}=${is ?? ''}\` and not \`${value}\`, and that never changes: ${COPY}`,
      },
    ];
  });
}

/** Monitors want a word of their own for it, and forbid it unless they are told otherwise. */
function lastCopy({ name, replicated }: PoolSpec, live: ObservedPool): readonly Obstacle[] {
  const { size } = replicated ?? {};
  if (size !== 1 || live.size === 1) return [];
  const why = `size ${String(live.size)} -> 1 keeps no second copy: the agent does not do that; a person does, with \`ceph osd pool set ${name} size 1 --yes-i-really-mean-it\``;
  return [{ why }];
}

/** What takes safety away, or locks out who writes. */
function shrinks(one: One<PoolSpec>, live: ObservedPool): readonly Shrink[] {
  const { spec } = one;
  const { maxSize = 0, maxObjects = 0 } = spec.quotas;
  const { storedBytes = 0, objects = 0 } = live.usage ?? {};
  const found = fewerCopies(one, live);
  if (isBelow(maxSize, live.quota.maxBytes, storedBytes)) {
    const why = `is less than the ${sizeWords(storedBytes)} that are stored: nobody could write`;
    found.push({ what: fromTo('a quota in bytes,', live.quota.maxBytes, maxSize), why });
  }
  if (isBelow(maxObjects, live.quota.maxObjects, objects)) {
    const why = `is less than the ${String(objects)} that are stored: nobody could write`;
    found.push({ what: fromTo('a quota in objects,', live.quota.maxObjects, maxObjects), why });
  }
  return found;
}

function fewerCopies({ unit, spec, seen }: One<PoolSpec>, live: ObservedPool): Shrink[] {
  const found: Shrink[] = [];
  const { size = live.size, minSize: written } = spec.replicated ?? {};
  const isFewer = size < live.size;
  if (isFewer) found.push({ what: fromTo('size', live.size, size), why: 'gives up copies' });
  // To set the number of copies sets this one, too.
  const minSize = written ?? (isFewer ? usualMinSize(size) : live.minSize);
  const mark = markAt(unit.id, seen);
  // What it was let before is only set again.
  const isKnown = mark !== 'unreadable' && mark?.minSize === minSize;
  if (minSize < live.minSize && !isKnown) {
    const what = fromTo('min_size', live.minSize, minSize);
    found.push({ what, why: 'lets it be written with fewer copies' });
  }
  return found;
}

function fromTo(what: string, now: number, wanted: number): string {
  return `${what} ${String(now)} -> ${String(wanted)}`;
}

/** Another quota, and it is reached already. */
function isBelow(wanted: number, now: number, used: number): boolean {
  return wanted > 0 && wanted !== now && wanted < used;
}

/** More copies than places for them. */
function crowded(
  { spec, seen }: One<PoolSpec>,
  live: ObservedPool,
  placed: Placement | undefined,
): readonly Obstacle[] {
  const grows = (spec.replicated?.size ?? 0) > live.size;
  const rule = grows && placed === undefined ? seen.rules.get(live.rule)?.simple : undefined;
  const why = rule && placementProblem(rule, placesOf(spec), seen.crush);
  return why === undefined ? [] : [{ why }];
}

function notesOf({ erasureCoded }: PoolSpec, { flags }: ObservedPool): readonly string[] {
  const isOn = erasureCoded?.overwrites === false && flags.has('ec_overwrites');
  return isOn ? ['it takes overwrites, and that never ends'] : [];
}
