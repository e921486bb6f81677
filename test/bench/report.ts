import type { Beside, Budget, Figure } from './figures.ts';

/** What was measured, as far as it was wanted. Milliseconds. */
export interface Measured {
  /** Of `docker stack deploy`: for all stacks, reckoned from the sample; `one`: for one. */
  readonly loop: { create?: number; again?: number; change?: number; one?: number };
  /** From the start of the agent's process to the answer of the last call. */
  readonly deploy: number;
  /** The lists of the engine, parsed and nothing else. */
  readonly raw?: number;
  /** A pass with nothing to do. */
  readonly pass?: number;
  /** To the engine, of several such passes. */
  readonly writes?: number;
  /** From the start of the agent's process to the end of its first pass, with everything in place. */
  readonly restart?: number;
  /** From the end of the push to the answer of the last call. */
  one?: number;
  all?: number;
  plan?: number;
  /** Bytes, of the agent and of its whole family, and how much of one processor these use. */
  idle?: { readonly own: number; readonly all: number; readonly percent: number };
}

const MIB = 2 ** 20;

/** Pure. What was measured, each beside what it is held against. Budgets are for 650 stacks. */
export function figuresOf(measured: Measured, stacks: number): readonly Figure[] {
  const { loop, raw, deploy, pass, writes, one, all, plan, restart, idle } = measured;
  const many = `${String(stacks)} stacks`;
  return [
    ...times(`first deploy of ${many}`, deploy, of('loop', loop.create), atLeast(8)),
    ...times('pass with nothing to do', pass, of('raw reads', raw), atMost(2)),
    ...times('pass with nothing to do', pass, of('loop', loop.again), atLeast(150)),
    ...plain('writes of such passes', writes, 'count', 0),
    ...times('one site, push to updated', one, of('one CLI deploy', loop.one), within(1_000)),
    ...times(`change of ${many}`, all, of('loop', loop.change)),
    ...times('plan, cold', plan, of('raw reads', raw), within(3_000)),
    ...times('agent started anew, to its first pass', restart, of('raw reads', raw)),
    ...plain('memory with children, steady', idle?.all, 'bytes', 150 * MIB),
    ...plain('memory of the agent alone', idle?.own, 'bytes'),
    ...plain('processor, idle', idle?.percent, 'percent', 1),
  ];
}

/** What was measured of databases and accounts. Milliseconds. */
export interface MysqlMeasured {
  /** From the start of the agent's process to the answer of the last call. */
  readonly create: number;
  readonly pass: number;
  /** The lists of the engine and the tables of the server side by side, and nothing else. */
  readonly raw: number;
  /** Statements and calls that write, in several such passes. */
  readonly writes: number;
  /** From the end of the push to the answer of the last call. */
  readonly one: number;
  /** Of single statements, for all sites; reckoned from the sample. */
  readonly loop: { readonly create: number; readonly again: number };
}

/** What was measured of subvolumes and keys. Milliseconds. */
export interface CephMeasured extends Omit<MysqlMeasured, 'raw' | 'loop'> {
  /** The lists of the engine and of the cluster side by side, parsed and nothing else. */
  readonly raw: number;
  /** Of a script that is run for one site after another; reckoned from the sample. */
  readonly loop: { readonly create: number; readonly again: number };
}

/** Pure. */
export function cephFigures(measured: CephMeasured, sites: number): readonly Figure[] {
  const { create, pass, raw, writes, one, loop } = measured;
  const many = `${String(sites)} subvolumes and keys`;
  return [
    ...times(`first creation of ${many}`, create, of('script', loop.create)),
    ...times('pass with nothing to do', pass, of('raw reads', raw), atMost(2)),
    ...times('the same, beside the script', pass, of('script', loop.again)),
    ...plain('writes of such passes', writes, 'count', 0),
    ...times('one subvolume, push to updated', one, undefined, within(1_000)),
  ];
}

/** Pure. */
export function mysqlFigures(measured: MysqlMeasured, sites: number): readonly Figure[] {
  const { create, pass, raw, writes, one, loop } = measured;
  const many = `${String(sites)} databases and accounts`;
  return [
    ...times(`first creation of ${many}`, create, of('loop', loop.create)),
    ...times('pass with nothing to do', pass, of('raw reads', raw), atMost(2)),
    ...times('the same, beside the loop', pass, of('loop', loop.again)),
    ...plain('writes of such passes', writes, 'count', 0),
    ...times('one account, push to updated', one, undefined, within(1_000)),
  ];
}

function times(
  what: string,
  value: number | undefined,
  beside: Beside | undefined,
  budget?: Budget,
): readonly Figure[] {
  if (value === undefined) return [];
  // A ratio of nothing says nothing; one line of a value is enough.
  if (beside === undefined && budget?.of === 'faster' && what.startsWith('pass')) return [];
  return [{ what, value, unit: 'ms', ...(beside && { beside }), ...(budget && { budget }) }];
}

function plain(
  what: string,
  value: number | undefined,
  unit: Figure['unit'],
  limit?: number,
): readonly Figure[] {
  if (value === undefined) return [];
  return [{ what, value, unit, ...(limit !== undefined && { budget: within(limit) }) }];
}

function of(what: string, value: number | undefined): Beside | undefined {
  return value === undefined ? undefined : { what, value };
}

function atLeast(limit: number): Budget {
  return { of: 'faster', limit };
}

function atMost(limit: number): Budget {
  return { of: 'slower', limit };
}

function within(limit: number): Budget {
  return { of: 'value', limit };
}
