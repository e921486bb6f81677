import type { CallOutcome } from '../../core/kind.ts';
import { DIGEST_LABEL, disproof } from './names.ts';
import type { StackCall, SwarmState } from './swarm.ts';

/**
 * Secrets that hold another content than the one they were compared with, so that nothing is asked twice. A content never
 * changes under its id. In memory only: an agent that starts asks once more, and nothing is written by that.
 */
export class Disproved {
  /** By the id of the secret. */
  readonly #known = new Map<string, Set<string>>();

  /** All that is known of the secrets that are there; the rest is forgotten. */
  of({ secrets }: SwarmState): ReadonlySet<string> {
    const there = new Set(secrets.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!there.has(id)) this.#known.delete(id);
    return new Set([...this.#known.values()].flatMap((known) => [...known]));
  }

  /**
   * What a call's outcome means. A proof never fails for good: where the content is another one the difference is another one
   * too, and whatever else is wrong may pass.
   */
  noted<Value>(call: StackCall, outcome: CallOutcome<Value>): CallOutcome<Value> {
    if (call.op !== 'secret-prove' || outcome.status !== 'refused') return outcome;
    if (outcome.cause !== 'other-content') return { ...outcome, retry: 'after-replan' };
    const known = this.#known.get(call.id) ?? new Set();
    this.#known.set(call.id, known.add(disproof(call.id, call.labels[DIGEST_LABEL] ?? '')));
    return { ...outcome, why: 'it holds another content', retry: 'after-replan' };
  }
}
