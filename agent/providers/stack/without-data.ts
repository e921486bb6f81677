import type { CallOutcome } from '../../core/kind.ts';
import { Secret } from '../../core/secret.ts';
import { messageIn } from './classify.ts';
import type { StackCall } from './swarm.ts';

/** So much of a content in a row is no accident. Characters. */
const PIECE = 8;

/**
 * Pure. The outcome of a call that carried a secret, without words that repeat any of it: engines say no such thing, but what
 * stands between us and them might.
 */
export function withoutData<Value>(
  call: StackCall,
  outcome: CallOutcome<Value>,
): CallOutcome<Value> {
  if (outcome.status === 'ok' || !('data' in call) || !(call.data instanceof Secret))
    return outcome;
  const base64 = call.data.reveal();
  const plain = Buffer.from(base64, 'base64').toString('utf8');
  const repeats = [base64, plain, messageIn(JSON.stringify({ message: plain }), Infinity)].some(
    (text) => repeatsAny(outcome.why, text),
  );
  return repeats ? { ...outcome, why: 'the answer repeats the content: it is not shown' } : outcome;
}

function repeatsAny(why: string, text: string): boolean {
  const size = Math.min(PIECE, text.length);
  if (size < 3) return false;
  for (let from = 0; from + size <= why.length; from += 1) {
    if (text.includes(why.slice(from, from + size))) return true;
  }
  return false;
}
