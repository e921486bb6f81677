import type { CallOutcome, Id, Operation } from '../core/kind.ts';
import type { UnitWork } from '../core/step.ts';
import type { Caller, Clock, Reporter } from './ports.ts';

/** How one unit's calls ended: at the first that was not ok the rest is not started. */
export interface UnitResult {
  readonly id: Id;
  readonly outcome:
    | { readonly status: 'ok' }
    | { readonly status: 'refused'; readonly target: string; readonly why: string }
    | { readonly status: 'again'; readonly target: string; readonly why: string };
}

/** What carrying out needs. `caller` gives each unit its own, which knows what that unit made. */
export interface CarryOutPorts<Call> {
  readonly caller: () => Caller<Call>;
  readonly clock: Clock;
  readonly reporter: Reporter;
  /** Units at once: each makes one call at a time, so this bounds the calls too. */
  readonly atOnce: number;
}

const PHASES = ['add', 'change', 'remove'] as const;

/** Units side by side, the calls of one unit in order. An abort stops new calls, never a running one's bookkeeping. */
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
  for (const operation of PHASES.flatMap((phase) => operations.filter((o) => o.phase === phase))) {
    const { target } = operation;
    if (signal.aborted) return { id, outcome: { status: 'again', target, why: 'stopped' } };
    const sentAtMs = ports.clock.nowMs();
    const outcome = await caller.call(operation.call, signal);
    const ms = ports.clock.nowMs() - sentAtMs;
    tell({ id, operation, ms }, outcome, ports.reporter);
    if (outcome.status === 'ok') continue;
    const final = outcome.status === 'refused' && outcome.retry === 'never';
    return { id, outcome: { status: final ? 'refused' : 'again', target, why: outcome.why } };
  }
  return { id, outcome: { status: 'ok' } };
}

/** One line of the log for one call. */
function tell<Call>(
  told: { readonly id: Id; readonly operation: Operation<Call>; readonly ms: number },
  outcome: CallOutcome<unknown>,
  reporter: Reporter,
): void {
  const { id, ms } = told;
  const { target, verb, fields } = told.operation;
  if (outcome.status === 'ok') {
    const paths = fields.map(({ path }) => path);
    reporter.tell({ event: 'change applied', id, target, verb, fields: paths, ms });
  } else {
    const { status, why } = outcome;
    reporter.tell({ event: 'change failed', id, target, status, why });
  }
}
