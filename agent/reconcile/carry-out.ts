import type { CallOutcome, Id, Operation } from '../core/kind.ts';
import type { UnitWork } from '../core/step.ts';
import { SWARM_CALL_MS } from '../core/lease.ts';
import type { Guard } from './lease-ports.ts';
import type { Caller, Clock, Reporter } from './ports.ts';

/** How one unit's calls ended. After a phase in which one was not ok the next phase is not started. */
export interface UnitResult {
  readonly id: Id;
  readonly outcome:
    | { readonly status: 'ok' }
    | { readonly status: 'refused'; readonly target: string; readonly why: string }
    | {
        readonly status: 'again';
        readonly target: string;
        readonly why: string;
        /** The engine said no, and not because it could not act at all or because of a newer version. */
        readonly refused: boolean;
      };
}

/** What carrying out needs. `caller` gives each unit its own, which knows what that unit made. */
export interface CarryOutPorts<Call> {
  readonly caller: () => Caller<Call>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly guard: Guard;
  /** Units at once: each makes one call at a time, so this bounds the calls too. */
  readonly atOnce: number;
}

const PHASES = ['add', 'change', 'remove'] as const;

/**
 * Units side by side, the calls of one unit in order. An abort, or a guard that refuses, stops new calls, never a running
 * one's bookkeeping.
 */
export async function carryOut<Call>(
  work: readonly UnitWork<Call>[],
  ports: CarryOutPorts<Call>,
  signal: AbortSignal,
): Promise<readonly UnitResult[]> {
  const results: UnitResult[] = [];
  const queue = work.values(); // shared: each worker takes the next unit from it
  async function worker(): Promise<void> {
    for (const unit of queue) results.push(await carryOutUnit(unit, ports, signal));
  }
  await Promise.all(Array.from({ length: Math.min(ports.atOnce, work.length) }, worker));
  return results;
}

async function carryOutUnit<Call>(
  { id, operations }: UnitWork<Call>,
  ports: CarryOutPorts<Call>,
  signal: AbortSignal,
): Promise<UnitResult> {
  const caller = ports.caller();
  let outcome: UnitResult['outcome'] = { status: 'ok' };
  for (const phase of PHASES) {
    for (const operation of operations.filter((one) => one.phase === phase)) {
      const { target } = operation;
      const stop = signal.aborted ? 'stopped' : ports.guard.refusal(SWARM_CALL_MS);
      // Nobody asked the engine, so nothing of this is its refusal; what it refused before stays known.
      if (stop !== undefined) {
        const stopped = { status: 'again', target, why: stop, refused: false } as const;
        return { id, outcome: outcome.status === 'ok' ? stopped : outcome };
      }
      const sentAtMs = ports.clock.nowMs();
      const answer = await caller.call(operation.call, signal);
      const ms = ports.clock.nowMs() - sentAtMs;
      tell({ id, operation, ms }, answer, ports.reporter);
      if (answer.status === 'ok') continue;
      const { why } = answer;
      const final = answer.status === 'refused' && answer.retry === 'never';
      if (final) return { id, outcome: { status: 'refused', target, why } };
      // Its neighbours go on: one of them may free the very port that this one wants.
      outcome = { status: 'again', target, why, refused: isRefusal(answer) };
    }
    if (outcome.status !== 'ok') break;
  }
  return { id, outcome };
}

/** What is nobody's matter, or was only late, is no refusal. */
function isRefusal(answer: CallOutcome<unknown>): boolean {
  if (answer.status !== 'refused') return false;
  const passing: readonly unknown[] = [
    'no-leader',
    'not-a-manager',
    'unreachable',
    'out-of-sequence',
    'held-back',
    'other-content',
  ];
  return !passing.includes(answer.cause);
}

/** One line of the log for one call. */
function tell<Call>(
  told: { readonly id: Id; readonly operation: Operation<Call>; readonly ms: number },
  outcome: CallOutcome<unknown>,
  reporter: Reporter,
): void {
  const { id, ms } = told;
  const { target, verb, fields, effect } = told.operation;
  const destructive = effect === 'destructive' ? ({ destructive: true } as const) : {};
  if (outcome.status === 'ok') {
    const paths = fields.map(({ path }) => path);
    reporter.tell({ event: 'change applied', id, target, verb, fields: paths, ...destructive, ms });
  } else if (outcome.cause === 'other-content' && told.operation.proves === true) {
    reporter.tell({ event: 'content differs', id, target });
  } else {
    const { status, why } = outcome;
    reporter.tell({ event: 'change failed', id, target, status, why });
  }
}
