import type { CallOutcome } from '../../core/kind.ts';
import { classify, type Reply } from './classify.ts';
import { judged } from './judged.ts';
import type { Modem } from './transport.ts';

/** So many lines are asked for. */
const LINES = 10;

/** The engine's log of one task, from whatever node: the last lines, as the container wrote them, which may be anything. */
export async function readTaskLog(
  modem: Modem,
  task: string,
  abortSignal: AbortSignal,
): Promise<CallOutcome<string>> {
  if (!/^[0-9a-z]{25}$/.test(task)) {
    return { status: 'refused', why: 'this is no id of a task', retry: 'never' };
  }
  abortSignal.throwIfAborted();
  const outcome = await judged(
    () =>
      modem.reply({
        path: `/tasks/${task}/logs`,
        method: 'GET',
        options: { _query: { stdout: '1', stderr: '1', tail: String(LINES) } },
        bytes: true,
        abortSignal,
      }),
    logIn,
  );
  abortSignal.throwIfAborted();
  return outcome;
}

/** Pure. What an answer holds whose every character is one byte. */
export function logIn(reply: Reply): CallOutcome<string> {
  if (reply.kind === 'answer' && reply.status === 200) {
    return { status: 'ok', value: Buffer.from(payload(reply.text), 'latin1').toString() };
  }
  const outcome = classify(reply);
  return outcome.status === 'ok' ? { status: 'unknown', why: 'no log' } : outcome;
}

/** Bytes before each piece: where it was written, three zeros, its length in four. A terminal's log has none. */
const HEADER = 8;

/** A piece that is cut short is taken as it is. */
function payload(bytes: string): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const header = bytes.slice(at, at + HEADER);
    if (!isHeader(header)) return text + bytes.slice(at);
    const length = [4, 5, 6, 7].reduce((sum, index) => sum * 256 + header.charCodeAt(index), 0);
    text += bytes.slice(at + HEADER, at + HEADER + length);
    at += HEADER + length;
  }
  return text;
}

function isHeader(header: string): boolean {
  return header.length === HEADER && header.charCodeAt(0) < 3 && header.slice(1, 4) === '\0\0\0';
}
