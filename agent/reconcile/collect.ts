import type { CallOutcome } from '../core/kind.ts';
import type { Spare } from '../core/member.ts';
import { SWARM_CALL_MS } from '../core/lease.ts';
import type { Guard } from './lease-ports.ts';
import type { Caller, Reporter } from './ports.ts';

/** What collecting needs. */
export interface CollectPorts<Call> {
  readonly caller: () => Caller<Call>;
  readonly reporter: Reporter;
  readonly guard: Guard;
}

/** So many are named in the one line that is told. */
const NAMED_MAX = 10;

/**
 * Takes earlier contents away, one after another, and tells that in one line. One that the engine does not give up is in
 * somebody's use: it stays, and that is nobody's failure. After an answer that did not come nothing more is asked.
 */
export async function collectSpares<Call>(
  due: readonly Spare<Call>[],
  { caller, reporter, guard }: CollectPorts<Call>,
  signal: AbortSignal,
): Promise<void> {
  const client = caller();
  const gone: string[] = [];
  let open: string | undefined;
  for (const { operation } of due) {
    if (signal.aborted || guard.refusal(SWARM_CALL_MS) !== undefined) break;
    const outcome = await client.call(operation.call, signal);
    if (outcome.status === 'ok') gone.push(operation.target);
    else open ??= trouble(outcome, operation.target);
    if (outcome.status === 'unknown') break;
  }
  if (gone.length === 0 && open === undefined) return;
  const why = open === undefined ? {} : { why: open };
  const targets = gone.slice(0, NAMED_MAX);
  reporter.tell({ event: 'contents collected', count: gone.length, targets, ...why });
}

function trouble(
  outcome: Exclude<CallOutcome<unknown>, { status: 'ok' }>,
  target: string,
): string | undefined {
  const isInUse = outcome.status === 'refused' && outcome.retry === 'after-replan';
  return isInUse ? undefined : `${target} stays: ${outcome.why}`;
}
