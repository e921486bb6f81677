import type { Command, PoolVariable } from './commands.ts';
import type { ObservedPool } from './observed.ts';
import type { PoolSpec } from './spec.ts';
import { type FieldChange, fieldOf } from './unit-parts.ts';

type Value = string | number | boolean | undefined;

/** Ratios are kept with fewer digits than they are written with. */
const TOLERANCE = 1e-6;

/**
 * Pure. What of a pool differs from its document and is set one by one, in the order in which it can be: the number of copies
 * first, because setting it sets also with how few of them is written, and that last. What is not declared is not compared.
 */
export function poolSettings(
  spec: PoolSpec,
  live: ObservedPool,
  rule: string | undefined,
): readonly FieldChange[] {
  const { name: pool, replicated } = spec;
  return [
    ...sizeSettings(pool, live, replicated?.size),
    ...set(pool, 'crush_rule', live.rule, rule),
    ...set(pool, 'pg_autoscale_mode', live.pgAutoscaleMode, spec.pgAutoscaleMode),
    ...pgSettings(spec, live),
    ...flagSettings(spec, live),
    ...quotaSettings(spec, live),
    ...parameterSettings(spec, live),
    ...applicationSettings(spec, live),
    ...set(pool, 'min_size', live.minSize, minSizeNow(spec, live)),
  ];
}

/**
 * Pure. How many placement groups a pool is given; undefined: that is the autoscaler's, or nobody says. A bound is refused that the
 * number is beyond, also where the autoscaler would move it there in time.
 */
export function wantedPgNum(
  { pgAutoscaleMode, pgNum, pgNumMin, pgNumMax }: PoolSpec,
  live: ObservedPool,
): number | undefined {
  if (pgAutoscaleMode !== 'on' && pgNum !== undefined) return pgNum;
  const isNew = (name: PoolVariable, bound: number): boolean => live.options.get(name) !== bound;
  if (pgNumMin !== undefined && pgNumMin > live.pgNum && isNew('pg_num_min', pgNumMin)) {
    return pgNumMin;
  }
  if (pgNumMax !== undefined && pgNumMax < live.pgNum && isNew('pg_num_max', pgNumMax)) {
    return pgNumMax;
  }
  return undefined;
}

/** Pure. Why a pool does not take the number of placement groups: bounds hold also where nobody declares them any more. */
export function boundProblem(spec: PoolSpec, live: ObservedPool): string | undefined {
  const wanted = wantedPgNum(spec, live);
  if (wanted === undefined) return undefined;
  const min = Number(spec.pgNumMin ?? live.options.get('pg_num_min') ?? 0);
  const max = Number(spec.pgNumMax ?? live.options.get('pg_num_max') ?? Infinity);
  const [key, bound] = wanted < min ? ['pgNumMin', min] : ['pgNumMax', max];
  if (wanted >= min && wanted <= max) return undefined;
  return `${String(wanted)} placement groups are beyond \`${key}\`, which is ${String(bound)}: write another one`;
}

function pgSettings(spec: PoolSpec, live: ObservedPool): readonly FieldChange[] {
  const { name: pool, pgNumMin, pgNumMax } = spec;
  const option = (name: PoolVariable): Value => live.options.get(name);
  const min = set(pool, 'pg_num_min', option('pg_num_min'), pgNumMin);
  const max = set(pool, 'pg_num_max', option('pg_num_max'), pgNumMax);
  // Bounds that give way come before the number, the others after it.
  const isLower = (pgNumMin ?? 0) < Number(option('pg_num_min') ?? 0);
  const isHigher = (pgNumMax ?? 0) > Number(option('pg_num_max') ?? Infinity);
  return [
    ...(isLower ? min : []),
    ...(isHigher ? max : []),
    ...set(pool, 'pg_num', live.pgNum, wantedPgNum(spec, live)),
    ...(isLower ? [] : min),
    ...(isHigher ? [] : max),
    ...set(pool, 'target_size_ratio', option('target_size_ratio') ?? 0, spec.targetSizeRatio),
    ...set(pool, 'target_size_bytes', option('target_size_bytes') ?? 0, spec.targetSizeBytes),
  ];
}

function flagSettings(spec: PoolSpec, { flags }: ObservedPool): readonly FieldChange[] {
  const { name: pool, erasureCoded, bulk } = spec;
  const overwrites = erasureCoded?.overwrites === true ? true : undefined;
  return [
    // Also a person with every right has to take it away first.
    ...set(pool, 'nodelete', flags.has('nodelete'), true),
    ...set(pool, 'bulk', flags.has('bulk'), bulk),
    ...set(pool, 'allow_ec_overwrites', flags.has('ec_overwrites'), overwrites),
  ];
}

