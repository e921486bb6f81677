import type { CallOutcome } from '../../core/kind.ts';
import type { Shaped } from './shaped.ts';
import { EngineError } from './transport.ts';

/** The outcome of one exchange whose answer must have this shape; any other answer is `unknown`. */
export async function outcomeOf<Value>(
  ask: () => Promise<unknown>,
  shape: (json: unknown) => Shaped<Value>,
): Promise<CallOutcome<Value>> {
  return judged(ask, (json) => shapedOutcome(json, shape));
}

/** Pure. An answer of another shape says nothing: `unknown`. */
export function shapedOutcome<Value>(
  json: unknown,
  shape: (json: unknown) => Shaped<Value>,
): CallOutcome<Value> {
  const shaped = shape(json);
  if (shaped.ok) return { status: 'ok', value: shaped.value };
  return { status: 'unknown', why: `the answer has another shape at ${shaped.where}` };
}

/** The outcome of one exchange, as `judge` sees its answer. */
export async function judged<Answer, Value>(
  ask: () => Promise<Answer>,
  judge: (answer: Answer) => CallOutcome<Value>,
): Promise<CallOutcome<Value>> {
  try {
    return judge(await ask());
  } catch (error) {
    if (error instanceof EngineError) return error.outcome;
    throw error;
  }
}
