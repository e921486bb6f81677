/** How a value is shown. Times are milliseconds, sizes bytes. */
export type Unit = 'ms' | 'bytes' | 'percent' | 'count';

/** What a value is held against, measured in the same run. */
export interface Beside {
  readonly what: string;
  readonly value: number;
}

/**
 * What a figure may be at most (`value`), how often it may take as long as what stands beside it (`slower`), or how many
 * times as fast as that it must be (`faster`).
 */
export interface Budget {
  readonly of: 'value' | 'slower' | 'faster';
  readonly limit: number;
}

/** One line of the table. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: Unit;
  /** In the unit of the value. */
  readonly beside?: Beside;
  readonly budget?: Budget;
}

/** Pure. The middle one; of an even number the mean of the two in the middle. Throws for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error('a median of nothing');
  return (low + high) / 2;
}

/** Pure. How many times as long the value takes as what stands beside it; undefined where nothing does. */
export function slownessOf({ value, beside }: Figure): number | undefined {
  return beside === undefined || beside.value === 0 ? undefined : value / beside.value;
}

/** Pure. Whether the budget is kept; undefined where there is none, or nothing to hold it against. */
export function isMet(figure: Figure): boolean | undefined {
  const { budget, value } = figure;
  if (budget === undefined) return undefined;
  if (budget.of === 'value') return value <= budget.limit;
  const slowness = slownessOf(figure);
  if (slowness === undefined) return undefined;
  return budget.of === 'slower' ? slowness <= budget.limit : slowness * budget.limit <= 1;
}

const HEAD = ['what', 'value', 'beside', 'ratio', 'budget', 'met'] as const;

/** Pure. The figures for people, a line each. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = [[...HEAD], ...figures.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function rowOf(figure: Figure): string[] {
  const { what, value, unit, beside, budget } = figure;
  const met = isMet(figure);
  return [
    what,
    shown(value, unit),
    beside === undefined ? '' : `${beside.what} ${shown(beside.value, unit)}`,
    ratioText(figure),
    budget === undefined ? '' : budgetText(budget, unit),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

function ratioText(figure: Figure): string {
  const slowness = slownessOf(figure);
  if (slowness === undefined) return '';
  const faster = figure.budget?.of === 'faster' || (figure.budget === undefined && slowness < 1);
  return faster ? `${times(1 / slowness)} x faster` : `${times(slowness)} x`;
}

function budgetText({ of, limit }: Budget, unit: Unit): string {
  if (of === 'value') return limit === 0 ? '0' : `<= ${shown(limit, unit)}`;
  return of === 'slower' ? `<= ${String(limit)} x` : `>= ${String(limit)} x faster`;
}

function times(ratio: number): string {
  return ratio >= 100 || !Number.isFinite(ratio) ? String(Math.round(ratio)) : ratio.toFixed(1);
}

/** Pure. A value with its unit. */
export function shown(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return value < 1_000 ? `${String(Math.round(value))} ms` : `${(value / 1_000).toFixed(2)} s`;
    case 'bytes':
      return `${(value / 2 ** 20).toFixed(0)} MiB`;
    case 'percent':
      return `${value.toFixed(2)} %`;
    case 'count':
      return String(value);
  }
}