function quotaSettings(
  { name: pool, quotas }: PoolSpec,
  { quota }: ObservedPool,
): readonly FieldChange[] {
  const one = (field: 'max_bytes' | 'max_objects', now: number, wanted: number) =>
    now === wanted
      ? []
      : [
          {
            field: fieldOf(`quota.${field}`, now, wanted),
            commands: [{ prefix: 'osd pool set-quota' as const, pool, field, val: String(wanted) }],
          },
        ];
  return [
    ...one('max_bytes', quota.maxBytes, quotas.maxSize ?? quota.maxBytes),
    ...one('max_objects', quota.maxObjects, quotas.maxObjects ?? quota.maxObjects),
  ];
}

function parameterSettings(
  { name: pool, parameters }: PoolSpec,
  live: ObservedPool,
): readonly FieldChange[] {
  const now = (name: PoolVariable): Value =>
    name === 'fast_read' ? live.fastRead : live.options.get(name);
  const names = [
    'compression_mode',
    'compression_algorithm',
    'compression_required_ratio',
    'compression_min_blob_size',
    'compression_max_blob_size',
    'recovery_priority',
    'fast_read',
  ] as const;
  return names.flatMap((name) => {
    const wanted = parameters[name];
    // Zero takes a number away, and what is not there is zero.
    const known = now(name) ?? (wanted === 0 ? 0 : undefined);
    return set(pool, name, known, wanted);
  });
}

function applicationSettings(
  { name: pool, application: app }: PoolSpec,
  { applications }: ObservedPool,
): readonly FieldChange[] {
  if (applications.has(app)) return [];
  const command: Command = { prefix: 'osd pool application enable', pool, app };
  return [{ field: fieldOf('application', undefined, app), commands: [command] }];
}

/**
 * A monitor that is told the number of copies sets by itself with how few of them is written. Where there shall be more of them that is
 * more than there are at first, and nobody could write: it stays as it was, until the copies are there. Where there shall be fewer it
 * is what still lets somebody write when one is lost.
 */
function sizeSettings(
  pool: string,
  { size, minSize }: ObservedPool,
  wanted: number | undefined,
): readonly FieldChange[] {
  const kept = set(pool, 'min_size', undefined, minSize).flatMap(({ commands }) => commands);
  return set(pool, 'size', size, wanted).map(({ field, commands }) => ({
    field,
    commands: size < (wanted ?? 0) && minSize > 0 && size > 0 ? [...commands, ...kept] : commands,
  }));
}

/** Pure. With how few copies a pool is written of which nobody says that. */
export function usualMinSize(size: number): number {
  return size - Math.floor(size / 2);
}

/** With how few copies it is to be written from now on; undefined: as it is. It is raised once all copies are there. */
function minSizeNow({ replicated }: PoolSpec, live: ObservedPool): number | undefined {
  const { size, minSize } = replicated ?? {};
  if (size !== undefined && size !== live.size) return undefined;
  // More than a monitor would give it is nobody's mistake.
  const usual = size === undefined ? undefined : Math.max(usualMinSize(size), live.minSize);
  return minSize ?? usual;
}

/** Pure. Whether what is written waits for more copies than before, which have to be there by then. */
export function raisesMinSize(spec: PoolSpec, live: ObservedPool): boolean {
  return live.minSize > 0 && (minSizeNow(spec, live) ?? 0) > live.minSize;
}

const HINTS: ReadonlySet<string> = new Set([
  'bulk',
  'pg_num_min',
  'pg_num_max',
  'target_size_ratio',
  'target_size_bytes',
]);

/** Pure. Whether the autoscaler may give it another number of placement groups for what is set. */
export function letsScale(changes: readonly FieldChange[]): boolean {
  return changes.some(
    ({ field: { path, desired } }) =>
      HINTS.has(path) || (path === 'pg_autoscale_mode' && desired === 'on'),
  );
}

/** One variable, where it is declared and another one. */
function set(
  pool: string,
  variable: PoolVariable,
  now: Value,
  wanted: Value,
): readonly FieldChange[] {
  if (wanted === undefined || isSame(now, wanted)) return [];
  // Ceph asks back where there would be one copy only: the document says it.
  const isSure = variable === 'size' && wanted === 1;
  const command: Command = {
    prefix: 'osd pool set',
    pool,
    var: variable,
    val: String(wanted),
    ...(isSure && { yes_i_really_mean_it: true }),
  };
  return [{ field: fieldOf(variable, now, wanted), commands: [command] }];
}

function isSame(now: Value, wanted: Value): boolean {
  if (typeof now === 'number' && typeof wanted === 'number') {
    return Math.abs(now - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted));
  }
  return now === wanted;
}
