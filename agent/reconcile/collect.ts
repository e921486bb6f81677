import type { CallOutcome, Id, Operation } from '../core/kind.ts';
import type { Collected } from '../core/collect.ts';
import { SWARM_CALL_MS } from '../core/lease.ts';
import type { Guard } from './lease-ports.ts';
import type { Caller, Clock, Reporter } from './ports.ts';

/** What collecting needs. */
export interface CollectPorts<Call> {
  readonly caller: () => Caller<Call>;
  readonly reporter: Reporter;
  readonly guard: Guard;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** So many are named in the one line that is told. */
const NAMED_MAX = 10;

/**
 * Takes earlier contents away, one after another, and tells that in one line; what is left of units that left is told one by one. One that the engine does not give up is in
 * somebody's use: it stays, and that is nobody's failure. After an answer that did not come nothing more is asked.
 */
export async function collectSpares<Call>(
  due: readonly Collected<Call>[],
  { caller, reporter, guard, clock }: CollectPorts<Call>,
  signal: AbortSignal,
): Promise<void> {
  const client = caller();
  const gone: string[] = [];
  let open: string | undefined;
  for (const { operation, unit } of due) {
    if (signal.aborted || guard.refusal(SWARM_CALL_MS) !== undefined) break;
    const startMs = clock.nowMs();
    const outcome = await client.call(operation.call, signal);
    if (unit !== undefined)
      tellGone({ id: unit, operation, outcome, ms: clock.nowMs() - startMs }, reporter);
    else if (outcome.status === 'ok') gone.push(operation.target);
    else open ??= trouble(outcome, operation.target);
    if (outcome.status === 'unknown') break;
  }
  if (gone.length === 0 && open === undefined) return;
  const why = open === undefined ? {} : { why: open };
  const targets = gone.slice(0, NAMED_MAX);
  reporter.tell({ event: 'contents collected', count: gone.length, targets, ...why });
}

/** As any other change; what is not sent now is looked at anew. */
function tellGone<Call>(
  {
    id,
    operation,
    outcome,
    ms,
  }: {
    readonly id: Id;
    readonly operation: Operation<Call>;
    readonly outcome: CallOutcome<unknown>;
    readonly ms: number;
  },
  reporter: Reporter,
): void {
  const { target, verb } = operation;
  if (outcome.status === 'ok') {
    const isGone = operation.effect === 'destructive' && { destructive: true as const };
    reporter.tell({ event: 'change applied', id, target, verb, fields: [], ...isGone, ms });
  } else if (trouble(outcome, target) !== undefined) {
    const { status, why } = outcome;
    reporter.tell({ event: 'change failed', id, target, status, why });
  }
}

function trouble(
  outcome: Exclude<CallOutcome<unknown>, { status: 'ok' }>,
  target: string,
): string | undefined {
  const isInUse = outcome.status === 'refused' && outcome.retry === 'after-replan';
  return isInUse ? undefined : `${target} stays: ${outcome.why}`;
}
