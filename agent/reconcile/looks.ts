import type { CallOutcome } from '../core/kind.ts';
import type { ReconcileRequest } from '../core/unit.ts';
import type { History, LookAnswer, Looked } from './history.ts';
import type { AgentEvent, Loaded } from './ports.ts';
import type { Wake } from './wake.ts';

/** What is rung. */
export interface LooksPorts {
  /** Of the passes. */
  readonly wake: Wake;
  /** Of whoever follows the repository. */
  readonly sourceWake: Wake;
  /** Called where somebody wants everything read anew. Absent: nothing is remembered. */
  readonly full?: () => void;
}

/** A request, as far as it is looked at here. */
interface Heard {
  readonly verb: string;
  readonly nonce?: string;
  readonly full?: boolean;
}

/** So many answers are remembered, for whoever asked. */
const LOOKED_MAX = 10;
/** Of a reason in the record. Characters. */
const WHY_MAX = 300;

/**
 * Requests to look at the repository now, in memory only. One is answered by a look that began after it was heard of, and
 * taken by the first pass over what that look found: so "taken" means that nothing older is what the Swarm is brought to.
 */
export class Looks {
  readonly #ports: LooksPorts;
  /** By nonce: how many looks had begun when it was heard of. */
  readonly #asked = new Map<string, number>();
  #begun = 0;
  #last: { readonly number: number; readonly answer: LookAnswer } | undefined;

  constructor(ports: LooksPorts) {
    this.#ports = ports;
  }

  /** Notes what is asked now; the repository is asked at once for what is new. */
  heard(requests: readonly Heard[]): void {
    const asking = new Map(
      requests.flatMap(({ verb, nonce, full }): [string, boolean][] =>
        verb === 'reconcile' && nonce ? [[nonce, full === true]] : [],
      ),
    );
    const nonces = [...asking.keys()];
    for (const nonce of this.#asked.keys()) if (!asking.has(nonce)) this.#asked.delete(nonce);
    const fresh = nonces.filter((nonce) => !this.#asked.has(nonce));
    for (const nonce of fresh) this.#asked.set(nonce, this.#begun);
    if (fresh.some((nonce) => asking.get(nonce))) this.#ports.full?.();
    if (fresh.length > 0) this.#ports.sourceWake.ring();
  }

  /** The repository is asked from now on; the returned function tells what came of it, after it was published. */
  begin(): (answer: LookAnswer) => void {
    this.#begun += 1;
    const number = this.#begun;
    return (answer) => {
      this.#last = { number, answer };
      if (this.#asked.size > 0) this.#ports.wake.ring();
    };
  }

  /** A reading without the requests that no look has answered yet: they stay on the head. `revision`: what is passed over. */
  answered(outcome: CallOutcome<Loaded>, revision: string): CallOutcome<Loaded> {
    if (outcome.status !== 'ok') return outcome;
    const { requests } = outcome.value;
    const taken = requests.filter(
      (one) => one.verb !== 'reconcile' || this.#answerTo(one, revision) !== undefined,
    );
    if (taken.length === requests.length) return outcome;
    return { status: 'ok', value: { ...outcome.value, requests: taken } };
  }

  /** What those that are taken get as their answer. */
  looked({ requests }: Loaded, revision: string): readonly Looked[] {
    return requests.flatMap((one) => {
      const answer = one.verb === 'reconcile' ? this.#answerTo(one, revision) : undefined;
      if (one.verb !== 'reconcile' || answer === undefined) return [];
      return [{ nonce: one.nonce, by: one.by, ...answer }];
    });
  }

  /** What was found is not passed over yet where a newer revision came while this pass was reading. */
  #answerTo({ nonce }: ReconcileRequest, revision: string): LookAnswer | undefined {
    const begun = this.#asked.get(nonce);
    if (begun === undefined || this.#last === undefined || this.#last.number <= begun)
      return undefined;
    const { answer } = this.#last;
    return answer.status === 'valid' && answer.revision !== revision ? undefined : answer;
  }
}

/** Pure. The history with these answers. The same object without any. */
export function withLooked(history: History, looked: readonly Looked[]): History {
  if (looked.length === 0) return history;
  const bounded = looked.map((one) =>
    one.status === 'unreadable' ? { ...one, why: one.why.slice(0, WHY_MAX) } : one,
  );
  return { ...history, looked: [...bounded, ...(history.looked ?? [])].slice(0, LOOKED_MAX) };
}

/** Pure. What the log says of them, once they are recorded. */
export function lookedEvents(looked: readonly Looked[]): readonly AgentEvent[] {
  return looked.map(({ nonce: _nonce, ...said }) => ({ event: 'reconcile taken', ...said }));
}
